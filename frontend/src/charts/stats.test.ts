import { expect, it } from "vitest";
import { run } from "../test/server";
import { summary } from "./stats";

it("a backfill of last week does not make a job late by a week", () => {
  const runs = [run({ lag_ms: 4 }), run({ kind: "backfill", lag_ms: 604_800_000 })];
  expect(summary(runs).lag).toBe(4);
});
