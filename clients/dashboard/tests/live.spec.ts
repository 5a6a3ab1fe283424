// What happens while somebody looks.

import { expect, open, test, whileTheGatewayIsGone } from "./browser";
import { api, killGateway, newSession, say } from "./system";

test("a message that is stored appears within a second", async ({ signedIn: page }) => {
  const sessionId = await newSession(api());
  await say(api(), sessionId, "The first one.");
  await open(page, `/sessions/${sessionId}`);
  await expect(page.getByText("The first one.")).toBeVisible();
  const took: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    await say(api(), sessionId, `Number ${index} is here.`);
    const stored = Date.now();
    await expect(page.getByText(`Number ${index} is here.`)).toBeVisible();
    took.push(Date.now() - stored);
  }
  took.sort((a, b) => a - b);
  // The median: the machine of a test has its moments.
  expect(took[2]).toBeLessThan(1000);
});

test("tasks appear and change by themselves", async ({ signedIn: page }) => {
  const sessionId = await newSession(api());
  await open(page, `/sessions/${sessionId}`);
  await expect(page.getByText("No tasks yet")).toBeVisible();
  await say(api(), sessionId, "Please book a table for six.");
  await api().tasks.flushSession({ sessionId });
  const tasks = page.getByRole("region", { name: "Tasks" });
  await expect(tasks).toContainText(/table for six/i);
  const { items } = await api().tasks.listTasks({ sessionId });
  await api().tasks.setTaskOutcome({ taskId: items[0]?.id ?? "", status: "failed" });
  await expect(tasks.getByText("failed")).toBeVisible();
  await expect(page.getByRole("button", { name: "Task 1", exact: true })).toBeVisible();
});

test.describe(() => {
  test.use({ allowed: whileTheGatewayIsGone });

  test("the stream survives a gateway that dies", async ({ signedIn: page }) => {
    const sessionId = await newSession(api());
    await say(api(), sessionId, "Before.");
    await open(page, `/sessions/${sessionId}`);
    await expect(page.getByText("Before.")).toBeVisible();
    killGateway();
    await expect(async () => {
      await say(api(), sessionId, "After.");
    }).toPass({ timeout: 40_000 });
    await expect(page.getByText("After.").first()).toBeVisible({ timeout: 15_000 });
    await expect(page.getByText("Before.")).toHaveCount(1);
  });
});
