// A line or two for every resource, from an empty project to an empty project.

import { AcontextClient, reasonOf } from "@acontext/acontext";

const client = new AcontextClient();
console.log(await client.ping());

// Spaces learn from sessions, sessions hold messages.
const space = await client.spaces.create({ user: "ann" });
const session = await client.sessions.create({ user: "ann", spaceId: space.id });
await client.sessions.storeMessages(session.id, [
  { role: "user", content: "Please write my packing list." },
  { role: "assistant", content: "I wrote it." },
]);
const { items } = await client.sessions.getMessages(session.id, {
  editStrategies: [{ type: "token_limit", params: { limit_tokens: 1000 } }],
});
console.log(`${items.length} messages`);
for await (const message of client.sessions.watch(session.id)) {
  console.log(`${message.sequence} ${message.role}`);
  if (message.sequence === items.length) break;
}

// Tasks are observed in the background; flush waits for them.
await client.sessions.flush(session.id);
for await (const task of client.sessions.listAllTasks(session.id)) {
  const { messages } = await client.tasks.get(task.id);
  console.log(`${task.data.task_description}: ${task.status}, ${messages.length} messages`);
}
const context = await client.sessions.getContext(session.id, { tokenBudget: 500 });
console.log(`${context.tokens} tokens for the next call`);
const { days } = await client.tasks.getStatistics({ timeZone: "Europe/Madrid" });
const runs = await client.runs.list({ sessionId: session.id });
console.log(
  `${days.at(-1)?.messages} messages observed today, ${runs.items.length} runs for these`,
);

// Disks hold files.
const disk = await client.disks.create({ user: "ann" });
const file = { filePath: "/notes/", filename: "list.md" };
const bytes = new TextEncoder().encode("- passport\n");
await client.disks.artifacts.upsert(disk.id, { file: ["list.md", bytes], filePath: "/notes/" });
const { content, public_url } = await client.disks.artifacts.get(disk.id, file);
console.log(`${content?.raw.trim()} at ${public_url && new URL(public_url).pathname.slice(0, 7)}`);

// A space is a tree of blocks; skills are its sop blocks, with their history.
const page = await client.blocks.create(space.id, { blockType: "page", title: "Travel" });
const { id } = await client.blocks.create(space.id, {
  blockType: "sop",
  parentId: page.id,
  title: "pack for a trip",
  props: { preferences: "only hand luggage", tool_sops: [] },
});
const { versions } = await client.spaces.skills.get(id);
console.log(`${versions.length} version by ${versions[0]?.written_by}`);
console.log(await client.spaces.skillsPrompt(space.id, "what do I pack for my trip?"));
console.log(`${(await client.tools.getToolName()).length} tools`);

// Projects have settings and keys.
const { name } = await client.projects.get();
const settings = await client.projects.getSettings();
const keys = await client.keys.list();
console.log(`${name}: difficulty ${settings.minimum_difficulty ?? 2}, ${keys.length > 0}`);

// Deleting a user takes along all that is its own.
await client.users.delete("ann");
await client.sessions.get(session.id).catch((error) => console.log(reasonOf(error)));
