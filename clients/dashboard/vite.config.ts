// Builds the dashboard into the server's package; `npm run dev` serves it beside a running Acontext.

import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = process.env["ACONTEXT_URL"] ?? "http://127.0.0.1:3000";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: { "@gen": fileURLToPath(new URL("../typescript/src/gen", import.meta.url)) },
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
