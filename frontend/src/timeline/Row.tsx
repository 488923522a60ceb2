import Box from "@mui/material/Box";
import { memo, type ReactNode } from "react";
import type { TimelineRow } from "../api/stats";
import { gistTip } from "../charts/RunBars";
import { stackWords } from "../charts/StackedBars";
import { settings } from "../settings/settings";
import { STATUSES } from "../theme/palette";
import { exactOf, resolveZone } from "../time/format";
import { place, type Scale } from "./scale";

export const ROW = 30;
const BAR = 14;
const TOP = (ROW - BAR) / 2;

type Props = { row: TimelineRow; scale: Scale; bucket: number; now: number };

const said = (at: number) =>
  exactOf(at, resolveZone(settings.get().zone === "job" ? "local" : settings.get().zone));

/** What one job did and is about to do, on a line. Past runs are solid, those to come hollow. */
export const Row = memo(function Row({ row, scale, bucket, now }: Props) {
  const marks: ReactNode[] = [];
  const width = (ms: number) => `max(3px, ${((ms / (scale.to - scale.from)) * 100).toFixed(3)}%)`;
  const x = (at: number) => `${place(scale, at).toFixed(3)}%`;
  for (const run of row.runs) {
    const start = Date.parse(run.started_at ?? run.scheduled_for);
    const end =
      run.finished_at && run.started_at
        ? Date.parse(run.finished_at)
        : run.status === "running"
          ? now
          : start;
    marks.push(
      <rect
        key={run.id}
        data-run={run.id}
        data-tip={gistTip(run)}
        x={x(start)}
        y={TOP}
        height={BAR}
        rx={1.5}
        style={{ width: width(end - start) }}
        className={run.status}
      />,
    );
  }
  const most = Math.max(
    1,
    ...(row.run_counts ?? []).map(({ by_status }) =>
      STATUSES.reduce((sum, status) => sum + by_status[status], 0),
    ),
  );
  for (const part of row.run_counts ?? []) {
    const at = Date.parse(part.from);
    const all = STATUSES.reduce((sum, status) => sum + part.by_status[status], 0);
    const bad = part.by_status.failed + part.by_status.timed_out;
    const height = Math.max(3, (all / most) * BAR);
    const tip = `${stackWords({ from: "", to: "", label: "", by: part.by_status })}\nfrom ${said(at)}`;
    const shared = { "data-from": part.from, "data-tip": tip, x: x(at), style: { width: width(bucket) } };
    marks.push(
      <rect
        key={part.from}
        {...shared}
        y={TOP + BAR - height}
        height={height}
        className={bad === all && bad > 0 ? "failed" : "succeeded"}
      />,
    );
    if (bad > 0 && bad < all) {
      marks.push(
        <rect
          key={`${part.from}bad`}
          {...shared}
          y={TOP + BAR - Math.max(3, (bad / most) * BAR)}
          height={Math.max(3, (bad / most) * BAR)}
          className="failed"
        />,
      );
    }
  }
  for (const occurrence of row.upcoming) {
    const at = Date.parse(occurrence.due_at);
    marks.push(
      <rect
        key={occurrence.scheduled_for}
        data-job={row.job_id}
        data-tip={`${row.job_name} is due\n${said(at)}`}
        x={x(at)}
        y={TOP + 0.75}
        height={BAR - 1.5}
        rx={1.5}
        style={{ width: width(row.typical_ms ?? 0) }}
        className="upcoming"
      />,
    );
  }
  const dense = Math.max(1, ...(row.upcoming_counts ?? []).map(({ count }) => count));
  for (const part of row.upcoming_counts ?? []) {
    marks.push(
      <rect
        key={`next${part.from}`}
        data-job={row.job_id}
        data-tip={`${part.count} occurrences to come\nfrom ${said(Date.parse(part.from))}`}
        x={x(Date.parse(part.from))}
        y={TOP + 0.75}
        height={BAR - 1.5}
        style={{ width: width(bucket), fillOpacity: 0.04 + 0.14 * (part.count / dense) }}
        className="upcoming many"
      />,
    );
  }
  return (
    <Box
      component="svg"
      width="100%"
      height={ROW}
      role="img"
      aria-label={words(row)}
      sx={{ display: "block", overflow: "hidden" }}
    >
      {marks}
    </Box>
  );
});

/** The row in words. */
export function words(row: TimelineRow) {
  const counts = new Map<string, number>();
  for (const { status } of row.runs) counts.set(status, (counts.get(status) ?? 0) + 1);
  for (const { by_status } of row.run_counts ?? [])
    for (const status of STATUSES)
      if (by_status[status]) counts.set(status, (counts.get(status) ?? 0) + by_status[status]);
  const past =
    [...counts].map(([status, count]) => `${count} ${status.replace("_", " ")}`).join(", ") || "no runs";
  const next = row.upcoming.length || (row.upcoming_counts ?? []).reduce((sum, { count }) => sum + count, 0);
  return `${row.job_name}: ${past}; ${next} to come`;
}
