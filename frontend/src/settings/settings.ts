// What a person prefers, kept in this browser.

import { createStore, useStore } from "../ui/store";

export type Settings = {
  /** `local`, `utc`, `job` (each job's own zone) or an IANA name. */
  zone: string;
  hour12: boolean;
  density: "compact" | "roomy";
  reducedMotion: boolean;
  shortcuts: boolean;
  /** Seconds between looks; 0 while paused. */
  refresh: number;
  views: { name: string; search: string }[];
};

const KEY = "scheduler.settings";
const DEFAULTS: Settings = {
  zone: "local",
  hour12: false,
  density: "compact",
  reducedMotion: false,
  shortcuts: true,
  refresh: 5,
  views: [],
};

function load(): Settings {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { ...DEFAULTS, ...(typeof stored === "object" ? stored : {}) };
  } catch {
    return DEFAULTS;
  }
}

export const settings = createStore<Settings>(load());

export function useSettings() {
  return useStore(settings);
}

export function change(part: Partial<Settings>) {
  settings.set((before) => ({ ...before, ...part }));
  try {
    localStorage.setItem(KEY, JSON.stringify(settings.get()));
  } catch {
    // Storage may be full or forbidden; the choice then lasts as long as the page.
  }
}

// Another tab of the same browser changed something.
if (typeof window !== "undefined") {
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) settings.set(load());
  });
}
