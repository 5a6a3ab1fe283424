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

/** Wait until the space has learned something that fits a wish, or a minute is over. */
export async function waitForSkill(
  acontext: AcontextClient,
  spaceId: string,
  wish: string,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await acontext.spaces.skillsPrompt(spaceId, wish)) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
