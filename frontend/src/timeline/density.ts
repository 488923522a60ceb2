import type { TimelineRow } from "../api/stats";
import type { Scale } from "./scale";

export type Cell = { from: number; jobs: number; occurrences: number };

/** How many of the jobs are due in each part of what is to come: where the load will be. */
export function density(rows: TimelineRow[], scale: Scale, now: number, parts: number): Cell[] {
  const length = (scale.to - scale.from) / parts;
  const cells: { jobs: Set<string>; occurrences: number }[] = Array.from({ length: parts }, () => ({
    jobs: new Set(),
    occurrences: 0,
  }));
  const add = (row: TimelineRow, at: number, count: number) => {
    const cell = cells[Math.floor((at - scale.from) / length)];
    if (!cell || at < now) return;
    cell.jobs.add(row.job_id);
    cell.occurrences += count;
  };
  for (const row of rows) {
    for (const { due_at } of row.upcoming) add(row, Date.parse(due_at), 1);
    for (const { from, count } of row.upcoming_counts ?? []) add(row, Math.max(now, Date.parse(from)), count);
  }
  return cells.map(({ jobs, occurrences }, index) => ({
    from: scale.from + index * length,
    jobs: jobs.size,
    occurrences,
  }));
}
