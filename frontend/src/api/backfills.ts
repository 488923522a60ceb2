// Questions and requests about backfills: a stretch of the past, carried out a few runs at a time.

import { useQuery } from "@tanstack/react-query";
import { call, client, newKey, type Schemas } from "./client";
import { refreshed } from "./live";

export type Backfill = Schemas["Backfill"];
export type BackfillOrder = Schemas["BackfillOrder"];
export type BackfillSurvey = Schemas["BackfillSurvey"];

/** What the service carries out of one request, at most. */
export const MOST_RUNS = 10_000;

/** The latest backfills of a job, newest first. One that goes on is looked at closely. */
export function useBackfills(job: string) {
  return useQuery({
    queryKey: ["backfills", job],
    queryFn: ({ signal }) =>
      call(
        client.GET("/api/v1/jobs/{id}/backfills", {
          params: { path: { id: job }, query: { limit: 10 } },
          signal,
        }),
      ),
    refetchInterval: (query) => {
      const every = refreshed();
      const running = query.state.data?.data.some(({ state }) => state === "running");
      return every && running ? Math.min(every, 1000) : every;
    },
  });
}

/** What a backfill would come to; nothing is done. */
export function useSurvey(job: string, order: BackfillOrder | undefined) {
  return useQuery({
    queryKey: ["survey", job, order],
    enabled: order !== undefined,
    queryFn: async ({ signal }) =>
      (await call(
        client.POST("/api/v1/jobs/{id}/backfill", {
          params: { path: { id: job }, query: { dry_run: true } },
          body: order as BackfillOrder,
          signal,
        }),
      )) as BackfillSurvey,
    retry: false,
    staleTime: 10_000,
  });
}

export const requests = {
  start: async (job: string, body: BackfillOrder) =>
    (await call(
      client.POST("/api/v1/jobs/{id}/backfill", {
        params: { path: { id: job }, header: { "Idempotency-Key": newKey() } },
        body,
      }),
    )) as Backfill,
  cancel: (id: string) =>
    call(
      client.POST("/api/v1/backfills/{id}/cancel", {
        params: { path: { id }, header: { "Idempotency-Key": newKey() } },
      }),
    ),
};

/** How many of its runs are over. */
export function overOf({ runs }: Pick<Backfill, "runs">) {
  return runs.succeeded + runs.failed + runs.timed_out + runs.cancelled + runs.skipped;
}
