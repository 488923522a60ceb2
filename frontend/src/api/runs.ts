// Questions and requests about runs.

import { useQuery } from "@tanstack/react-query";
import { call, client, newKey, type Schemas } from "./client";
import { closely, refreshed } from "./live";

export type Run = Schemas["Run"];
export type RunStatus = Schemas["RunStatus"];
export type RunKind = Schemas["RunKind"];
export type Attempt = Schemas["Attempt"];
export type RunFilter = {
  status?: RunStatus[];
  kind?: RunKind[];
  job?: string;
  from?: string;
  to?: string;
  sort?: "scheduled_for" | "-scheduled_for";
  cursor?: string;
  limit?: number;
};

/** Runs of all jobs, or of one. */
export function useRuns(filter: RunFilter, job?: string, options: { enabled?: boolean } = {}) {
  return useQuery({
    queryKey: ["runs", job ?? null, filter],
    enabled: options.enabled ?? true,
    queryFn: ({ signal }) =>
      job
        ? call(client.GET("/api/v1/jobs/{id}/runs", { params: { path: { id: job }, query: filter }, signal }))
        : call(client.GET("/api/v1/runs", { params: { query: filter }, signal })),
    placeholderData: (before) => before,
    refetchInterval: refreshed,
  });
}

export const isOver = (run: Pick<Run, "status">) => run.status !== "pending" && run.status !== "running";

export function useRun(id: string) {
  return useQuery({
    queryKey: ["run", id],
    queryFn: ({ signal }) => call(client.GET("/api/v1/runs/{id}", { params: { path: { id } }, signal })),
    // A run that goes on is looked at closely; one that is over changes only when somebody retries it.
    refetchInterval: ({ state: { data } }) => (data && !isOver(data) ? closely() : refreshed()),
  });
}

const post = () => ({ "Idempotency-Key": newKey() });

export const requests = {
  cancel: (id: string) =>
    call(client.POST("/api/v1/runs/{id}/cancel", { params: { path: { id }, header: post() } })),
  bulk: (body: Schemas["BulkRunsRequest"]) =>
    call(client.POST("/api/v1/runs/bulk", { params: { header: post() }, body })),
  retry: (id: string) =>
    call(client.POST("/api/v1/runs/{id}/retry", { params: { path: { id }, header: post() } })),
};

/** How long it ran, in milliseconds: its attempts and the waits between them. */
export function lengthOf(run: Run, now: number): number | undefined {
  if (!run.started_at) return undefined;
  const start = Date.parse(run.started_at);
  if (run.status === "pending") return undefined;
  return Math.max(0, (run.finished_at ? Date.parse(run.finished_at) : now) - start);
}
