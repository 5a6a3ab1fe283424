// A watch without a cursor, whose connection is broken by somebody before anything changes.

import { AcontextClient } from "@acontext/acontext";

const client = new AcontextClient({ retries: 30 });
const changes = client.tasks.watch();
const first = changes.next();
for (let asked = 0; asked < 3; asked++) await client.tasks.getStatistics();
console.log("watching");
const { value } = await first;
console.log(`${value?.task.id} ${value?.task.status}`);
await changes.return();
