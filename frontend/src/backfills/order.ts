// What the dialog holds, and what it asks for.

import type { BackfillOrder } from "../api/backfills";
import { parseExact } from "../api/exact";
import { instantOf, wallOf } from "../time/wall";

export type Asked = { from: string; to: string; overlap: "buffer_all" | "allow_all"; body: string };

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const STRETCHES = ["Last hour", "Today so far", "Yesterday", "Last 7 days", "Last 30 days"] as const;
export type Stretch = (typeof STRETCHES)[number];

/** From when to when, as a wall clock in `zone` shows it; the end is never in the future, by the service's clock. */
export function stretchOf(stretch: Stretch, now: number, zone: string): Pick<Asked, "from" | "to"> {
  // A second or two is what two clocks may disagree by and nobody notices.
  const end = Math.floor((now - 2000) / 60_000) * 60_000;
  const midnight = (at: number) => `${wallOf(at, zone).slice(0, 10)}T00:00`;
  const wall = (at: number) => wallOf(at, zone).slice(0, 16);
  switch (stretch) {
    case "Last hour":
      return { from: wall(end - HOUR), to: wall(end) };
    case "Today so far":
      return { from: midnight(end), to: wall(end) };
    case "Yesterday": {
      // Half a day before midnight is yesterday, however long that day was.
      const today = instantOf(midnight(end), zone) ?? end;
      return { from: midnight(today - DAY / 2), to: midnight(end) };
    }
    case "Last 7 days":
      return { from: wall(end - 7 * DAY), to: wall(end) };
    case "Last 30 days":
      return { from: wall(end - 30 * DAY), to: wall(end) };
  }
}

/** What is asked of the service; `undefined` until both ends are there. Other text than an object is the service's to refuse. */
export function orderOf({ from, to, overlap, body }: Asked, zone: string): BackfillOrder | undefined {
  const [start, end] = [instantOf(from, zone), instantOf(to, zone)];
  if (start === undefined || end === undefined) return undefined;
  let payload: unknown;
  if (body.trim()) {
    try {
      payload = parseExact(body);
    } catch {
      payload = body;
    }
  }
  return {
    from: new Date(start).toISOString(),
    to: new Date(end).toISOString(),
    overlap,
    ...(payload !== undefined && { payload: payload as BackfillOrder["payload"] }),
  };
}
