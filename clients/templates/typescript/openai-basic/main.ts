// An agent plans two trips; what it learned on the first makes the second better.

import { AcontextClient } from "@acontext/acontext";
import OpenAI from "openai";
import type {
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";

import { showTasks, waitUntilLearned } from "./memory.js";
import { bookHotel, findConnections } from "./trip.js";

const MODEL = process.env.OPENAI_MODEL ?? "";
const INSTRUCTIONS = "You plan trips. Use your tools, and answer in two sentences at most.";

const LISBON = [
  "Please plan a weekend in Lisbon, starting in Madrid. Remember that I always travel by train " +
    "and never fly, and please show me the price before booking anything.",
  "Yes, please book the hotel.",
  "Perfect, thank you, that is all.",
];
const PORTO = [
  "Please plan a weekend in Porto, starting in Madrid.",
  "Perfect, thank you, that is all.",
];

const FUNCTIONS: Record<string, (given: never) => unknown> = {
  find_connections: findConnections,
  book_hotel: bookHotel,
};
const TOOLS = [
  tool("find_connections", "Find trains and planes from one city to another, with prices.", {
    origin: { type: "string" },
    destination: { type: "string" },
  }),
  tool("book_hotel", "Book a hotel in a city for some nights.", {
    city: { type: "string" },
    nights: { type: "integer" },
  }),
];

// Both read the environment: where they are, and their keys.
const acontext = new AcontextClient();
const openai = new OpenAI();

const space = await acontext.spaces.create();
const first = await converse(LISBON);
await showTasks(acontext, first);
await waitUntilLearned(acontext, first);
const second = await converse(PORTO);
await showTasks(acontext, second);

/** Hold a conversation with what the space has learned in mind, and store all of it. */
async function converse(said: string[]): Promise<string> {
  const { id } = await acontext.sessions.create({ spaceId: space.id });
  const skills = await acontext.spaces.skillsPrompt(space.id, said[0] ?? "", { sessionId: id });
  console.log(`\n=== ${id}\n${skills || "No skill fits yet."}`);
  const system = `${INSTRUCTIONS}\n\n${skills}`.trim();
  const messages: ChatCompletionMessageParam[] = [{ role: "system", content: system }];
  const note = async (message: ChatCompletionMessageParam) => {
    messages.push(message);
    await acontext.sessions.storeMessage(id, message);
  };
  for (const line of said) {
    console.log(`\nuser: ${line}`);
    await note({ role: "user", content: line });
    while (await answer(messages, note)) {
      // The model has seen what its tools gave, and goes on.
    }
  }
  return id;
}

/** Let the model say the next thing and use its tools; say whether it used any. */
async function answer(
  messages: ChatCompletionMessageParam[],
  note: (message: ChatCompletionMessageParam) => Promise<void>,
): Promise<boolean> {
  const completion = await openai.chat.completions.create({ model: MODEL, messages, tools: TOOLS });
  const reply = completion.choices[0]?.message;
  if (!reply) throw new Error("the model said nothing");
  await note(reply);
  if (reply.content) console.log(`agent: ${reply.content}`);
  for (const call of reply.tool_calls ?? []) {
    if (call.type !== "function") continue;
    const given = JSON.parse(call.function.arguments) as never;
    const result = FUNCTIONS[call.function.name]?.(given) ?? "there is no such tool";
    await note({ role: "tool", tool_call_id: call.id, content: JSON.stringify(result) });
  }
  return Boolean(reply.tool_calls?.length);
}

function tool(name: string, description: string, properties: object): ChatCompletionTool {
  const parameters = { type: "object", properties, required: Object.keys(properties) };
  return { type: "function", function: { name, description, parameters } };
}
