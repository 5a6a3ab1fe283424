// A signed-in page that fails its test when the browser complains.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test as plain } from "@playwright/test";

import { dashboard, KEY } from "./system";

const BY_BROWSER = /Failed to load resource|net::ERR/;

/** Complaints of the browser that a test brings about on purpose, such as a gateway that is gone. */
interface Options {
  allowed: RegExp | undefined;
}

export const test = plain.extend<Options & { signedIn: Page }>({
  allowed: [undefined, { option: true }],
  signedIn: async ({ page, allowed }, use) => {
    const complaints = listen(page);
    await signIn(page);
    await use(page);
    const unexpected = complaints.filter((one) => !allowed?.test(one));
    expect(unexpected, "what the browser complained about").toEqual([]);
  },
});

export const whileTheGatewayIsGone = BY_BROWSER;

export function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

export async function signIn(page: Page, key = KEY): Promise<void> {
  await page.goto(dashboard());
  await page.getByLabel("Key of a project").fill(key);
  await page.getByRole("button", { name: "Open the project" }).click();
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
}

/** Go within the tab, which keeps the key. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(dashboard() + path);
}

export async function expectAccessible(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const told = found.violations.map(
    (one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`,
  );
  expect(told, `what axe found on ${page.url()}`).toEqual([]);
}

/** Nothing may stand beyond the edge but what scrolls in a box of its own. */
export async function expectNoSideways(page: Page): Promise<void> {
  const beyond = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(beyond, `pixels beyond the edge of ${page.url()}`).toBeLessThanOrEqual(0);
}

export { expect };
