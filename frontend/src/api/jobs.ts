// Questions and requests about jobs.

import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, client, etag, newKey, type Schemas } from "./client";
import { refreshed } from "./live";

export type Job = Schemas["Job"];
export type ReadableJob = Schemas["ReadableJob"];
export type UnreadableJob = Schemas["UnreadableJob"];
export type JobDraft = Schemas["JobDraft"];
export type JobState = Schemas["JobState"];
export type Schedule = Schemas["Schedule"];
export type Target = Schemas["Target"];
export type PreviewRequest = Schemas["PreviewRequest"];
export type SchedulePreview = Schemas["SchedulePreview"];

export type JobSort = "created_at" | "-created_at" | "name" | "-name" | "next_fire_at" | "-next_fire_at";
export type JobFilter = {
  q?: string;
  state?: JobState[];
  label?: string[];
  sort?: JobSort;
  cursor?: string;
  limit?: number;
  include?: "history"[];
};

export function isReadable(job: Job): job is ReadableJob {
  return "schedule" in job;
}

/** The zone a job's schedule is written in. */
export function zoneOf(job: Job | undefined): string | undefined {
  return job && isReadable(job) && job.schedule.type !== "interval"
    ? (job.schedule.timezone ?? undefined)
    : undefined;
}

export function useJobs(filter: JobFilter) {
  return useQuery({
    queryKey: ["jobs", filter],
    queryFn: ({ signal }) => call(client.GET("/api/v1/jobs", { params: { query: filter }, signal })),
    placeholderData: (before) => before,
    refetchInterval: refreshed,
  });
}

export function useJob(id: string, options: { live?: boolean } = {}) {
  return useQuery({
    queryKey: ["job", id],
    queryFn: ({ signal }) => call(client.GET("/api/v1/jobs/{id}", { params: { path: { id } }, signal })),
    refetchInterval: options.live === false ? false : refreshed,
  });
}

/** What the service makes of a schedule. The answer holds for a minute: then occurrences have passed. */
export function usePreview(request: PreviewRequest | undefined, options: { keep?: boolean } = {}) {
  return useQuery({
    queryKey: ["preview", request],
    enabled: request !== undefined,
    queryFn: ({ signal }) =>
      call(client.POST("/api/v1/schedules/preview", { body: request as PreviewRequest, signal })),
    placeholderData: options.keep ? (before) => before : undefined,
    staleTime: 60_000,
    retry: false,
  });
}

/** A schedule in the service's words; they do not depend on the time. */
export function useWords(schedule: Schedule) {
  return useQuery({
    queryKey: ["words", schedule],
    queryFn: async ({ signal }) => {
      const body = { schedule, count: 1 };
      return (await call(client.POST("/api/v1/schedules/preview", { body, signal }))).description;
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 3_600_000,
    retry: false,
  });
}

/** Everything that shows jobs or runs looks again. */
export function lookAgain(queries: QueryClient) {
  for (const key of ["jobs", "job", "runs", "run", "stats", "timeline"]) {
    void queries.invalidateQueries({ queryKey: [key] });
  }
}

export type Saving = { draft: JobDraft; id?: string; version?: number };

const post = () => ({ "Idempotency-Key": newKey() });

export const requests = {
  create: (draft: JobDraft) => call(client.POST("/api/v1/jobs", { body: draft, params: { header: post() } })),
  replace: (id: string, version: number, draft: JobDraft) =>
    call(
      client.PUT("/api/v1/jobs/{id}", {
        body: draft,
        params: { path: { id }, header: { "If-Match": etag(version) } },
      }),
    ),
  run: (id: string, body?: Schemas["RunRequest"]) =>
    call(client.POST("/api/v1/jobs/{id}/run", { params: { path: { id }, header: post() }, body })),
  pause: (id: string, body: Schemas["PauseRequest"]) =>
    call(client.POST("/api/v1/jobs/{id}/pause", { params: { path: { id }, header: post() }, body })),
  resume: (id: string) =>
    call(client.POST("/api/v1/jobs/{id}/resume", { params: { path: { id }, header: post() } })),
  bulk: (body: Schemas["BulkJobsRequest"]) =>
    call(client.POST("/api/v1/jobs/bulk", { params: { header: post() }, body })),
  remove: (id: string) => call(client.DELETE("/api/v1/jobs/{id}", { params: { path: { id } } })),
};

/** Creates a job, or replaces the version of it that was read. */
export function useSaveJob() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ draft, id, version }: Saving) =>
      id && version !== undefined ? requests.replace(id, version, draft) : requests.create(draft),
    onSuccess: (job) => {
      queries.setQueryData(["job", job.id], job);
      lookAgain(queries);
    },
  });
}

/** Every field of a draft; a new one in the API is a type error here until somebody has thought of it. */
const DRAFT_FIELDS: Record<keyof JobDraft, true> = {
  name: true,
  description: true,
  labels: true,
  schedule: true,
  target: true,
  retry: true,
  timeout: true,
  misfire: true,
  overlap: true,
  jitter: true,
  start_at: true,
  end_at: true,
  max_runs: true,
  pause_after_failures: true,
  calendars: true,
  concurrency: true,
  deadline: true,
};

/** What its author chose about a job: what can be sent back, or to somebody else. */
export function draftOf(job: ReadableJob): JobDraft {
  return Object.fromEntries(Object.entries(job).filter(([field]) => field in DRAFT_FIELDS)) as JobDraft;
}
