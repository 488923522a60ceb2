import { LOCAL_ZONE, offsetOf } from "./format";

let known: string[] | undefined;

/** Every zone of this browser, its own first, then UTC. */
export function allZones(): string[] {
  if (!known) {
    const listed = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
    known = [...new Set([LOCAL_ZONE, "UTC", ...listed])];
  }
  return known;
}

/** Zones whose name holds every word that was typed; offsets count as names, too: `+05:45`. */
export function searchZones(typed: string, limit = 50): string[] {
  const words = typed.toLowerCase().replaceAll("_", " ").split(/\s+/).filter(Boolean);
  const found: string[] = [];
  const now = Date.now();
  for (const zone of allZones()) {
    const name = zone.toLowerCase().replaceAll("_", " ");
    if (words.every((word) => name.includes(word) || offsetOf(now, zone).startsWith(word))) found.push(zone);
    if (found.length === limit) break;
  }
  return found;
}
