// What users store does nothing but show itself.

import type { Page } from "@playwright/test";
import { expect, expectNoSideways, open, test } from "./browser";
import { type Api, api, newSession, putFile, say } from "./system";

const SCRIPT = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>";
const NAME = "<img src=x onerror='window.hacked = 1'>"; // a page's name has no slash
const LINKS =
  "[press me](javascript:window.hacked=3) <a href='javascript:window.hacked=4'>or me</a> " +
  "[data](data:text/html,<script>window.hacked=5</script>) [good](https://example.com/)";
const PICTURE = "![spy](http://spy.example/pixel.png)";
const BIDI = "invoice\u202egpj.exe and \u2066hidden\u2069 \u200bspace";
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=6" width="40" height="40"><script>window.hacked=7</script><rect width="40" height="40"/></svg>`;
const LONG = "x".repeat(1_000_000);

function deep(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
}

async function expectHarmless(page: Page, requests: readonly string[]): Promise<void> {
  expect(await page.evaluate(() => (window as { hacked?: number }).hacked)).toBeUndefined();
  expect(requests.filter((url) => url.includes("spy.example"))).toEqual([]);
  const links = await page
    .locator("a[href]")
    .evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).protocol));
  expect(links.filter((protocol) => !/^https?:$/.test(protocol))).toEqual([]);
}

function watch(page: Page): string[] {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  return requests;
}

async function call(to: Api, sessionId: string, argumentsText: string): Promise<void> {
  const blob = {
    role: "assistant",
    content: null,
    tool_calls: [
      { id: "call_1", type: "function", function: { name: SCRIPT, arguments: argumentsText } },
    ],
  };
  const blobJson = new TextEncoder().encode(JSON.stringify(blob));
  await to.sessions.storeMessage({ sessionId, blobJson });
}

test("messages with scripts, links, pictures and turned text only show", async ({
  signedIn: page,
}) => {
  const requests = watch(page);
  const sessionId = await newSession(api(), { user: `${SCRIPT}${BIDI}` });
  for (const text of [SCRIPT, LINKS, PICTURE, BIDI]) await say(api(), sessionId, text);
  await call(api(), sessionId, JSON.stringify({ [SCRIPT]: LINKS }));
  await open(page, `/sessions/${sessionId}`);
  await expect(page.getByText("window.hacked = 1").first()).toBeVisible();
  await expect(page.getByText("U+202E").first()).toBeVisible();
  await expect(page.getByRole("link", { name: "good" })).toHaveAttribute("rel", /noopener/);
  await page.getByText("press me").first().click();
  await page.getByText("or me").first().click();
  await expectHarmless(page, requests);
  await open(page, "/sessions");
  await expect(page.getByText("window.hacked = 1").first()).toBeVisible();
  await expectHarmless(page, requests);
});

test("a line of 1 MB and 200 levels of JSON stay readable", async ({ signedIn: page }) => {
  const sessionId = await newSession(api());
  await say(api(), sessionId, LONG);
  await call(api(), sessionId, deep(200));
  await open(page, `/sessions/${sessionId}`);
  await expect(
    page.getByText("Show all (1000 KB)").or(page.getByText("Show all (1.0 MB)")),
  ).toBeVisible();
  await page
    .getByText(/^Show all/)
    .first()
    .click();
  await expectNoSideways(page);
  await expect(page.getByText("Show less")).toBeVisible();
  for (let level = 0; level < 5; level += 1) {
    await page.getByRole("button", { name: "{ 1 }" }).last().click();
  }
  await expectNoSideways(page);
});

test("files and their names are no pages of ours", async ({ signedIn: page }) => {
  const requests = watch(page);
  const { disk } = await api().disks.createDisk({});
  const diskId = disk?.id ?? "";
  await putFile(diskId, "/", "picture.svg", SVG, "image/svg+xml");
  await putFile(diskId, "/", "page.html", SCRIPT, "text/html");
  await putFile(diskId, "/", "notes.md", `${SCRIPT}\n\n${LINKS}\n\n${PICTURE}`, "text/markdown");
  await putFile(diskId, "/", "cells.csv", `a,b\n${SCRIPT},=cmd()\n`, "text/csv");
  await putFile(diskId, "/", "deep.json", deep(200), "application/json");
  await putFile(diskId, "/", "invoice\u202etxt.js", "window.hacked = 8", "text/javascript");
  for (const name of ["picture.svg", "page.html", "notes.md", "cells.csv", "deep.json"]) {
    await open(page, `/disks/${diskId}?file=/${name}`);
    await expect(page.getByRole("heading", { name })).toBeVisible();
    await expect(page.getByText("Type", { exact: true })).toBeVisible();
    await expectHarmless(page, requests);
  }
  await expect(page.getByText("U+202E").first()).toBeVisible();
});

test("skills with scripts only show", async ({ signedIn: page }) => {
  const requests = watch(page);
  const { space } = await api().spaces.createSpace({});
  const spaceId = space?.id ?? "";
  const parent = await api().spaces.createBlock({ spaceId, type: "page", title: NAME });
  const sop = await api().spaces.createBlock({
    spaceId,
    type: "sop",
    parentId: parent.id,
    title: `${SCRIPT} ${BIDI}`,
    props: { preferences: LINKS, tool_sops: [{ tool_name: SCRIPT, action: LINKS }] },
  });
  await api().spaces.createBlock({
    spaceId,
    type: "text",
    parentId: parent.id,
    title: `${LINKS} ${PICTURE}`,
  });
  for (const path of [
    `/skills/${spaceId}`,
    `/skills/${spaceId}?block=${parent.id}`,
    `/skills/${spaceId}/${sop.id}`,
    "/settings?tab=tools",
  ]) {
    await open(page, path);
    await expect(page.getByText("window.hacked = 1").first()).toBeVisible();
    await expectHarmless(page, requests);
  }
});
