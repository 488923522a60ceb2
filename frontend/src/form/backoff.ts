// The waits between attempts, for a look before a policy is saved.

import type { Form } from "./state";

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h30m` in milliseconds; `undefined` where it is no duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(\d+(ms|[smhd]))+$/.test(trimmed)) return undefined;
  let sum = 0;
  for (const [, count, unit] of trimmed.matchAll(/(\d+)(ms|[smhd])/g))
    sum += Number(count) * (UNITS[unit ?? ""] ?? 0);
  return sum;
}

/** Each wait is `factor` times the one before, up to `max`; `undefined` while the fields make no sense. */
export function backoff({ max_attempts, initial, factor, max }: Form["retry"]): number[] | undefined {
  const [first, most] = [parseDuration(initial), parseDuration(max)];
  const [attempts, times] = [Number(max_attempts), Number(factor)];
  if (
    first === undefined ||
    most === undefined ||
    !Number.isInteger(attempts) ||
    attempts < 1 ||
    attempts > 100
  )
    return undefined;
  if (!(times >= 1)) return undefined;
  return Array.from({ length: attempts - 1 }, (_, index) => Math.min(most, first * times ** index));
}
