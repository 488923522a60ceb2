import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { change } from "../settings/settings";
import { follow } from "./events";
import { refreshed, stream } from "./live";

/** A stream that tells what the test wants. */
class Source extends EventTarget {
  static CLOSED = 2;
  static all: Source[] = [];
  readyState = 0;
  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }
  close() {
    this.readyState = 2;
  }
  opens() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  fails(readyState: number) {
    this.readyState = readyState;
    this.dispatchEvent(new Event("error"));
  }
  tells(type: string, data: object = {}) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify({ type, ...data }) }));
  }
  static get last() {
    return Source.all.at(-1) as Source;
  }
}

let queries: QueryClient;
let asked: Record<string, number>;
let ends: (() => void)[];

/** Somebody looks at this. */
function watch(name: string, queryKey: unknown[], data: unknown = {}) {
  asked[name] = 0;
  const queryFn = async () => {
    asked[name] = (asked[name] ?? 0) + 1;
    return data;
  };
  ends.push(new QueryObserver(queries, { queryKey, queryFn }).subscribe(() => undefined));
}

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function hide(hidden: boolean) {
  vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-24T00:00:00Z") });
  vi.stubGlobal("EventSource", Source);
  Source.all = [];
  change({ refresh: 5 });
  queries = new QueryClient();
  asked = {};
  ends = [];
});

afterEach(() => {
  for (const end of ends) end();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the stream of what happens", () => {
  it("makes those answers be asked for again that it concerns, and no others", async () => {
    ends.push(follow(queries));
    Source.last.opens();
    watch("jobs", ["jobs", {}]);
    watch("this job", ["job", "nightly"], { id: "job_1" });
    watch("other job", ["job", "job_2"], { id: "job_2" });
    watch("runs", ["runs", null, {}]);
    watch("runs of this job", ["runs", "job_1", {}]);
    watch("runs of another", ["runs", "job_2", {}]);
    watch("this run", ["run", "run_1"]);
    watch("other run", ["run", "run_2"]);
    watch("words", ["words", "0 2 * * *"]);
    await later(2_000);
    const before = { ...asked };
    Source.last.tells("run.finished", { job_id: "job_1", run_id: "run_1", status: "succeeded" });
    await later(2_000);
    const again = Object.keys(asked).filter((name) => asked[name] !== before[name]);
    expect(again).toEqual(["jobs", "this job", "runs", "runs of this job", "this run"]);
    const between = { ...asked };
    Source.last.tells("job.updated", { job_id: "job_2", state: "paused" });
    await later(2_000);
    expect(Object.keys(asked).filter((name) => asked[name] !== between[name])).toEqual(["jobs", "other job"]);
  });

  it("asks once a second at most, however much happens, and for the numbers every ten", async () => {
    ends.push(follow(queries));
    Source.last.opens();
    watch("runs", ["runs", null, {}]);
    watch("stats", ["stats", {}]);
    await later(11_000);
    const before = { ...asked };
    for (let step = 0; step < 200; step += 1) {
      for (let each = 0; each < 20; each += 1) {
        Source.last.tells("run.started", { job_id: "job_1", run_id: `run_${step}_${each}` });
      }
      await later(100);
    }
    await later(15_000);
    const runs = (asked.runs ?? 0) - (before.runs ?? 0);
    const stats = (asked.stats ?? 0) - (before.stats ?? 0);
    expect(runs).toBeGreaterThanOrEqual(18);
    expect(runs).toBeLessThanOrEqual(22);
    expect(stats).toBeGreaterThanOrEqual(2);
    expect(stats).toBeLessThanOrEqual(4);
  });

  it("looks at everything anew where it has missed something", async () => {
    ends.push(follow(queries));
    Source.last.opens();
    watch("jobs", ["jobs", {}]);
    watch("other run", ["run", "run_2"]);
    await later(100);
    Source.last.tells("reset");
    await later(100);
    expect(asked).toEqual({ jobs: 2, "other run": 2 });
  });

  it("lets pages look slowly while it is there, and at their pace while it is not", async () => {
    ends.push(follow(queries));
    expect(refreshed()).toBe(5_000);
    Source.last.opens();
    expect([stream.get().live, refreshed()]).toEqual([true, 30_000]);
    watch("jobs", ["jobs", {}]);
    await later(100);
    // Cut off: the browser itself asks again.
    Source.last.fails(0);
    await later(100);
    expect([stream.get().live, refreshed(), asked.jobs]).toEqual([false, 5_000, 2]);
    Source.last.opens();
    await later(100);
    expect([stream.get().live, asked.jobs, Source.all.length]).toEqual([true, 2, 1]);
  });

  it("asks again after a while where it was refused", async () => {
    ends.push(follow(queries));
    Source.last.fails(Source.CLOSED);
    await later(30_000);
    expect(Source.all.length).toBe(1);
    await later(31_000);
    expect(Source.all.length).toBe(2);
  });

  it("ends while paused or hidden, and what was missed is made up for", async () => {
    ends.push(follow(queries));
    Source.last.opens();
    watch("jobs", ["jobs", {}]);
    await later(100);
    change({ refresh: 0 });
    expect([Source.last.readyState, stream.get().live, refreshed()]).toEqual([2, false, false]);
    change({ refresh: 5 });
    expect(Source.all.length).toBe(2);
    Source.last.opens();
    await later(100);
    expect(asked.jobs).toBe(2);
    hide(true);
    expect([Source.last.readyState, stream.get().live]).toEqual([2, false]);
    hide(false);
    Source.last.opens();
    await later(100);
    expect([Source.all.length, stream.get().live, asked.jobs]).toEqual([3, true, 3]);
  });

  it("is done without where the browser has none", () => {
    vi.stubGlobal("EventSource", undefined);
    ends.push(follow(queries));
    expect([stream.get().live, refreshed()]).toEqual([false, 5_000]);
  });
});
