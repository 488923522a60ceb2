// How what is shown keeps up with what happens.

import { settings } from "../settings/settings";

/** Milliseconds between two looks, `false` while paused. Queries stop by themselves while the page is hidden. */
export function refreshed(): number | false {
  const seconds = settings.get().refresh;
  return seconds > 0 ? seconds * 1000 : false;
}
