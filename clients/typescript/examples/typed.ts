// The same system through its contracts: typed messages of protobuf-es instead of plain objects.

import { createAcontext, reasonOf } from "@acontext/acontext";

const acontext = createAcontext({
  baseUrl: process.env["ACONTEXT_BASE_URL"] ?? "http://localhost:8029",
  apiKey: process.env["ACONTEXT_API_KEY"] ?? "sk-ac-your-root-api-bearer-token",
});

const { session } = await acontext.sessions.createSession({ configs: { topic: "weather" } });
const sessionId = session?.id ?? "";
await acontext.sessions.storeMessage({
  sessionId,
  blobJson: new TextEncoder().encode(JSON.stringify({ role: "user", content: "Hello" })),
});
const { totalTokens } = await acontext.sessions.getTokenCounts({ sessionId });
console.log(`stored ${totalTokens} tokens`);

await acontext.sessions.deleteSession({ sessionId });
try {
  await acontext.sessions.getSession({ sessionId });
} catch (error) {
  console.log(`gone: ${reasonOf(error)}`);
}
