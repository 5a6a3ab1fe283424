// Everything that can be done, done: each journey ends with what the API then says.

import type { Locator, Page } from "@playwright/test";
import { expect, expectAccessible, open, signIn, test } from "./browser";
import { api, newSession, operatorKey, putFile, say } from "./system";

async function learnedSpace(): Promise<{ spaceId: string; skillId: string }> {
  const { space } = await api().spaces.createSpace({});
  const spaceId = space?.id ?? "";
  const page = await api().spaces.createBlock({ spaceId, type: "page", title: "deploys" });
  const sop = await api().spaces.createBlock({
    spaceId,
    type: "sop",
    parentId: page.id,
    title: "deploy the landing page",
    props: { preferences: "at night", tool_sops: [{ tool_name: "ship", action: "ship it" }] },
  });
  return { spaceId, skillId: sop.id };
}

test("a wrong key is told in a sentence, the right one opens the project", async ({ page }) => {
  const { dashboard, KEY } = await import("./system");
  await page.goto(dashboard());
  await page.getByLabel("Key of a project").fill("sk-ac-wrong");
  await page.getByRole("button", { name: "Open the project" }).click();
  await expect(page.getByRole("alert")).toContainText("UNAUTHENTICATED");
  await expectAccessible(page);
  await page.getByRole("button", { name: /development key/ }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  const kept = await page.evaluate(() => [
    JSON.stringify(sessionStorage),
    JSON.stringify(localStorage),
  ]);
  expect(kept[0]).toContain(KEY);
  expect(kept[1]).not.toContain(KEY);
});

test("projects switch in place, and none shows what is another's", async ({ signedIn: page }) => {
  const { project, secret } = await api(operatorKey()).projects.createProject({ name: "second" });
  await page.getByRole("button", { name: /^Project/ }).click();
  await page.getByRole("menuitem", { name: "Open another project" }).click();
  await page.getByLabel("Key of the project").fill(secret ?? "");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByRole("button", { name: `Project ${project?.name}` })).toBeVisible();
  await page.getByRole("link", { name: "Sessions" }).first().click();
  await expect(page.getByText("No sessions yet")).toBeVisible();
  await page.getByRole("button", { name: /^Project/ }).click();
  await page.getByRole("menuitem", { name: "default" }).click();
  await page.getByRole("link", { name: "Sessions" }).first().click();
  await expect(page.getByRole("table")).toBeVisible();
});

test("a session is opened, configured, connected and deleted", async ({ signedIn: page }) => {
  const { spaceId } = await learnedSpace();
  await open(page, "/sessions");
  await page.getByRole("button", { name: "New session" }).click();
  await page.getByRole("textbox", { name: "User" }).fill("ada@example.com");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Open it" }).click();
  await expect(page).toHaveURL(/\/sessions\/[0-9a-f-]{36}/);
  await expect(page.getByText("Nothing has been said yet")).toBeVisible();
  const sessionId = new URL(page.url()).pathname.split("/")[2] ?? "";
  const actions = page.getByRole("button", { name: /^Actions of session/ });

  await actions.click();
  await page.getByRole("menuitem", { name: "Edit its configs" }).click();
  await page.getByRole("textbox", { name: "Configs" }).fill("{nothing");
  await expect(page.getByText(/JSON/).first()).toBeVisible();
  await page.getByRole("textbox", { name: "Configs" }).fill('{"agent": "ada"}');
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  await actions.click();
  await page.getByRole("menuitem", { name: "Connect to a space" }).click();
  await page.getByRole("button", { name: /Space/ }).click();
  await page
    .getByRole("option")
    .filter({ hasText: spaceId.slice(-4) })
    .first()
    .click();
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.getByRole("link", { name: /learned in space/ })).toBeVisible();
  const { session } = await api().sessions.getSession({ sessionId });
  expect(session?.configs).toEqual({ agent: "ada" });
  expect(session?.spaceId).toBe(spaceId);

  await actions.click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toContainText("With it go");
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(page.getByRole("heading", { name: "Sessions" })).toBeVisible();
  await expect(api().sessions.getSession({ sessionId })).rejects.toThrow(/no session/);
});

test("sessions are found by id, user, space and state, page by page", async ({
  signedIn: page,
}) => {
  const user = "many@example.com";
  const ids: string[] = [];
  for (let index = 0; index < 27; index += 1) ids.push(await newSession(api(), { user }));
  await open(page, "/sessions");
  await page.getByRole("searchbox").fill(user);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/begins=many/);
  await expect(page.getByRole("row")).toHaveCount(26);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByRole("row")).toHaveCount(3);
  await page.getByRole("button", { name: "Back" }).click();
  await expect(page.getByRole("row")).toHaveCount(26);
  await page.getByRole("button", { name: /Order/ }).click();
  await page.getByRole("option", { name: "Oldest first" }).click();
  await expect(page.getByRole("row").nth(1)).toContainText((ids[0] ?? "").slice(-4));
  await page.getByRole("button", { name: /Observing/ }).click();
  await page.getByRole("option", { name: "Failed" }).click();
  await expect(page.getByText("No session fits")).toBeVisible();
  await open(page, "/sessions");
  await page.getByRole("searchbox").fill(ids[3] ?? "");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(ids[3] ?? "none"));
});

test("sessions are found by how their ids and users begin", async ({ signedIn: page }) => {
  const sessionId = await newSession(api(), { user: "zora@example.com" });
  await open(page, "/sessions");
  const box = page.getByRole("searchbox");
  await box.fill("zor");
  await box.press("Enter");
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(page.getByRole("row").nth(1)).toContainText(sessionId.slice(-4));
  await box.fill(sessionId.slice(0, -1));
  await box.press("Enter");
  await expect(page.getByRole("row")).toHaveCount(2);
  await box.fill("nobody begins like this");
  await box.press("Enter");
  await expect(page.getByText("No session fits")).toBeVisible();
});

test("a day of a chart leads to what it counts", async ({ signedIn: page }) => {
  const today = await page.evaluate(() => new Date().toISOString().slice(0, 10));
  for (const [title, path, label] of [
    ["Tasks by status", "/tasks", "Tasks"],
    ["Messages observed", "/sessions", "Sessions"],
    ["Skills", "/skills", "Uses of skills"],
  ] as const) {
    await open(page, "/");
    const chart = page.locator(".card", { has: page.getByRole("heading", { name: title }) });
    const plot = chart.locator(".recharts-surface").first();
    await expect(plot).toBeVisible();
    const box = await plot.boundingBox();
    // The last day stands at the right edge.
    const position = { x: (box?.width ?? 0) - 30, y: (box?.height ?? 0) / 2 };
    await plot.hover({ position });
    await expect(chart.locator(".recharts-tooltip-wrapper")).toBeVisible();
    await plot.click({ position });
    await expect(page).toHaveURL(new RegExp(`${path}\\?day=${today}`));
    await expect(page.getByRole("region", { name: label }).getByRole("row").nth(1)).toBeVisible();
    await page.getByRole("button", { name: /show all again$/ }).click();
    await expect(page).not.toHaveURL(/day=/);
  }
  await open(page, `/tasks?day=2020-02-02`);
  await expect(page.getByText("No task fits")).toBeVisible();
});

test("a run of learning has an address, and roles part them", async ({ signedIn: page }) => {
  const { items: runs } = await api().skills.listLearningRuns({});
  await open(page, `/runs?of=learning&role=searcher&run=${runs[0]?.id}`);
  await expect(page.getByRole("dialog")).toContainText("distiller");
  await page.keyboard.press("Escape");
  await expect(page.getByText("No runs")).toBeVisible();
  await page.getByRole("button", { name: /^Role/ }).click();
  await page.getByRole("option", { name: "Distiller" }).click();
  await expect(page.getByRole("cell", { name: "distiller" }).first()).toBeVisible();
});

test("choosing a task lights up its messages, and the other way round", async ({
  signedIn: page,
}) => {
  const { items } = await api().sessions.listSessions({});
  const sessionId = items[0]?.id ?? "";
  await open(page, `/sessions/${sessionId}`);
  await page
    .getByRole("region", { name: "Tasks" })
    .getByRole("button", { pressed: false })
    .first()
    .click();
  await expect(page).toHaveURL(/task=/);
  await expect(page.locator(".message.lit").first()).toBeVisible();
  await page.getByRole("button", { name: "Task 1", pressed: true }).first().click();
  await expect(page).not.toHaveURL(/task=/);
  await page.getByRole("button", { name: "Task 1", exact: true }).first().click();
  await expect(page.locator(".task.chosen")).toHaveCount(1);
});

test("a session is observed again, after it was told what would change", async ({
  signedIn: page,
}) => {
  const { items } = await api().sessions.listSessions({});
  await open(page, `/sessions/${items[0]?.id}`);
  await page.getByRole("button", { name: "Observe again" }).click();
  await expect(page.getByText("Nothing would change.")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Observe again" }).click();
  await expect(page.getByText(/Observed anew/)).toBeVisible();
});

test("what is pending is observed at once when asked", async ({ signedIn: page }) => {
  const sessionId = await newSession(api());
  await open(page, `/sessions/${sessionId}`);
  await say(api(), sessionId, "Please book a table for five.");
  await page.getByRole("button", { name: "Observe now" }).click();
  await expect(page.getByRole("region", { name: "Tasks" })).toContainText(/table for five/i);
  await expect(page.getByText("1 observed")).toBeVisible();
});

test("how a task ended is set by a person", async ({ signedIn: page }) => {
  const sessionId = await newSession(api());
  await say(api(), sessionId, "Please book a table for two.");
  await api().tasks.flushSession({ sessionId });
  await open(page, `/sessions/${sessionId}`);
  await page.getByRole("button", { name: "Set how it ended" }).click();
  await page.getByRole("button", { name: /Outcome/ }).click();
  await page.getByRole("option", { name: "It failed" }).click();
  await page.getByLabel("Why").fill("the place is closed");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await expect(page.getByText("set by a person")).toBeVisible();
  const { items } = await api().tasks.listTasks({ sessionId });
  expect(items[0]?.status).toBe("failed");
});

test("a session is copied as JSON, curl and Python", async ({ signedIn: page }) => {
  const sessionId = await newSession(api());
  await say(api(), sessionId, "Copy me.");
  await open(page, `/sessions/${sessionId}`);
  for (const [form, text] of [
    ["JSON", '"content": "Copy me."'],
    ["curl", `/api/v1/session/${sessionId}/messages`],
    ["Python", "AcontextClient"],
  ]) {
    await page.getByRole("button", { name: "Copy the session" }).click();
    await page.getByRole("menuitem", { name: `Copy as ${form}` }).click();
    await expect(page.getByText(`Copied as ${form}`)).toBeVisible();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toContain(text);
  }
});

test("a skill is edited, compared, put back and archived", async ({ signedIn: page }) => {
  const { spaceId, skillId } = await learnedSpace();
  await open(page, `/skills/${spaceId}/${skillId}`);
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Use when").fill("");
  await expect(page.getByRole("button", { name: "Save as a new version" })).toBeDisabled();
  await page.getByLabel("Use when").fill("deploy the landing page on Fridays");
  await page.getByRole("button", { name: "Add a step" }).click();
  await page.getByLabel("Tool").nth(1).fill("announce");
  await page.getByLabel("What it does").nth(1).fill("tell the team");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Save as a new version" }).click();
  await expect(page.getByText("Version 2 is in force")).toBeVisible();
  await page.getByRole("button", { name: "What changed" }).first().click();
  await expect(page.locator("ins").first()).toBeVisible();
  await expect(page).toHaveURL(/version=2/);
  await page.getByRole("button", { name: "Put in force again" }).first().click();
  await expect(page.getByText("Version 3", { exact: true })).toBeVisible();
  const { skill } = await api().skills.getSkill({ skillId });
  expect(skill?.sop?.useWhen).toBe("deploy the landing page");
  await page.getByRole("button", { name: "Archive" }).click();
  await expect(page.getByRole("button", { name: "Put back" })).toBeVisible();
  await page.getByRole("button", { name: "Put back" }).click();
  await expect(page.getByRole("button", { name: "Archive" })).toBeVisible();
});

test("provenance leads from a skill to its messages and its run", async ({ signedIn: page }) => {
  const { items: spaces } = await api().spaces.listSpaces({});
  const { items: skills } = await api().skills.listSkills({ spaceId: spaces[0]?.id ?? "" });
  const path = `/skills/${spaces[0]?.id}/${skills[0]?.id}`;
  await open(page, path);
  await page.getByRole("link", { name: "the run that wrote it" }).first().click();
  await expect(page.getByRole("dialog")).toContainText("distiller");
  await open(page, path);
  await page.getByRole("link", { name: "Message 2 that it came from" }).first().click();
  await expect(page.locator(".message.lit").first()).toBeVisible();
  await expect(page).toHaveURL(/message=/);
});

/** Choose from a row's menu as the keyboard does: the tree is one stop, arrows go on from there. */
async function chooseByKeys(page: Page, title: string, item: string): Promise<void> {
  const row = page.getByRole("row", { name: title });
  await page.getByRole("link", { name: /^Waiting for a person/ }).focus();
  await page.keyboard.press("Tab");
  await pressUntilFocused(page, "Home", page.getByRole("row").first());
  await pressUntilFocused(page, "ArrowDown", row);
  await pressUntilFocused(page, "ArrowRight", row.getByRole("button", { name: /^Actions of/ }));
  await page.keyboard.press("Enter");
  await pressUntilFocused(page, "ArrowDown", page.getByRole("menuitem", { name: item }));
  await page.keyboard.press("Enter");
}

async function pressUntilFocused(page: Page, key: string, target: Locator): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < 10; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  await expect(target).toBeFocused();
}

test("the tree grows, is sorted, moved and cut by its menu", async ({ signedIn: page }) => {
  const { space } = await api().spaces.createSpace({});
  const spaceId = space?.id ?? "";
  for (const title of ["first", "second"]) {
    await api().spaces.createBlock({ spaceId, type: "page", title });
  }
  await open(page, `/skills/${spaceId}`);
  await page.getByRole("button", { name: "New block" }).click();
  await page.getByRole("button", { name: /Type/ }).click();
  await page.getByRole("option", { name: "Folder" }).click();
  await page.getByLabel("Name").fill("archive");
  await page.getByRole("button", { name: "Add it" }).click();
  const tree = page.getByRole("treegrid");
  await expect(tree.getByRole("row", { name: "archive" })).toBeVisible();
  await chooseByKeys(page, "second", "Move up");
  await expect(async () => {
    const { items } = await api().spaces.listBlocks({ spaceId, type: "page" });
    expect(items.map((block) => block.title)).toEqual(["second", "first"]);
  }).toPass();
  await chooseByKeys(page, "first", "Move elsewhere");
  await page.getByRole("button", { name: /Into/ }).press("Enter");
  await page.getByRole("option", { name: "archive" }).press("Enter");
  await page.getByRole("button", { name: "Move", exact: true }).press("Enter");
  await expect(page.getByRole("dialog")).toBeHidden();
  await page.getByRole("button", { name: "Actions of second" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("renamed");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(tree.getByRole("row", { name: "renamed" })).toBeVisible();
  await page.getByRole("button", { name: "Actions of archive" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toContainText("1 block");
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(tree.getByRole("row")).toHaveCount(1);
});

test("a page is dragged into a folder by mouse", async ({ signedIn: page }) => {
  const { space } = await api().spaces.createSpace({});
  const spaceId = space?.id ?? "";
  const folder = await api().spaces.createBlock({ spaceId, type: "folder", title: "box" });
  await api().spaces.createBlock({ spaceId, type: "page", title: "letter" });
  await open(page, `/skills/${spaceId}`);
  const tree = page.getByRole("treegrid");
  await tree.getByRole("row", { name: "letter" }).dragTo(tree.getByRole("row", { name: "box" }));
  await expect(async () => {
    const { items } = await api().spaces.listBlocks({ spaceId, parentId: folder.id });
    expect(items.map((block) => block.title)).toEqual(["letter"]);
  }).toPass();
});

test("a search says how near, and why there is no answer", async ({ signedIn: page }) => {
  const { spaceId } = await learnedSpace();
  await open(page, `/skills/${spaceId}`);
  await expect(async () => {
    await page.getByRole("searchbox").fill("deploy the landing page");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("region", { name: "Answers" })).toContainText("“landing”", {
      timeout: 2_000,
    });
  }).toPass();
  await page.getByRole("searchbox").fill("weather in Lisbon tomorrow");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Nothing relevant")).toBeVisible();
  await expect(page.getByText(/lies beyond/)).toBeVisible();
});

test("what waits is accepted, edited or discarded", async ({ signedIn: page }) => {
  const { space } = await api().spaces.createSpace({
    configs: { learning: { minimum_difficulty: 0, confirmation: true } },
  });
  const spaceId = space?.id ?? "";
  for (const city of ["Oslo", "Lima"]) {
    const sessionId = await newSession(api(), { spaceId });
    await say(api(), sessionId, `Please search the news about ${city} and always cite the source.`);
    const call = {
      id: "c1",
      type: "function",
      function: { name: `news_${city}`, arguments: "{}" },
    };
    for (const message of [
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "c1", content: '{"ok": true}' },
      { role: "assistant", content: `I have found the news about ${city} and cited the source.` },
      { role: "user", content: "Perfect, thank you, that is exactly what I wanted." },
    ]) {
      const blobJson = new TextEncoder().encode(JSON.stringify(message));
      await api().sessions.storeMessage({ sessionId, blobJson });
    }
    await api().tasks.flushSession({ sessionId });
  }
  await open(page, `/skills/${spaceId}?view=waiting`);
  const accept = page.getByRole("button", { name: "Accept", exact: true });
  await expect(accept).toHaveCount(2, { timeout: 40_000 });
  await expectAccessible(page);
  await page.getByRole("button", { name: "Edit and accept" }).first().click();
  await page.getByLabel("Preferences").fill("cite two sources");
  await page.getByRole("dialog").getByRole("button", { name: "Accept" }).click();
  await expect(page.getByText("It is learned as you wrote it")).toBeVisible();
  await expect(accept).toHaveCount(1);
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByText("Nothing waits")).toBeVisible();
  const { items } = await api().skills.listSkills({ spaceId });
  expect(items.map((skill) => skill.sop?.preferences)).toEqual(["cite two sources"]);
});

test("files are uploaded, shown, described, found and deleted", async ({ signedIn: page }) => {
  const { disk } = await api().disks.createDisk({});
  const diskId = disk?.id ?? "";
  await putFile(diskId, "/data/", "people.csv", "name,age\nAda,36\n", "text/csv");
  await putFile(diskId, "/data/", "facts.json", '{"deep": {"er": [1, 2]}}', "application/json");
  await open(page, `/disks/${diskId}`);
  await page.setInputFiles('input[type="file"]', {
    name: "code.py",
    mimeType: "text/x-python",
    buffer: Buffer.from("def greet():\n    return 'hello needle'\n"),
  });
  await expect(page.getByText("code.py is stored")).toBeVisible();
  await page.getByRole("link", { name: "code.py" }).click();
  await expect(page.locator(".hljs-keyword").first()).toBeVisible();
  await page.getByRole("button", { name: "Edit its metadata" }).click();
  await page.getByRole("textbox", { name: "Metadata" }).fill('{"kind": "greeting"}');
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("greeting")).toBeVisible();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toBe("code.py");
  const url = await page.getByRole("link", { name: "opens without a key" }).getAttribute("href");
  expect(await (await fetch(url ?? "")).text()).toContain("hello needle");
  await page.getByRole("button", { name: /Expiry/ }).click();
  await page.getByRole("option", { name: "7 days" }).click();
  await expect(page.getByRole("link", { name: "opens without a key" })).not.toHaveAttribute(
    "href",
    url ?? "",
  );

  await open(page, `/disks/${diskId}?path=/data/&file=/data/people.csv`);
  await expect(page.getByRole("cell", { name: "Ada" })).toBeVisible();
  await open(page, `/disks/${diskId}?path=/data/&file=/data/facts.json`);
  await expect(page.getByText("deep")).toBeVisible();
  await page.getByLabel("Find files by their text").fill("needle");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: "/code.py" })).toBeVisible();
  await page.getByLabel("Find files by their path").fill("/data/*");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: "/data/people.csv" })).toBeVisible();
  await page.getByRole("link", { name: "/data/people.csv" }).click();
  await page.getByRole("button", { name: "Delete the file" }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(page.getByText("The file is gone")).toBeVisible();
  const { items } = await api().disks.globArtifacts({ diskId, query: "/data/*" });
  expect(items.map((one) => one.filename)).toEqual(["facts.json"]);
});

test("settings are saved, and go back to their defaults", async ({ signedIn: page }) => {
  await open(page, "/settings");
  await page.getByLabel("Messages to wait for").fill("many");
  await expect(page.getByText("This is no number.")).toBeVisible();
  await page.getByLabel("Messages to wait for").fill("12");
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.getByLabel("Rule 1", { exact: true }).fill("touches money");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(/^Saved/)).toBeVisible();
  const saved = (await api().projects.getProjectSettings({})).settings;
  expect(saved?.bufferTurns).toBe(12);
  expect(saved?.difficultyRules.map((rule) => rule.text)).toEqual(["touches money"]);
  await page.getByLabel("Messages to wait for").fill("");
  await page.getByRole("button", { name: "Remove rule 1" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(async () => {
    const { settings } = await api().projects.getProjectSettings({});
    expect(settings?.bufferTurns).toBeUndefined();
    expect(settings?.difficultyRules).toEqual([]);
  }).toPass();
});

test("a key is made, shown once, rotated and revoked", async ({ signedIn: page }) => {
  await open(page, "/settings?tab=keys");
  await page.getByRole("button", { name: "New key" }).click();
  const secret = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
  expect(secret).toMatch(/^sk-ac-/);
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(page.getByText(secret)).toHaveCount(0);
  await expect(page.getByRole("row")).toHaveCount(3);
  await page
    .getByRole("button", { name: /^Actions of the key/ })
    .last()
    .click();
  await page.getByRole("menuitem", { name: "Rotate" }).click();
  await page.getByRole("button", { name: "Make a new one" }).click();
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(page.getByRole("row")).toHaveCount(4);
  for (const left of [3, 2]) {
    await page
      .getByRole("button", { name: /^Actions of the key/ })
      .last()
      .click();
    await page.getByRole("menuitem", { name: "Revoke" }).click();
    await page.getByRole("button", { name: "Revoke it" }).click();
    await expect(page.getByRole("row")).toHaveCount(left);
  }
});

test("a user is deleted with all that is theirs", async ({ signedIn: page }) => {
  await newSession(api(), { user: "gone@example.com" });
  await open(page, "/settings?tab=users");
  const row = page.getByRole("row").filter({ hasText: "gone@example.com" });
  await expect(row.getByRole("link", { name: "1 session" })).toBeVisible();
  await row.getByRole("button", { name: /^Actions/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toContainText("1 session");
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(row).toHaveCount(0, { timeout: 40_000 });
});

test("a tool is renamed in every step", async ({ signedIn: page }) => {
  await learnedSpace();
  await open(page, "/settings?tab=tools");
  await page.getByRole("row").filter({ hasText: "ship" }).getByRole("button").click();
  await page.getByLabel("New name").fill("ship_release");
  await page.getByRole("button", { name: "Rename", exact: true }).last().click();
  await expect(page.getByText("ship_release")).toBeVisible();
});

test("the operator sees how every engine is, a project's key does not", async ({
  signedIn: page,
}) => {
  await open(page, "/settings?tab=system");
  const field = page.getByLabel("The operator's key");
  await field.fill("sk-ac-your-root-api-bearer-token");
  await page.getByRole("button", { name: "Look how it is" }).click();
  await expect(page.getByText("PERMISSION_DENIED")).toBeVisible();
  await field.fill(operatorKey());
  await page.getByRole("button", { name: "Look how it is" }).click();
  await expect(page.getByRole("table", { name: "" }).first()).toBeVisible();
  await expect(page.getByText("postgresql").first()).toBeVisible();
  await expectAccessible(page);
});

test("the overview counts in a range and zone, and shows it as a table", async ({
  signedIn: page,
}) => {
  await page.getByRole("button", { name: /Range/ }).click();
  await page.getByRole("option", { name: "30 days" }).click();
  await expect(page).toHaveURL(/days=30/);
  await page.getByRole("button", { name: "Show as a table" }).click();
  await expect(page.getByRole("row")).toHaveCount(31);
  await page.getByRole("link", { name: /^Waits to be observed/ }).click();
  await expect(page).toHaveURL(/observing=pending/);
});

test("a page is reached and used by keyboard alone", async ({ signedIn: page }) => {
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the page" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.getByRole("link", { name: "Sessions" }).first().focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Sessions" })).toBeVisible();
  await page.getByRole("button", { name: "New session" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByRole("button", { name: "New session" })).toBeFocused();
});

test("a key that is revoked signs the page out", async ({ page }) => {
  const made = await api().projects.createApiKey({});
  await signIn(page, made.secret);
  await api().projects.revokeApiKey({ keyId: made.key?.id ?? "" });
  await expect(async () => {
    await page.reload();
    await expect(page.getByLabel("Key of a project")).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
});
