// Programs that are wrong in ways the types must notice: a line that type-checks fails `tsc`.

import { AcontextClient, reasonOf } from "@acontext/acontext";

const client = new AcontextClient({ apiKey: "sk-ac-x" });

export async function misuse(): Promise<void> {
  // @ts-expect-error a session's id is text
  await client.sessions.get(7);
  // @ts-expect-error there is no such form
  await client.sessions.storeMessage("id", { role: "user" }, { format: "cohere" });
  // @ts-expect-error a message is an object
  await client.sessions.storeMessage("id", "hello");
  // @ts-expect-error a search needs a query
  await client.spaces.experienceSearch("id", { limit: 3 });
  // @ts-expect-error tasks end in success or failed only
  await client.tasks.setOutcome("id", { status: "running" });
  // @ts-expect-error a strategy without its parameters
  await client.sessions.getMessages("id", { editStrategies: [{ type: "token_limit" }] });
  // @ts-expect-error times are dates
  await client.tasks.list({ seenAfter: "2026-11-24" });
  // @ts-expect-error limits are numbers
  await client.disks.list({ limit: "20" });
  // @ts-expect-error answers have the dialect's names
  (await client.sessions.create()).spaceId;
  const learned = await client.spaces.confirmExperience("id", "id", { save: true });
  // @ts-expect-error what was discarded is null
  learned.experience_data;
  // @ts-expect-error watches are iterated, not awaited
  (await client.sessions.watch("id")).items;
  // @ts-expect-error no service has this reason
  if (reasonOf(null) === "SESSION_NOT_FUOND") return;
}
