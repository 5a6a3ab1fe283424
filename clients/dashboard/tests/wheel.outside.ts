// The pages as the wheel brings them, on a system that was started outside the repository.

import { expect, expectAccessible, listen, test } from "./browser";
import { api, dashboard, newSession, say } from "./system";

test("the wheel's pages open a project and show what is stored", async ({ page }) => {
  const complaints = listen(page);
  await page.goto(dashboard());
  await page.getByRole("button", { name: /development key/ }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  const sessionId = await newSession(api());
  await say(api(), sessionId, "Please book a table for four.");
  await page.getByRole("link", { name: "Sessions" }).first().click();
  await page.getByRole("link", { name: sessionId.slice(-4) }).click();
  await expect(page.getByText("Please book a table for four.").first()).toBeVisible();
  await say(api(), sessionId, "At eight, please.");
  await expect(page.getByText("At eight, please.").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "Tasks" })).toContainText(/table for four/i);
  await expectAccessible(page);
  expect(complaints).toEqual([]);
});
