// Builds the dashboard into the server's package; `npm run dev` serves it beside a running Acontext.

import { fileURLToPath } from "node:url";

import locales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = process.env["ACONTEXT_URL"] ?? "http://127.0.0.1:3000";
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // The pages speak English, so the words of their controls do.
  plugins: [react(), locales.vite({ locales: ["en-US"] })],
  resolve: {
    alias: [
      { find: "@gen", replacement: here("../typescript/src/gen") },
      // The services check what is asked of them; the browser needs none of their rules.
      {
        find: /^(\.\.\/)+buf\/validate\/validate_pb\.js$/,
        replacement: here("src/api/no-rules.ts"),
      },
    ],
    // The stubs stand outside this folder and have to share our runtime.
    dedupe: ["@bufbuild/protobuf"],
  },
  build: {
    outDir: "../../services/acontext_server/gateway/dashboard",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(
      ["^/acontext\\.", "/api/", "/blobs/", "/dashboard.json"].map((path) => [path, gateway]),
    ),
    fs: { allow: ["..", "../typescript/src/gen"] },
  },
  test: {
    environment: "jsdom",
    // Testing Library cleans up after each test by the global afterEach.
    globals: true,
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
