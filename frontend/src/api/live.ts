// How what is shown keeps up with what happens.

import { settings } from "../settings/settings";
import { createStore } from "../ui/store";

/** Whether what happens is told as it happens. */
export const stream = createStore<{ live: boolean }>({ live: false });

/** While changes are told as they happen, looking is for what nobody tells. */
const SLOWLY = 30_000;

/** Milliseconds between two looks, `false` while paused. Queries stop by themselves while the page is hidden. */
export function refreshed(): number | false {
  const seconds = settings.get().refresh;
  if (seconds <= 0) return false;
  return stream.get().live ? Math.max(seconds * 1000, SLOWLY) : seconds * 1000;
}

/** The same for what goes on and is looked at closely: how far a target has come is not told. */
export function closely(): number | false {
  const seconds = settings.get().refresh;
  return seconds > 0 && Math.min(seconds * 1000, stream.get().live ? 5_000 : 1_000);
}
