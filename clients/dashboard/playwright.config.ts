// Journeys in a real browser against a real embedded system, which global setup starts.

import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  globalSetup: "./tests/start.ts",
  workers: 1,
  projects: [
    { name: "journeys", testMatch: "*.spec.ts" },
    { name: "bench", testMatch: "*.bench.ts", timeout: 1_800_000 },
    { name: "outside", testMatch: "*.outside.ts" },
    { name: "pictures", testMatch: "*.pictures.ts" },
  ],
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  outputDir: "../../build/dashboard-tests",
  use: {
    viewport: { width: 1280, height: 860 },
    // Dates and zones as the checks expect them, whatever the machine says.
    locale: "en-GB",
    timezoneId: "UTC",
    permissions: ["clipboard-read", "clipboard-write"],
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
