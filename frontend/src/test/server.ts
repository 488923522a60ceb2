// A service that answers as told, for tests of behaviour; the journeys in e2e/ have the real one.

import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import type { Schemas } from "../api/client";

export const server = setupServer(
  http.get("*/api/v1/calendars", () => HttpResponse.json(page([]))),
  http.post("*/api/v1/schedules/preview", () => HttpResponse.json(preview())),
);

export function page<T>(data: T[], next: string | null = null) {
  return { data, next_cursor: next, has_more: next !== null };
}

export function preview(part: Partial<Schemas["SchedulePreview"]> = {}): Schemas["SchedulePreview"] {
  return {
    description: "At 02:00 on weekdays, Europe/Paris",
    dialect: "unix",
    normalized: "0 2 * * MON-FRI",
    next: [{ at: "2026-11-25T01:00:00Z", local: "2026-11-25T02:00:00", offset: "+01:00" }],
    left_out: [],
    runs_per_day: 0.71,
    warnings: [],
    ...part,
  };
}

export function job(part: Partial<Schemas["ReadableJob"]> = {}): Schemas["ReadableJob"] {
  return {
    id: "job_01kc0000000000000000000000",
    project: "default",
    name: "nightly-report",
    description: "",
    labels: {},
    schedule: { type: "cron", expression: "0 2 * * 1-5", timezone: "Europe/Paris", dialect: "unix" },
    target: { type: "http", method: "POST", url: "https://example.com/report" },
    retry: { max_attempts: 3, initial: "10s", factor: 2, max: "10m", jitter: true },
    timeout: "30s",
    misfire: { policy: "latest", tolerance: "10s", window: "1d", max: 100 },
    overlap: "skip",
    jitter: "0s",
    start_at: null,
    end_at: null,
    max_runs: null,
    runs_started: 0,
    pause_after_failures: null,
    calendars: [],
    concurrency: null,
    deadline: null,
    state: "active",
    pause_reason: null,
    paused_until: null,
    next_fire_at: "2026-11-25T01:00:00Z",
    last_run: null,
    version: 1,
    created_at: "2026-11-24T10:00:00Z",
    updated_at: "2026-11-24T10:00:00Z",
    ...part,
  };
}

export function run(part: Partial<Schemas["Run"]> = {}): Schemas["Run"] {
  return {
    id: "run_01kc0000000000000000000000",
    project: "default",
    job_id: "job_01kc0000000000000000000000",
    job_name: "nightly-report",
    kind: "schedule",
    status: "succeeded",
    reason: null,
    scheduled_for: "2026-11-24T01:00:00Z",
    scheduled_until: null,
    count: 1,
    jitter_ms: 0,
    started_at: "2026-11-24T01:00:00.004Z",
    finished_at: "2026-11-24T01:00:01.204Z",
    lag_ms: 4,
    attempt: 1,
    attempts: [],
    cancel_requested: false,
    callback: null,
    backfill_id: null,
    overlap: null,
    payload: null,
    worker: "worker-1",
    due_at: null,
    created_at: "2026-11-24T01:00:00Z",
    ...part,
  };
}

export function problem(
  status: number,
  code: Schemas["ProblemCode"],
  part: Partial<Schemas["Problem"]> = {},
) {
  const body = {
    type: `/docs/errors/${code}`,
    title: code,
    detail: code,
    status,
    code,
    request_id: "req-1",
    errors: [],
  };
  return HttpResponse.json(
    { ...body, ...part },
    { status, headers: { "content-type": "application/problem+json" } },
  );
}
