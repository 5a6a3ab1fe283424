// An agent of the Vercel AI SDK plans two trips; the second with what it learned on the first.

import { AcontextClient } from "@acontext/acontext";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, type ModelMessage, stepCountIs, tool } from "ai";
import { z } from "zod";

import { showTasks, waitUntilLearned } from "./memory.js";
import { openaiMessages } from "./messages.js";
import { bookHotel, findConnections } from "./trip.js";

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

const TOOLS = {
  find_connections: tool({
    description: "Find trains and planes from one city to another, with prices.",
    inputSchema: z.object({ origin: z.string(), destination: z.string() }),
    execute: async (given) => findConnections(given),
  }),
  book_hotel: tool({
    description: "Book a hotel in a city for some nights.",
    inputSchema: z.object({ city: z.string(), nights: z.number().int() }),
    execute: async (given) => bookHotel(given),
  }),
};

// It reads the environment: where it is, and its key.
const acontext = new AcontextClient();
const endpoint = createOpenAICompatible({
  name: "endpoint",
  baseURL: process.env.OPENAI_BASE_URL ?? "",
  apiKey: process.env.OPENAI_API_KEY ?? "",
});
const model = endpoint(process.env.OPENAI_MODEL ?? "");

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
  const messages: ModelMessage[] = [];
  const note = async (...said: ModelMessage[]) => {
    messages.push(...said);
    await acontext.sessions.storeMessages(id, openaiMessages(said));
  };
  for (const line of said) {
    console.log(`\nuser: ${line}`);
    await note({ role: "user", content: line });
    const stopWhen = stepCountIs(8);
    const result = await generateText({ model, system, messages, tools: TOOLS, stopWhen });
    console.log(`agent: ${result.text}`);
    await note(...result.response.messages);
  }
  return id;
}
