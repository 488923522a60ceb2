// Parts of the page that are loaded when they are first shown, and what happens where they cannot be.

import { type ComponentType, lazy as reactLazy } from "react";
import { silence } from "../api/connection";
import { createStore } from "../ui/store";

const AGAIN_AFTER = 2000;
/** Two reloads within so much time are a circle. */
const CIRCLE = 30_000;
const KEY = "scheduler.reloaded";

/** How many parts are on their way. */
export const underway = createStore(0);

/**
 * React's `lazy`, but patient: while the service is away it is tried again until it is back. Where the service is there
 * and the file is not, a newer version was installed meanwhile: the page is loaded anew, once.
 */
// biome-ignore lint/suspicious/noExplicitAny: as in React's own `lazy`
export function lazy<T extends ComponentType<any>>(load: () => Promise<{ default: T }>) {
  return reactLazy(async () => {
    // React asks in the middle of drawing, when nothing else may be drawn anew.
    await Promise.resolve();
    underway.set((count) => count + 1);
    try {
      return await patiently(load);
    } finally {
      underway.set((count) => count - 1);
    }
  });
}

export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load();
    } catch (error) {
      if (await answers()) {
        if (!reload()) throw error;
        return new Promise(() => undefined); // the page is on its way out
      }
      silence();
      await new Promise((done) => setTimeout(done, AGAIN_AFTER));
    }
  }
}

async function answers() {
  try {
    return (await fetch("/healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function reload() {
  const now = Date.now();
  try {
    if (now - Number(sessionStorage.getItem(KEY)) < CIRCLE) return false;
    sessionStorage.setItem(KEY, String(now));
  } catch {
    return false; // without a memory it could go on forever
  }
  location.reload();
  return true;
}
