import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// In development the API is a service that runs beside it; the built UI is served by the service itself.
const service = process.env.SCHEDULER_URL ?? "http://127.0.0.1:8000";
const served = ["/api", "/docs", "/echo", "/healthz", "/readyz", "/version", "/metrics", "/openapi.json"];

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    manifest: true,
    // Small files would become data: URLs, which the content security policy does not admit.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(served.map((path) => [path, { target: service }])) },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    // Lists of hundreds of zones are slow in jsdom on a loaded machine.
    testTimeout: 30_000,
    restoreMocks: true,
    pool: "threads",
  },
});
