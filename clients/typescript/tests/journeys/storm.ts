// A thousand messages and a watch, while somebody kills what answers them.
//
// It says `stored N` as it goes, so that whoever kills knows when; then everything is compared.

import { AcontextClient } from "@acontext/acontext";

import { equal } from "./checking.js";

const MESSAGES = 1000;

const client = new AcontextClient({ retries: 30 });
const { id } = await client.sessions.create();
const said = Array.from({ length: MESSAGES }, (_, at) => ({
  role: "user",
  content: `Line ${at + 1}.`,
}));

const watched: string[] = [];
const watching = (async () => {
  for await (const { sequence, parts } of client.sessions.watch(id)) {
    watched.push(`${sequence} ${parts[0]?.text}`);
    if (sequence === MESSAGES) break;
  }
})();

for (const [at, message] of said.entries()) {
  const { sequence } = await client.sessions.sendMessage(id, message);
  equal(sequence, at + 1, "the place of the message");
  if (sequence % 50 === 0) console.log(`stored ${sequence}`);
}
await watching;

equal((await client.sessions.getMessages(id, { timeDesc: false })).items, said, "what is stored");
equal(
  watched,
  said.map(({ content }, at) => `${at + 1} ${content}`),
  "what was watched",
);
console.log("nothing lost, nothing doubled");
