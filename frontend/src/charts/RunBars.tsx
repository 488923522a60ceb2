import type { Schemas } from "../api/client";
import { isReadable, type Job, zoneOf } from "../api/jobs";
import { reasonOf } from "../runs/words";
import { settings } from "../settings/settings";
import { countOf, durationOf, exactOf, resolveZone } from "../time/format";
import { STATUS_WORDS } from "../ui/Status";
import { HistoryStrip } from "./HistoryStrip";

type Gist = Schemas["RunGist"];

export function gistLength({ started_at, finished_at }: Pick<Gist, "started_at" | "finished_at">) {
  return started_at && finished_at
    ? Math.max(0, Date.parse(finished_at) - Date.parse(started_at))
    : undefined;
}

/** How a run went, in the lines of a tooltip. */
export function gistTip(run: Gist, jobZone?: string) {
  const length = gistLength(run);
  const zone = resolveZone(settings.get().zone, jobZone);
  return [
    `${STATUS_WORDS[run.status]}${length === undefined ? "" : `, took ${durationOf(length)}`}`,
    exactOf(Date.parse(run.scheduled_for), zone),
    run.count > 1 ? `stands for ${countOf(run.count)} occurrences` : undefined,
    run.reason ? reasonOf(run) : undefined,
  ]
    .filter(Boolean)
    .join("\n");
}

/** The latest runs of a job in a list. */
export function RunBars({ job, onOpen }: { job: Job; onOpen: (id: string) => void }) {
  if (!isReadable(job) || !job.history) return null;
  // The API lists the newest first.
  const runs = [...job.history].reverse();
  const bars = runs.map((run) => ({
    id: run.id,
    status: run.status,
    at: run.scheduled_for,
    ms: gistLength(run),
    run,
  }));
  return (
    <HistoryStrip
      bars={bars}
      label={job.name}
      onOpen={onOpen}
      tip={(bar) => gistTip((bar as (typeof bars)[number]).run, zoneOf(job))}
    />
  );
}
