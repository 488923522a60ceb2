import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import type { Stats } from "../api/stats";
import { countOf, durationOf } from "../time/format";
import { Link } from "../ui/Link";

const percent = (share: number) => `${Math.floor(share * 1000) / 10} %`;
const range = ({ from, to }: Stats) => `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;

/** Four numbers; each leads to what explains it. */
export function Numbers({ stats, earlier }: { stats: Stats; earlier?: Stats }) {
  const { success_rate: rate, lateness, jobs, runs } = stats;
  const was = earlier?.success_rate;
  const points =
    typeof rate === "number" && typeof was === "number" ? Math.round((rate - was) * 1000) / 10 : undefined;
  const late = lateness && earlier?.lateness ? lateness.p99_ms - earlier.lateness.p99_ms : undefined;
  const more =
    earlier && earlier.runs.total > 0
      ? Math.round(((runs.total - earlier.runs.total) / earlier.runs.total) * 100)
      : undefined;
  const bad = runs.by_status.failed + runs.by_status.timed_out;
  return (
    <Box
      sx={{
        display: "grid",
        gap: { xs: 1, sm: 2 },
        gridTemplateColumns: { xs: "1fr 1fr", md: "repeat(4, 1fr)" },
      }}
    >
      <Figure
        to={`/runs?status=failed,timed_out&${range(stats)}`}
        name="Succeeded"
        value={typeof rate === "number" ? percent(rate) : "–"}
        note={
          points
            ? `${points > 0 ? "+" : "−"}${Math.abs(points)} points`
            : bad
              ? `${countOf(bad)} did not`
              : "all of them"
        }
        tone={typeof rate === "number" && rate < 0.95 ? "status.failed" : undefined}
      />
      <Figure
        to={`/runs?${range(stats)}`}
        name="Runs"
        value={countOf(runs.total)}
        note={more ? `${more > 0 ? "+" : "−"}${countOf(Math.abs(more))} %` : notExecuted(stats)}
      />
      <Figure
        to="/timeline"
        name="Late by, 99 %"
        value={lateness ? `≤ ${durationOf(lateness.p99_ms)}` : "–"}
        note={
          late
            ? `${late > 0 ? "+" : "−"}${durationOf(Math.abs(late))}`
            : lateness
              ? `half ≤ ${durationOf(lateness.p50_ms)}`
              : ""
        }
        tone={lateness && lateness.p99_ms > 5000 ? "status.timed_out" : undefined}
      />
      <Figure
        to="/jobs?state=active"
        name="Active jobs"
        value={countOf(jobs.active)}
        note={jobs.paused ? `${countOf(jobs.paused)} paused` : `of ${countOf(jobs.total)}`}
      />
    </Box>
  );
}

function notExecuted({ not_executed }: Stats) {
  const count = not_executed.reduce((sum, { occurrences }) => sum + occurrences, 0);
  return count > 0 ? `${countOf(count)} not executed` : "every occurrence executed";
}

function Figure(props: { to: string; name: string; value: ReactNode; note?: ReactNode; tone?: string }) {
  return (
    <Link
      to={props.to}
      color="inherit"
      underline="none"
      sx={{
        display: "block",
        p: { xs: 1.5, sm: 2 },
        bgcolor: "background.paper",
        border: 1,
        borderColor: "line",
        borderRadius: 1.5,
        "&:hover": { borderColor: "lineStrong" },
      }}
    >
      <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>{props.name}</Box>
      <Box
        sx={{
          fontSize: { xs: "1.25rem", sm: "1.625rem" },
          fontWeight: 650,
          letterSpacing: "-0.02em",
          lineHeight: 1.35,
          color: props.tone,
          fontVariantNumeric: "tabular-nums",
        }}
      >
        {props.value}
      </Box>
      <Box sx={{ fontSize: "0.75rem", color: "text.secondary", minHeight: 18 }}>{props.note}</Box>
    </Link>
  );
}
