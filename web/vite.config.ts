import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.AB_DEV_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // The page's policy has no data: for fonts, so nothing is inlined into the stylesheets.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(["/api", "/download", "/healthz"].map((path) => [path, server])),
  },
  test: {
    environment: "happy-dom",
    setupFiles: ["src/test-setup.ts"],
    css: false,
  },
});
