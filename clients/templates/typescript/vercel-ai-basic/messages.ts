// From the AI SDK's messages to the chat messages that Acontext stores.

import type { AssistantModelMessage, ModelMessage, ToolModelMessage } from "ai";

/** Say messages in OpenAI's form; of their parts, texts, tool calls and tool results. */
export function openaiMessages(messages: ModelMessage[]): object[] {
  return messages.flatMap((message): object[] => {
    if (message.role === "assistant") return [assistant(message)];
    if (message.role === "tool") return results(message);
    return [message];
  });
}

function assistant({ content }: AssistantModelMessage): object {
  if (typeof content === "string") return { role: "assistant", content };
  const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  const calls = content.flatMap((part) => {
    if (part.type !== "tool-call") return [];
    const called = { name: part.toolName, arguments: JSON.stringify(part.input) };
    return [{ id: part.toolCallId, type: "function", function: called }];
  });
  return {
    role: "assistant",
    content: text || null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function results({ content }: ToolModelMessage): object[] {
  return content.flatMap((part) => {
    if (part.type !== "tool-result") return [];
    const said = "value" in part.output ? JSON.stringify(part.output.value) : "";
    return [{ role: "tool", tool_call_id: part.toolCallId, content: said }];
  });
}
