// From what a wall clock shows back to the instant. Only for fields in which people type a date and a time; what a
// schedule means is the service's business.

import { dateOf, timeOf } from "./format";

/** `2026-11-24T14:05:09`, on the wall of a zone; what `datetime-local` fields take. */
export function wallOf(at: number, zone: string) {
  return `${dateOf(at, zone)}T${timeOf(at, zone, { seconds: true })}`;
}

/**
 * The instant at which the clock of a zone shows `wall`: the first one where it is shown twice, the one after the jump
 * where it is never shown. `undefined` where it is no date and time.
 */
export function instantOf(wall: string, zone: string): number | undefined {
  const asUtc = Date.parse(`${wall}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  const offsetAt = (at: number) => Date.parse(`${wallOf(at, zone)}Z`) - Math.floor(at / 1000) * 1000;
  const day = 86_400_000;
  const [before, after] = [offsetAt(asUtc - day), offsetAt(asUtc + day)];
  const candidates = [asUtc - before, asUtc - after].sort((a, b) => a - b);
  const shown = candidates.find((at) => offsetAt(at) === asUtc - at);
  return shown ?? asUtc - before;
}
