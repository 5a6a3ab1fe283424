// The loop in one program: store a conversation, see its tasks, search what was learned from it.
//
//     ACONTEXT_BASE_URL=http://localhost:8029/api/v1 ACONTEXT_API_KEY=sk-ac-… node loop.js

import { AcontextClient } from "@acontext/acontext";

const client = new AcontextClient();

const toolCall = (id: string, name: string, args: object) => ({
  id,
  type: "function",
  function: { name, arguments: JSON.stringify(args) },
});

const conversation = [
  {
    role: "user",
    content:
      "Cancel my flight to Lisbon and refund it to my card. Always tell me the amount first.",
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

const space = await client.spaces.create();
const session = await client.sessions.create({ spaceId: space.id });
console.log(`session ${session.id} learns into space ${space.id}`);

for (const message of conversation) await client.sessions.storeMessage(session.id, message);
console.log(`stored ${conversation.length} messages`);

const flushed = await client.sessions.flush(session.id);
console.log(`flushed: ${flushed.status} ${flushed.errmsg}`);

for await (const task of client.sessions.listAllTasks(session.id)) {
  console.log(`task ${task.order} ${task.status}: ${task.data.task_description}`);
  for (const progress of task.data.progresses ?? []) console.log(`  progress: ${progress}`);
  for (const wish of task.data.user_preferences ?? []) console.log(`  preference: ${wish}`);
}

// Learning follows the tasks, and search the learning, by moments: so ask until something is there.
const query = "cancel a flight and refund it";
const deadline = Date.now() + 60_000;
let { cited_blocks } = await client.spaces.experienceSearch(space.id, { query });
while (cited_blocks.length === 0 && Date.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  ({ cited_blocks } = await client.spaces.experienceSearch(space.id, { query }));
}
console.log(cited_blocks.length === 0 ? "nothing relevant was learned" : "learned:");
for (const block of cited_blocks) console.log(`  ${block.distance.toFixed(2)} ${block.title}`);
