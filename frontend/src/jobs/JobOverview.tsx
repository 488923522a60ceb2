import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import { isReadable, type ReadableJob, usePreview, zoneOf } from "../api/jobs";
import { type Run, useRuns } from "../api/runs";
import { Backfills } from "../backfills/Backfills";
import { HistoryStrip } from "../charts/HistoryStrip";
import { Sparkline } from "../charts/Sparkline";
import { summary } from "../charts/stats";
import { Preview } from "../form/Preview";
import { reasonOf } from "../runs/words";
import { useSettings } from "../settings/settings";
import { durationOf, exactOf, resolveZone } from "../time/format";
import { Link } from "../ui/Link";
import { Failed, Lines, Panel } from "../ui/Panels";
import { STATUS_WORDS } from "../ui/Status";
import { targetLine } from "./words";

/** What will run, what ran, and how it went. */
export function JobOverview({ job }: { job: ReadableJob }) {
  const runs = useRuns({ limit: 200 }, job.id);
  const { schedule, jitter, calendars, start_at, end_at } = job;
  const preview = usePreview({ schedule, jitter, calendars, start_at, end_at, count: 10, job: job.id });
  return (
    <Box
      sx={{
        display: "grid",
        gap: 2,
        gridTemplateColumns: { lg: "minmax(0, 1fr) minmax(320px, 400px)" },
        alignItems: "start",
      }}
    >
      <Box sx={{ display: "grid", gap: 2, minWidth: 0 }}>
        {runs.data ? (
          <Record job={job} runs={runs.data.data} />
        ) : runs.error ? (
          <Failed error={runs.error} what="list" />
        ) : (
          <Lines rows={4} />
        )}
        <Backfills job={job.id} zone={zoneOf(job)} />
        <Panel title="What it calls">
          <Box component="code" sx={{ overflowWrap: "anywhere" }}>
            {targetLine(job.target)}
          </Box>
          <Policies job={job} />
        </Panel>
      </Box>
      <Panel title="When">
        {preview.data ? (
          <Preview preview={preview.data} zone={zoneOf(job)} />
        ) : preview.error ? (
          <Failed error={preview.error} what="schedule" />
        ) : (
          <Lines rows={6} />
        )}
      </Panel>
    </Box>
  );
}

function Record({ job, runs }: { job: ReadableJob; runs: Run[] }) {
  const navigate = useNavigate();
  const settings = useSettings();
  const zone = resolveZone(settings.zone, zoneOf(job));
  const { executed, rate, p50, p95, lag } = summary(runs);
  const oldestFirst = [...runs].reverse();
  const length = (run: Run) =>
    run.started_at && run.finished_at ? Date.parse(run.finished_at) - Date.parse(run.started_at) : undefined;
  const bars = oldestFirst
    .filter(({ status }) => status !== "pending")
    .map((run) => ({ id: run.id, status: run.status, at: run.scheduled_for, ms: length(run), run }));
  const lengths = bars.flatMap(({ ms }) => (ms === undefined ? [] : [ms])).slice(-60);
  return (
    <Panel title="How it went" aside={<Link to={`/jobs/${job.id}?tab=runs`}>All runs</Link>}>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: "14px 36px", mb: 2 }}>
        <Fact
          name={`Succeeded, of the last ${executed}`}
          value={rate === undefined ? "–" : `${Math.floor(rate * 1000) / 10} %`}
          tone={rate !== undefined && rate < 0.95 ? "status.failed" : undefined}
        />
        <Fact name="Took, half of them" value={p50 === undefined ? "–" : `≤ ${durationOf(p50)}`} />
        <Fact name="Took, 95 %" value={p95 === undefined ? "–" : `≤ ${durationOf(p95)}`} />
        <Fact name="Late by, 99 %" value={lag === undefined ? "–" : `≤ ${durationOf(lag)}`} />
      </Box>
      <Box
        sx={{
          display: "grid",
          gap: 2,
          gridTemplateColumns: { sm: "auto minmax(0, 1fr)" },
          alignItems: "end",
        }}
      >
        <HistoryStrip
          bars={bars}
          label={job.name}
          height={36}
          onOpen={(id) => navigate(`/runs/${id}`)}
          tip={(bar) => {
            const run = bars.find(({ id }) => id === bar.id)?.run;
            const why = run?.attempts.at(-1)?.error?.message ?? (run && reasonOf(run));
            return [
              `${STATUS_WORDS[bar.status]}${bar.ms === undefined || bar.ms === null ? "" : `, took ${durationOf(bar.ms)}`}`,
              exactOf(Date.parse(bar.at), zone),
              why,
            ]
              .filter(Boolean)
              .join("\n");
          }}
        />
        <Sparkline values={lengths} label={`How long the last ${lengths.length} runs took`} />
      </Box>
    </Panel>
  );
}

function Fact({ name, value, tone }: { name: string; value: ReactNode; tone?: string }) {
  return (
    <Box>
      <Box sx={{ fontSize: "1.125rem", fontWeight: 650, color: tone, fontVariantNumeric: "tabular-nums" }}>
        {value}
      </Box>
      <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>{name}</Box>
    </Box>
  );
}

const OVERLAP_WORDS: Record<string, string> = {
  skip: "skips what is due while it runs",
  buffer_one: "lets one occurrence wait while it runs",
  buffer_all: "lets occurrences wait their turn",
  cancel_other: "stops the run before for the new one",
  allow_all: "runs beside itself",
};

function Policies({ job }: { job: ReadableJob }) {
  if (!isReadable(job)) return null;
  const words = [
    job.retry.max_attempts === 1
      ? "One attempt"
      : `Up to ${job.retry.max_attempts} attempts, from ${job.retry.initial} apart`,
    `each within ${job.timeout}`,
    OVERLAP_WORDS[job.overlap],
    job.jitter !== "0s" && `up to ${job.jitter} of jitter`,
    job.pause_after_failures && `pauses after ${job.pause_after_failures} failures in a row`,
    job.max_runs && `${job.runs_started} of ${job.max_runs} runs started`,
  ].filter(Boolean);
  return <Box sx={{ mt: 1, fontSize: "0.8125rem", color: "text.secondary" }}>{words.join("; ")}.</Box>;
}
