// What Acontext shows of a conversation, and how to wait for what it learns.

import type { AcontextClient } from "@acontext/acontext";

const PATIENCE_MS = 60_000;

/** Print the tasks of a conversation with their progress and what the user prefers. */
export async function showTasks(acontext: AcontextClient, sessionId: string): Promise<void> {
  await acontext.sessions.flush(sessionId);
  for await (const { order, status, data } of acontext.sessions.listAllTasks(sessionId)) {
    console.log(`\nTask ${order} (${status}): ${data.task_description}`);
    for (const progress of data.progresses ?? []) console.log(`  progress: ${progress}`);
    for (const preference of data.user_preferences ?? [])
      console.log(`  preference: ${preference}`);
  }
}

/** Wait until the space has learned from a conversation's tasks, or a minute is over. */
export async function waitUntilLearned(acontext: AcontextClient, sessionId: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    const status = await acontext.sessions.getLearningStatus(sessionId);
    if (status.not_space_digested_count === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
