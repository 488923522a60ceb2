import { describe, expect, it } from "vitest";
import { parseExact } from "../api/exact";
import type { JobDraft } from "../api/jobs";
import { backoff, parseDuration } from "./backoff";
import { fieldAt, fieldNames } from "./CronField";
import { compare, merged } from "./MergeDialog";
import { often } from "./Preview";
import { cronOf, draftOfForm, EMPTY, edited, formOf } from "./state";
import { jsonCheck } from "./TargetSection";

const stored: JobDraft[] = [
  {
    name: "a",
    schedule: { type: "interval", every: "5m", anchor: "2026-01-01T00:00:00Z", timezone: "UTC" },
    target: { type: "noop" },
  },
  {
    name: "b",
    labels: { team: "x", "odd:key": "v, w" },
    schedule: {
      type: "cron",
      expression: "0 2 * * 1-5",
      timezone: "Europe/Paris",
      dialect: "unix",
      gap: "skip",
      fold: "both",
    },
    target: {
      type: "http",
      url: "https://example.com",
      method: "PURGE",
      headers: { "X-A": "b: c" },
      body: "12",
      success: ["2xx", "404"],
    },
    start_at: "2026-12-01T10:00:00.123Z",
    max_runs: 7,
  },
  {
    name: "c",
    schedule: {
      type: "calendar_interval",
      every: { months: 2 },
      time: "09:00:30",
      start_date: "2026-12-31",
      timezone: "Asia/Kathmandu",
    },
    target: {
      type: "http",
      url: "https://example.com",
      body: parseExact('{"id":12345678901234567890,"list":[1.0,null]}'),
    },
  },
  {
    name: "d",
    schedule: { type: "date", at: "2026-12-01T09:00:00Z" },
    target: { type: "log", message: " spaces " },
  },
  {
    name: "e",
    schedule: { type: "interval", every: "1h" },
    target: { type: "command", argv: ["sh", "two\nlines"], env: { A: "b=c" } },
  },
  {
    name: "f",
    schedule: { type: "interval", every: "1h" },
    target: { type: "email", to: ["a@example.com"], subject: "s", text: "t" },
  },
];

describe("a stored job that is opened and saved", () => {
  for (const draft of stored) {
    it(`${draft.name} is what it was`, () => {
      const form = formOf(draft);
      expect(edited(draft, form, form)).toBe(draft);
    });
    it(`${draft.name} differs by what was changed only`, () => {
      const form = formOf(draft);
      expect(edited(draft, form, { ...form, timeout: "7s" })).toEqual({ ...draft, timeout: "7s" });
    });
  }

  it("takes another kind of schedule or target as a whole", () => {
    const draft = stored[1] as JobDraft;
    const form = formOf(draft);
    const after = edited(draft, form, { ...form, when: "interval", every: "2h", target: "noop" });
    expect(after.schedule).toEqual({ type: "interval", every: "2h" });
    expect(after.target).toEqual({ type: "noop" });
    expect(after.labels).toBe(draft.labels);
  });
});

it("an empty form says nothing that its fields do not show", () => {
  const draft = draftOfForm({ ...EMPTY, name: "x", http: { ...EMPTY.http, url: " https://example.com " } });
  expect(draft).toMatchObject({
    name: "x",
    schedule: { type: "interval", every: "5m" },
    target: { type: "http", method: "POST", url: "https://example.com" },
    max_runs: null,
    start_at: null,
  });
  expect("body" in draft.target).toBe(false);
});

it("what is no number goes to the service as it is, which says what is wrong with it", () => {
  const draft = draftOfForm({ ...EMPTY, max_runs: "many", retry: { ...EMPTY.retry, factor: "2.5" } });
  expect([draft.max_runs, draft.retry?.factor]).toEqual(["many", 2.5]);
});

it("days and times become cron", () => {
  const at = (times: object) => cronOf({ ...EMPTY.times, time: "09:05", ...times });
  expect(at({ repeat: "daily" })).toBe("5 9 * * *");
  expect(at({ repeat: "weekly", days: ["SUN", "MON"] })).toBe("5 9 * * MON,SUN");
  expect(at({ repeat: "weekly", days: ["FRI", "WED", "THU"] })).toBe("5 9 * * WED-FRI");
  expect(at({ repeat: "monthly", day: "L" })).toBe("5 9 L * *");
});

it("the field under the caret is named", () => {
  expect(fieldNames("0 2 * * 1-5", "")?.[fieldAt("0 2 * * 1-5", 9)]).toBe("day of week");
  expect(fieldNames("0 0 12 ? * MON 2027", "")?.at(-1)).toBe("year");
  expect(fieldNames("cron(0 2 * * ? *)", "")?.[fieldAt("cron(0 2 * * ? *)", 5)]).toBe("minute");
  expect(fieldNames("@daily", "")).toBeUndefined();
  expect(fieldNames("1 2", "")).toBeUndefined();
});

it("waits between attempts grow up to the longest", () => {
  expect(parseDuration("1h30m")).toBe(5_400_000);
  expect(parseDuration("soon")).toBeUndefined();
  expect(backoff({ max_attempts: "5", initial: "10s", factor: "3", max: "1m", jitter: true })).toEqual([
    10_000, 30_000, 60_000, 60_000,
  ]);
  expect(backoff({ max_attempts: "1", initial: "10s", factor: "2", max: "1m", jitter: true })).toEqual([]);
  expect(
    backoff({ max_attempts: "x", initial: "10s", factor: "2", max: "1m", jitter: true }),
  ).toBeUndefined();
});

it("how often is said in a unit people count in", () => {
  expect([often(28_800), often(1), often(5 / 7), often(12 / 365.25), often(0.003)]).toEqual([
    "28\u202f800 runs a day",
    "1 run a day",
    "5 runs a week",
    "1 run a month",
    "1.1 runs a year",
  ]);
});

it("text that only looks like JSON is called so", () => {
  expect(jsonCheck('{"a": 1}')).toBeUndefined();
  expect(jsonCheck("plain")).toBeUndefined();
  expect(jsonCheck('{"a": }')).toMatch(/^Not JSON/);
});

describe("two people change one job", () => {
  const base: JobDraft = {
    name: "j",
    timeout: "30s",
    labels: { a: "1" },
    schedule: { type: "interval", every: "1h" },
    target: { type: "noop" },
  };

  it("in different places: both changes are kept", () => {
    const both = { base, theirs: { ...base, timeout: "7s" }, mine: { ...base, labels: { a: "2" } } };
    expect(compare(both).conflicts).toEqual([]);
    expect(merged(both, new Set())).toEqual({ ...base, timeout: "7s", labels: { a: "2" } });
  });

  it("in the same place: as is chosen", () => {
    const both = { base, theirs: { ...base, timeout: "7s" }, mine: { ...base, timeout: "9s", name: "k" } };
    expect(compare(both).conflicts.map(({ pointer }) => pointer)).toEqual(["/timeout"]);
    expect(merged(both, new Set())).toMatchObject({ timeout: "9s", name: "k" });
    expect(merged(both, new Set(["/timeout"]))).toMatchObject({ timeout: "7s", name: "k" });
  });

  it("in the same place to the same value: nothing to choose", () => {
    const both = { base, theirs: { ...base, timeout: "7s" }, mine: { ...base, timeout: "7s" } };
    expect(compare(both).conflicts).toEqual([]);
  });
});
