// From instants to places on a line, and the ticks of its axis.

import { dayOf, offsetOf, timeOf } from "../time/format";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const SPANS = { "1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY } as const;
export type Span = keyof typeof SPANS;

const STEPS = [5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY];

export type Scale = { from: number; to: number };

/** Where an instant is, in percent of the width. */
export const place = ({ from, to }: Scale, at: number) => ((at - from) / (to - from)) * 100;

function offsetMs(at: number, zone: string) {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(offsetOf(at, zone)) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE);
}

/** Round times on the wall of a zone, about `count` of them. */
export function ticks(
  scale: Scale,
  zone: string,
  count: number,
  hour12 = false,
): { at: number; label: string }[] {
  const step = STEPS.find((it) => (scale.to - scale.from) / it <= count) ?? DAY;
  const found: { at: number; label: string }[] = [];
  const offset = offsetMs(scale.from, zone);
  for (let wall = Math.ceil((scale.from + offset) / step) * step; ; wall += step) {
    // The offset at the tick itself, so that ticks after a change of the clocks are round, too.
    const at = wall - offsetMs(wall - offset, zone);
    if (at >= scale.to || found.length > 60) return found;
    if (at < scale.from) continue;
    const time = timeOf(at, zone, { hour12 });
    const midnight = timeOf(at, zone) === "00:00";
    found.push({ at, label: step === DAY || midnight ? dayOf(at, zone, at) : time });
  }
}

/** The part of the past and the future that is shown, in steps of it, so that it is not asked for anew each second. */
export function frame(now: number, span: Span, moved: number): Scale {
  const length = SPANS[span];
  const step = length / 120;
  const from = Math.floor((now - length / 2) / step) * step + moved * (length / 4);
  return { from, to: from + length };
}
