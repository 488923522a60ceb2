import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll } from "vitest";
import { connection } from "../api/connection";
import { toasts } from "../ui/toasts";
import { server } from "./server";

// Pages are loaded when they are opened, which takes a while on a loaded machine.
configure({
  asyncUtilTimeout: 10_000,
  getElementError: (message) => new Error(message?.split("\n\n")[0] ?? "not found"),
});

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => {
  cleanup();
  server.resetHandlers();
  localStorage.clear();
  sessionStorage.clear();
  toasts.set([]);
  connection.set({ awaySince: 0 });
  document.body.innerHTML = "";
});
afterAll(() => server.close());

// jsdom has no layout.
window.scrollTo = () => undefined;
window.matchMedia ??= ((query: string) => ({
  matches: false,
  media: query,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  addListener: () => undefined,
  removeListener: () => undefined,
  dispatchEvent: () => false,
  onchange: null,
})) as typeof window.matchMedia;
