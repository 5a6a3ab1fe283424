// Every page, in light and dark, wide and narrow: it shows its data, and axe has nothing to say.

import { expect, expectAccessible, expectNoSideways, open, test } from "./browser";
import { api, place, System } from "./system";

interface Shown {
  name: string;
  path: () => Promise<string>;
  /** What stands there once the data is there. */
  text: string | RegExp;
}

async function story() {
  const { items: sessions } = await api().sessions.listSessions({});
  const { items: spaces } = await api().spaces.listSpaces({});
  const { items: disks } = await api().disks.listDisks({});
  const [session, space, disk] = [sessions[0], spaces[0], disks[0]];
  if (!session || !space || !disk) throw new Error("the story is not told");
  const { items: skills } = await api().skills.listSkills({ spaceId: space.id });
  return { session: session.id, space: space.id, disk: disk.id, skill: skills[0]?.id ?? "" };
}

const today = () => new Date().toISOString().slice(0, 10);

const PAGES: readonly Shown[] = [
  { name: "overview", path: async () => "/", text: "Skills served" },
  { name: "sessions", path: async () => "/sessions", text: "Last message" },
  {
    name: "a session",
    path: async () => `/sessions/${(await story()).session}`,
    text: "Perfect, exactly what I wanted",
  },
  { name: "tasks", path: async () => "/tasks", text: "First seen" },
  { name: "uses of skills", path: async () => `/skills?day=${today()}`, text: "To session" },
  { name: "spaces", path: async () => "/skills", text: "its learning" },
  { name: "a space", path: async () => `/skills/${(await story()).space}`, text: "search_news" },
  {
    name: "a search",
    path: async () => `/skills/${(await story()).space}?query=run%20tests%20on%20every%20push`,
    text: "distance",
  },
  {
    name: "what waits",
    path: async () => `/skills/${(await story()).space}?view=waiting`,
    text: "Nothing waits",
  },
  {
    name: "a skill",
    path: async () => {
      const { space, skill } = await story();
      return `/skills/${space}/${skill}`;
    },
    text: "Hard enough with",
  },
  { name: "runs", path: async () => "/runs", text: "rules" },
  { name: "learning runs", path: async () => "/runs?of=learning", text: "distiller" },
  { name: "disks", path: async () => "/disks", text: "nobody's" },
  {
    name: "a disk",
    path: async () => `/disks/${(await story()).disk}?path=/reports/&file=/reports/ci.md`,
    text: "tidewatch: continuous integration",
  },
  { name: "settings", path: async () => "/settings", text: "Observing and learning" },
  { name: "keys", path: async () => "/settings?tab=keys", text: "Begins with" },
  { name: "users", path: async () => "/settings?tab=users", text: /No users yet|First seen/ },
  { name: "tools", path: async () => "/settings?tab=tools", text: "search_news" },
  { name: "system", path: async () => "/settings?tab=system", text: "The operator's key" },
  { name: "no page", path: async () => "/nowhere", text: "There is no such page" },
  {
    name: "a foreign session",
    path: async () => "/sessions/0198c0de-0000-7000-8000-000000000000",
    text: "SESSION_NOT_FOUND",
  },
];

for (const theme of ["light", "dark"] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });
    for (const { name, path, text } of PAGES) {
      test(`${name} shows its data, to everybody`, async ({ signedIn: page }) => {
        await open(page, await path());
        await expect(page.getByText(text).first()).toBeVisible();
        await expectAccessible(page);
        await expectNoSideways(page);
        await page.setViewportSize({ width: 400, height: 800 });
        await expectNoSideways(page);
        await expectAccessible(page);
      });
    }
  });
}

test("at 200 % zoom every page can be used", async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 640, height: 430 });
  for (const { path, text } of PAGES) {
    await open(page, await path());
    await expect(page.getByText(text).first()).toBeVisible();
    await expectNoSideways(page);
  }
});

test("a port that is taken is told, with how to choose another", async () => {
  const { dashboardPort } = place();
  const told = await System.refusedAt(dashboardPort);
  expect(told).toContain(`Port ${dashboardPort} is taken by`);
  expect(told).toContain(`ACONTEXT_DASHBOARD_PORT=${dashboardPort + 1}`);
});

const LARGEST_FIRST_LOAD = 250_000;

for (const [name, path, sign] of [
  ["the overview, before its charts", "/", "Skills served"],
  ["the sessions", "/sessions", "Last message"],
] as const) {
  test(`the first load of ${name} is less than 250 KB`, async ({ signedIn: page }) => {
    // From the moment the figures are painted on, nothing is part of the first load.
    await page.addInitScript((text) => {
      new MutationObserver((_, observer) => {
        if (!document.body?.textContent.includes(text)) return;
        observer.disconnect();
        requestAnimationFrame(() => performance.mark("first-load"));
      }).observe(document, { childList: true, subtree: true });
    }, sign);
    await open(page, path);
    await expect(page.getByText(sign).first()).toBeVisible();
    const files = await page.evaluate(() => {
      const end = performance.getEntriesByName("first-load")[0]?.startTime ?? Infinity;
      return performance
        .getEntriesByType("resource")
        .filter((entry) => entry.name.includes("/assets/") && entry.startTime <= end)
        .map((entry) => (entry as PerformanceResourceTiming).encodedBodySize);
    });
    const total = files.reduce((sum, size) => sum + size, 0);
    console.log(`first load of ${name}: ${total} bytes`);
    expect(total).toBeGreaterThan(200_000);
    expect(total).toBeLessThan(LARGEST_FIRST_LOAD);
  });
}

test.describe("in a browser that speaks German", () => {
  test.use({ locale: "de-DE" });

  test("controls speak the page's language", async ({ signedIn: page }) => {
    await page.getByRole("button", { name: /^Project/ }).click();
    await expect(page.getByRole("menu")).toBeVisible();
    await expect(page.getByRole("button", { name: "Dismiss" }).first()).toBeAttached();
  });
});
