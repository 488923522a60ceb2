// What the form holds, and how it becomes a job and comes from one. Fields are text until they are sent: whoever types
// must never have the ground moved under them.

import { parseExact, stringifyExact } from "../api/exact";
import type { JobDraft, Schedule, Target } from "../api/jobs";
import { LOCAL_ZONE } from "../time/format";
import { instantOf, wallOf } from "../time/wall";
import { changes, withAt } from "../ui/pointer";

export type When = "interval" | "times" | "period" | "cron" | "date";
export type Unit = "days" | "weeks" | "months" | "years";
export const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;

export type Form = {
  name: string;
  description: string;
  labels: string;
  when: When;
  timezone: string;
  every: string;
  anchor: string;
  times: { repeat: "daily" | "weekly" | "monthly"; days: string[]; day: string; time: string };
  period: { count: string; unit: Unit; time: string; start: string };
  cron: string;
  dialect: "" | "unix" | "quartz" | "aws";
  gap: "next_valid" | "skip";
  fold: "first" | "second" | "both";
  at: string;
  target: Target["type"];
  http: {
    method: string;
    url: string;
    headers: string;
    body: string;
    success: string;
    callback: boolean;
    heartbeat: string;
  };
  email: {
    to: string;
    cc: string;
    bcc: string;
    from: string;
    reply_to: string;
    subject: string;
    text: string;
    html: string;
  };
  command: { argv: string; working_dir: string; env: string; stdin: string };
  log: string;
  retry: { max_attempts: string; initial: string; factor: string; max: string; jitter: boolean };
  timeout: string;
  overlap: NonNullable<JobDraft["overlap"]>;
  misfire: { policy: "latest" | "all" | "skip"; tolerance: string; window: string; max: string };
  jitter: string;
  start_at: string;
  end_at: string;
  max_runs: string;
  deadline: string;
  concurrency: string;
  pause_after_failures: string;
  calendars: { name: string; mode: "exclude" | "only"; roll: "none" | "next" | "previous" }[];
};

export const EMPTY: Form = {
  name: "",
  description: "",
  labels: "",
  when: "interval",
  timezone: LOCAL_ZONE,
  every: "5m",
  anchor: "",
  times: { repeat: "daily", days: ["MON", "TUE", "WED", "THU", "FRI"], day: "1", time: "09:00" },
  period: { count: "2", unit: "weeks", time: "09:00", start: "" },
  cron: "0 9 * * 1-5",
  dialect: "",
  gap: "next_valid",
  fold: "first",
  at: "",
  target: "http",
  http: { method: "POST", url: "", headers: "", body: "", success: "", callback: false, heartbeat: "" },
  email: { to: "", cc: "", bcc: "", from: "", reply_to: "", subject: "", text: "", html: "" },
  command: { argv: "", working_dir: "", env: "", stdin: "" },
  log: "",
  retry: { max_attempts: "3", initial: "10s", factor: "2", max: "10m", jitter: true },
  timeout: "30s",
  overlap: "skip",
  misfire: { policy: "latest", tolerance: "10s", window: "1d", max: "100" },
  jitter: "0s",
  start_at: "",
  end_at: "",
  max_runs: "",
  deadline: "",
  concurrency: "",
  pause_after_failures: "",
  calendars: [],
};

/** The cron expression of a day and a time. */
export function cronOf({ repeat, days, day, time }: Form["times"]): string {
  const [hour = "", minute = ""] = time.split(":");
  const at = `${Number(minute) || 0} ${Number(hour) || 0}`;
  if (repeat === "daily") return `${at} * * *`;
  if (repeat === "monthly") return `${at} ${day} * *`;
  const chosen = DAYS.filter((it) => days.includes(it));
  const first = DAYS.indexOf(chosen[0] ?? "MON");
  const row = chosen.length > 2 && chosen.every((it, index) => DAYS[first + index] === it);
  return `${at} * * ${row ? `${chosen[0]}-${chosen.at(-1)}` : chosen.join(",") || "*"}`;
}

const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");
const list = (text: string) =>
  text
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter(Boolean);
const pairs = (text: string, separator: string) =>
  Object.fromEntries(
    lines(text).map((line) => {
      const cut = line.indexOf(separator);
      return cut < 0
        ? [line.trim(), ""]
        : [line.slice(0, cut).trim(), line.slice(cut + separator.length).trim()];
    }),
  );
const unpairs = (object: object | null | undefined, separator: string) =>
  Object.entries(object ?? {})
    .map(([key, value]) => `${key}${separator}${value}`)
    .join("\n");
const text = (value: string) => (value.trim() === "" ? undefined : value.trim());
/** A number as typed; what is none is sent as it is, so that the service says what it thinks of it. */
const number = (value: string) =>
  (/^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value.trim()) as number;
const whole = (value: string) => (value.trim() === "" ? null : number(value));

/** The schedule of the form. */
export function scheduleOf(form: Form): Schedule {
  const { timezone, gap, fold } = form;
  switch (form.when) {
    case "interval":
      return {
        type: "interval",
        every: form.every.trim(),
        ...(text(form.anchor) && { anchor: form.anchor.trim() }),
      };
    case "times":
      return { type: "cron", expression: cronOf(form.times), timezone, gap, fold };
    case "cron":
      return {
        type: "cron",
        expression: form.cron,
        timezone,
        gap,
        fold,
        ...(form.dialect && { dialect: form.dialect }),
      };
    case "period": {
      const { count, unit, time, start } = form.period;
      return {
        type: "calendar_interval",
        every: { [unit]: number(count) },
        time,
        ...(start && { start_date: start }),
        timezone,
        gap,
        fold,
      };
    }
    case "date":
      return { type: "date", at: form.at, timezone };
  }
}

function targetOf(form: Form): Target {
  switch (form.target) {
    case "http": {
      const { method, url, headers, body, success, callback, heartbeat } = form.http;
      const sent = bodyOf(body);
      return {
        type: "http",
        method,
        url: url.trim(),
        headers: pairs(headers, ":"),
        ...(sent !== undefined && { body: sent }),
        ...(text(success) && { success: list(success) }),
        ...(callback && { callback, heartbeat: text(heartbeat) ?? null }),
      };
    }
    case "email": {
      const { to, cc, bcc, from, reply_to, subject, text: plain, html } = form.email;
      return {
        type: "email",
        to: list(to),
        cc: list(cc),
        bcc: list(bcc),
        ...(text(from) && { from: from.trim() }),
        ...(text(reply_to) && { reply_to: reply_to.trim() }),
        subject,
        ...(plain && { text: plain }),
        ...(html && { html }),
      };
    }
    case "command": {
      const { argv, working_dir, env, stdin } = form.command;
      return {
        type: "command",
        argv: lines(argv),
        ...(text(working_dir) && { working_dir: working_dir.trim() }),
        env: pairs(env, "="),
        ...(stdin && { stdin }),
      };
    }
    case "log":
      return { type: "log", message: form.log };
    case "noop":
      return { type: "noop" };
  }
}

/** JSON where it is JSON, text otherwise. */
export function bodyOf(body: string): unknown {
  if (body.trim() === "") return undefined;
  try {
    return parseExact(body);
  } catch {
    return body;
  }
}

/** What people type as dates and times is on the clock of the schedule's zone. */
function bound(wall: string, zone: string): string | null {
  if (!wall) return null;
  const instant = instantOf(wall, zone);
  return instant === undefined ? wall : new Date(instant).toISOString();
}

/** The job as the form says it. */
export function draftOfForm(form: Form): JobDraft {
  const { retry, misfire } = form;
  return {
    name: form.name,
    description: form.description,
    labels: pairs(form.labels.replaceAll(",", "\n"), ":"),
    schedule: scheduleOf(form),
    target: targetOf(form),
    retry: { ...retry, max_attempts: number(retry.max_attempts), factor: number(retry.factor) },
    timeout: form.timeout.trim(),
    overlap: form.overlap,
    misfire: { ...misfire, max: number(misfire.max) },
    jitter: form.jitter.trim() || "0s",
    start_at: bound(form.start_at, form.timezone),
    end_at: bound(form.end_at, form.timezone),
    max_runs: whole(form.max_runs),
    deadline: text(form.deadline) ?? null,
    concurrency: whole(form.concurrency),
    pause_after_failures: whole(form.pause_after_failures),
    calendars: form.calendars,
  };
}

const str = (value: number | null | undefined, fallback: string) =>
  value === null || value === undefined ? fallback : String(value);

function scheduleFields(schedule: Schedule): Partial<Form> {
  switch (schedule.type) {
    case "interval":
      return { when: "interval", every: schedule.every, anchor: schedule.anchor ?? "" };
    case "cron":
      return { when: "cron", cron: schedule.expression, dialect: schedule.dialect ?? "" };
    case "date":
      return { when: "date", at: schedule.at };
    case "calendar_interval": {
      const [unit = "weeks", count = 1] = Object.entries(schedule.every)[0] ?? [];
      const period = {
        count: String(count),
        unit: unit as Unit,
        time: schedule.time ?? "00:00",
        start: schedule.start_date ?? "",
      };
      return { when: "period", period };
    }
  }
}

function targetFields(target: Target): Partial<Form> {
  switch (target.type) {
    case "http":
      return {
        target: "http",
        http: {
          method: target.method ?? "POST",
          url: target.url,
          headers: unpairs(target.headers, ": "),
          body:
            target.body === undefined || target.body === null
              ? ""
              : typeof target.body === "string"
                ? target.body
                : stringifyExact(target.body, 2),
          success: (target.success ?? []).join(", "),
          callback: target.callback ?? false,
          heartbeat: target.heartbeat ?? "",
        },
      };
    case "email":
      return {
        target: "email",
        email: {
          to: (target.to ?? []).join(", "),
          cc: (target.cc ?? []).join(", "),
          bcc: (target.bcc ?? []).join(", "),
          from: target.from ?? "",
          reply_to: target.reply_to ?? "",
          subject: target.subject,
          text: target.text ?? "",
          html: target.html ?? "",
        },
      };
    case "command":
      return {
        target: "command",
        command: {
          argv: target.argv.join("\n"),
          working_dir: target.working_dir ?? "",
          env: unpairs(target.env, "="),
          stdin: target.stdin ?? "",
        },
      };
    case "log":
      return { target: "log", log: target.message };
    case "noop":
      return { target: "noop" };
  }
}

/** The form that says a job. */
export function formOf(draft: JobDraft): Form {
  const { schedule, target } = draft;
  const timezone = schedule.timezone ?? (schedule.type === "interval" ? LOCAL_ZONE : "UTC");
  const wall = (instant: string | null | undefined) =>
    instant ? wallOf(Date.parse(instant), timezone).slice(0, 19) : "";
  const wallClock =
    "gap" in schedule ? { gap: schedule.gap ?? "next_valid", fold: schedule.fold ?? "first" } : {};
  return {
    ...EMPTY,
    name: draft.name,
    description: draft.description ?? "",
    labels: unpairs(draft.labels, ":").replaceAll("\n", ", "),
    timezone,
    ...wallClock,
    ...scheduleFields(schedule),
    ...targetFields(target),
    retry: {
      max_attempts: str(draft.retry?.max_attempts, "3"),
      initial: draft.retry?.initial ?? "10s",
      factor: str(draft.retry?.factor, "2"),
      max: draft.retry?.max ?? "10m",
      jitter: draft.retry?.jitter ?? true,
    },
    timeout: draft.timeout ?? "30s",
    overlap: draft.overlap ?? "skip",
    misfire: {
      policy: draft.misfire?.policy ?? "latest",
      tolerance: draft.misfire?.tolerance ?? "10s",
      window: draft.misfire?.window ?? "1d",
      max: str(draft.misfire?.max, "100"),
    },
    jitter: draft.jitter ?? "0s",
    start_at: wall(draft.start_at),
    end_at: wall(draft.end_at),
    max_runs: str(draft.max_runs, ""),
    deadline: draft.deadline ?? "",
    concurrency: str(draft.concurrency, ""),
    pause_after_failures: str(draft.pause_after_failures, ""),
    calendars: (draft.calendars ?? []).map(({ name, mode, roll }) => ({
      name,
      mode: mode ?? "exclude",
      roll: roll ?? "none",
    })),
  };
}

/**
 * A stored job with what was changed in the form, and nothing else: what the form shows in its own way (a body that is
 * text and looks like JSON, milliseconds) must come back as it was stored.
 */
export function edited(base: JobDraft, before: Form, after: Form): JobDraft {
  const [was, is] = [draftOfForm(before), draftOfForm(after)];
  const kinds = {
    schedule: was.schedule.type !== is.schedule.type,
    target: was.target.type !== is.target.type,
  };
  let draft = base;
  for (const { pointer, to } of changes(was, is)) {
    const part = pointer.split("/")[1];
    if ((part === "schedule" || part === "target") && kinds[part]) draft = { ...draft, [part]: is[part] };
    else draft = withAt(draft, pointer, to);
  }
  return draft;
}
