// Small statistics over the runs at hand.

import type { Run } from "../api/runs";

/** The value below which a share of all lies (nearest rank); `undefined` of nothing. */
export function percentile(values: number[], share: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Of the runs that were executed and are over: how many succeeded, and how long they took. */
export function summary(runs: Run[]) {
  const over = runs.filter(
    ({ status }) => status === "succeeded" || status === "failed" || status === "timed_out",
  );
  const lengths = over.flatMap(({ started_at, finished_at }) =>
    started_at && finished_at ? [Math.max(0, Date.parse(finished_at) - Date.parse(started_at))] : [],
  );
  // A backfill is of the past: how long ago that was is no lateness.
  const lags = runs.flatMap(({ lag_ms, kind }) =>
    typeof lag_ms === "number" && kind !== "backfill" ? [lag_ms] : [],
  );
  const good = over.filter(({ status }) => status === "succeeded").length;
  return {
    executed: over.length,
    rate: over.length > 0 ? good / over.length : undefined,
    p50: percentile(lengths, 0.5),
    p95: percentile(lengths, 0.95),
    lag: percentile(lags, 0.99),
  };
}
