// A session of 100,000 messages and a project of 100,000 sessions: `make bench-dashboard`.
//
// Time to first content stands beside the time of the RPC behind it, taken in the same browser; and
// what the page keeps in memory while it scrolls through everything stays flat.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

import type { CDPSession, Page } from "@playwright/test";
import { expect, open, test } from "./browser";
import { KEY, place } from "./system";

const TOP = join(import.meta.dirname, "../../..");
const MESSAGES = process.env["MESSAGES"] ?? "100000";
const SESSIONS = process.env["SESSIONS"] ?? "100000";
const TIMES_THE_RPC = 4;
const TRIALS = 5;
const STEPS = 200;
const FLAT = 1.2;

interface Filled {
  session_id: string;
}

let filled: Filled;

test.beforeAll(() => {
  const told = spawnSync(
    join(TOP, ".venv/bin/python"),
    ["-m", "benchmarks.fill", `127.0.0.1:${place().port}`, KEY, MESSAGES, SESSIONS],
    { cwd: TOP, encoding: "utf8" },
  );
  if (told.status !== 0) throw new Error(told.stdout + told.stderr);
  filled = JSON.parse(told.stdout) as Filled;
});

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Open a page anew some times; give how long its content and the slowest RPC before it took. */
async function measure(page: Page, path: string, rpc: string, content: string) {
  const contents: number[] = [];
  const rpcs: number[] = [];
  for (let trial = 0; trial < TRIALS; trial += 1) {
    await open(page, "/settings?tab=system");
    await expect(page.getByText("Where programs go")).toBeVisible();
    // Whoever has read a page has the code of the others.
    await page.waitForLoadState("networkidle");
    // Within the page, as a person goes: the address changes and the router draws.
    const took = await page.evaluate(
      async ([to, selector]) => {
        performance.clearResourceTimings();
        const began = performance.now();
        history.pushState({}, "", to);
        while (!document.querySelector(selector as string)) {
          await new Promise((resolve) => requestAnimationFrame(resolve));
        }
        return performance.now() - began;
      },
      [path, content],
    );
    contents.push(took);
    rpcs.push(
      await page.evaluate(
        (name) =>
          Math.max(
            ...performance
              .getEntriesByType("resource")
              .filter((entry) => entry.name.endsWith(name))
              .map((entry) => entry.duration),
          ),
        rpc,
      ),
    );
  }
  return { content: median(contents), rpc: median(rpcs) };
}

function report(name: string, took: { content: number; rpc: number }): void {
  const ratio = took.content / took.rpc;
  console.log(
    `${name}: first content ${took.content.toFixed(0)} ms, RPC ${took.rpc.toFixed(0)} ms, ratio ${ratio.toFixed(2)} (at most ${TIMES_THE_RPC})`,
  );
}

test("a project of many sessions shows its table soon", async ({ signedIn: page }) => {
  const took = await measure(page, "/sessions", "/ListSessions", "tbody tr");
  report(`table of ${SESSIONS} sessions`, took);
  expect(took.content).toBeLessThanOrEqual(TIMES_THE_RPC * took.rpc);
});

test("a session of many messages shows its end soon, and scrolls flat", async ({
  signedIn: page,
}) => {
  const path = `/sessions/${filled.session_id}`;
  const took = await measure(page, path, "/ListMessages", ".message .prose");
  report(`session of ${MESSAGES} messages`, took);
  const client = await page.context().newCDPSession(page);
  await scroll(page, STEPS);
  const before = await heap(client);
  await scroll(page, STEPS);
  const after = await heap(client);
  console.log(`memory after ${STEPS} jumps ${mb(before)} MB, after ${2 * STEPS} ${mb(after)} MB`);
  expect(after).toBeLessThan(before * FLAT);
  expect(took.content).toBeLessThanOrEqual(TIMES_THE_RPC * took.rpc);
});

const mb = (bytes: number) => (bytes / 1e6).toFixed(1);

async function heap(client: CDPSession): Promise<number> {
  await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = await client.send("Runtime.getHeapUsage");
  return usedSize;
}

async function scroll(page: Page, steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await page.locator(".conversation").evaluate((element, part) => {
      element.scrollTop = element.scrollHeight * part;
    }, step / steps);
    await expect(page.locator(".message:not(.absent)").first()).toBeVisible();
  }
}
