// The README's pictures, from the demo's story: `make screenshots`.

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { expect, open, test } from "./browser";
import { api } from "./system";

const FOLDER = join(import.meta.dirname, "../../../docs/pictures");
const LARGEST = 200_000;

for (const theme of ["light", "dark"] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme, viewport: { width: 1280, height: 800 } });

    test(`pictures in ${theme}`, async ({ signedIn: page }) => {
      mkdirSync(FOLDER, { recursive: true });
      const { items: sessions } = await api().sessions.listSessions({});
      const { items: spaces } = await api().spaces.listSpaces({});
      const spaceId = spaces[0]?.id ?? "";
      const { items: skills } = await api().skills.listSkills({ spaceId });
      const sessionId = sessions[0]?.id ?? "";
      const { items: tasks } = await api().tasks.listTasks({ sessionId });
      const take = async (name: string) => {
        const path = join(FOLDER, `${name}-${theme}.png`);
        await page.screenshot({ path, animations: "disabled" });
        expect(statSync(path).size, path).toBeLessThan(LARGEST);
      };
      await open(page, "/");
      await expect(page.locator(".recharts-bar-rectangle").first()).toBeVisible();
      await take("overview");
      await open(page, `/sessions/${sessionId}?task=${tasks[0]?.id}`);
      await expect(page.locator(".message.lit").first()).toBeVisible();
      await take("session");
      await open(page, `/skills/${spaceId}/${skills[0]?.id}`);
      await expect(page.getByText("Hard enough with")).toBeVisible();
      await take("skill");
    });
  });
}
