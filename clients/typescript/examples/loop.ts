// The loop in one program: store a conversation, see its tasks, search what was learned from it.
//
//     ACONTEXT_BASE_URL=http://localhost:8029 ACONTEXT_API_KEY=sk-ac-… npm run loop

import { createAcontext } from "../src/index.js";

const acontext = createAcontext({
  baseUrl: process.env["ACONTEXT_BASE_URL"] ?? "http://localhost:8029",
  apiKey: process.env["ACONTEXT_API_KEY"] ?? "sk-ac-your-root-api-bearer-token",
});

const toolCall = (id: string, name: string, args: object) => ({
  id,
  type: "function",
  function: { name, arguments: JSON.stringify(args) },
});

const conversation = [
  {
    role: "user",
    content: "Cancel my flight to Lisbon and refund it to my card. Always tell me the amount first.",
  },
  {
    role: "assistant",
    content: "I look up your reservation.",
    tool_calls: [toolCall("call_1", "find_reservation", { city: "Lisbon" })],
  },
  {
    role: "tool",
    tool_call_id: "call_1",
    content: '{"reservation": "QX12", "paid": 240, "refundable": true}',
  },
  { role: "assistant", content: "You would get 240 euros back to your card. Shall I go on?" },
  { role: "user", content: "Yes, please." },
  {
    role: "assistant",
    tool_calls: [
      toolCall("call_2", "cancel_reservation", { reservation: "QX12" }),
      toolCall("call_3", "refund", { reservation: "QX12", amount: 240 }),
    ],
  },
  { role: "tool", tool_call_id: "call_2", content: '{"status": "cancelled"}' },
  { role: "tool", tool_call_id: "call_3", content: '{"status": "refunded"}' },
  { role: "assistant", content: "Done: your flight is cancelled and 240 euros are refunded." },
  { role: "user", content: "Perfect, thank you, that is all." },
];

const { space } = await acontext.spaces.createSpace({});
const { session } = await acontext.sessions.createSession({ spaceId: space!.id });
const sessionId = session!.id;
console.log(`session ${sessionId} learns into space ${space!.id}`);

const encoder = new TextEncoder();
for (const message of conversation) {
  await acontext.sessions.storeMessage({
    sessionId,
    format: "openai",
    blobJson: encoder.encode(JSON.stringify(message)),
  });
}
console.log(`stored ${conversation.length} messages`);

const flushed = await acontext.tasks.flushSession({ sessionId });
console.log(`flushed: ${flushed.status} ${flushed.errmsg}`);

const { items } = await acontext.tasks.listTasks({ sessionId });
for (const task of items) {
  console.log(`task ${task.order} ${task.status}: ${task.data?.taskDescription}`);
  for (const progress of task.data?.progresses ?? []) console.log(`  progress: ${progress}`);
  for (const wish of task.data?.userPreferences ?? []) console.log(`  preference: ${wish}`);
}

// Learning follows the tasks by moments, so ask until something is there.
const query = { spaceId: space!.id, query: "cancel a flight and refund it" };
const deadline = Date.now() + 15_000;
let { citedBlocks } = await acontext.skills.searchSkills(query);
while (citedBlocks.length === 0 && Date.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  ({ citedBlocks } = await acontext.skills.searchSkills(query));
}
console.log(citedBlocks.length === 0 ? "nothing relevant was learned" : "learned:");
for (const block of citedBlocks) console.log(`  ${block.distance.toFixed(2)} ${block.title}`);
