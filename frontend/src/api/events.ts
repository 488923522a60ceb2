// The stream of what happens: it says which answers are out of date, and they are asked for again. While it cannot be
// had, pages look every few seconds instead.

import type { Query, QueryClient } from "@tanstack/react-query";
import { settings } from "../settings/settings";
import type { Schemas } from "./client";
import { lookAgain } from "./jobs";
import { stream } from "./live";

export type Told = Schemas["Event"];

/** However much happens, an answer is asked for again no more often. */
const PACE = 1_000;
/** Numbers are dear to compute. */
const STATS_PACE = 10_000;
/** More than this is as good as everything. */
const MANY = 300;
/** A service that refused the stream is asked for it again after so long. */
const AGAIN = 60_000;

const TYPES = [
  "job.created",
  "job.updated",
  "job.deleted",
  "run.created",
  "run.started",
  "run.finished",
  "run.changed",
] as const satisfies readonly Told["type"][];

/** What was told and nobody has looked at yet. */
type News = { jobs: Set<string>; runs: Set<string>; stats: boolean };

const nothing = (): News => ({ jobs: new Set(), runs: new Set(), stats: false });

/** Whether an answer may be another one by now. */
function concerned({ queryKey: [kind, key], state }: Query, { jobs, runs }: News) {
  const all = jobs.size > MANY || runs.size > MANY;
  switch (kind) {
    case "jobs":
    case "timeline":
      return jobs.size > 0;
    case "job":
      return jobs.size > 0 && (all || jobs.has((state.data as { id?: string } | undefined)?.id ?? ""));
    case "runs": {
      // Of all jobs, or of one that is named by its id or otherwise.
      const of = typeof key === "string" && key.startsWith("job_") ? key : undefined;
      return runs.size > 0 && (all || !of || jobs.has(of));
    }
    case "run":
      return runs.size > 0 && (all || runs.has(String(key)));
    default:
      return false;
  }
}

/** Follows what happens, while the page is seen and nobody has paused it; returns how to stop. */
export function follow(queries: QueryClient): () => void {
  let source: EventSource | undefined;
  let news = nothing();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let looked = 0;
  let lookedAtStats = 0;
  let missed = false;

  const look = () => {
    timer = undefined;
    const now = Date.now();
    const told = news;
    news = nothing();
    looked = now;
    void queries.invalidateQueries({ predicate: (query) => concerned(query, told) });
    if (told.stats && now - lookedAtStats >= STATS_PACE) {
      lookedAtStats = now;
      void queries.invalidateQueries({ queryKey: ["stats"] });
    } else if (told.stats) {
      news.stats = true;
      plan(lookedAtStats + STATS_PACE);
    }
  };
  const plan = (at: number) => {
    timer ??= setTimeout(look, Math.max(0, at - Date.now()));
  };
  const hear = (event: MessageEvent<string>) => {
    const told = JSON.parse(event.data) as Told;
    news.jobs.add(told.job_id);
    if (told.run_id) news.runs.add(told.run_id);
    news.stats = true;
    // One that waits for the numbers' turn only is too late for this.
    clearTimeout(timer);
    timer = undefined;
    plan(looked + PACE);
  };

  const close = () => {
    clearTimeout(retry);
    retry = undefined;
    source?.close();
    source = undefined;
    stream.set({ live: false });
  };
  const open = () => {
    const opened = new EventSource("/api/v1/events");
    source = opened;
    for (const type of TYPES) opened.addEventListener(type, hear);
    opened.addEventListener("reset", () => lookAgain(queries));
    opened.addEventListener("open", () => {
      stream.set({ live: true });
      // What happened since the last stream ended, nobody has told. A browser that only asked again was told.
      if (missed) lookAgain(queries);
      missed = false;
    });
    opened.addEventListener("error", () => {
      const was = stream.get().live;
      stream.set({ live: false });
      if (opened.readyState === EventSource.CLOSED) {
        missed = true;
        source = undefined;
        retry ??= setTimeout(keep, AGAIN);
      }
      if (was) lookAgain(queries);
    });
  };
  const keep = () => {
    retry = undefined;
    const wanted = typeof EventSource !== "undefined" && settings.get().refresh > 0 && !document.hidden;
    if (wanted && !source) open();
    if (!wanted && source) {
      missed = true;
      close();
    }
  };

  const stopWatching = settings.watch(keep);
  document.addEventListener("visibilitychange", keep);
  keep();
  return () => {
    stopWatching();
    document.removeEventListener("visibilitychange", keep);
    clearTimeout(timer);
    close();
  };
}
