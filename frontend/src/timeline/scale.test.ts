import { expect, it } from "vitest";
import { frame, place, ticks } from "./scale";

const at = (iso: string) => Date.parse(iso);

it("ticks are round on the wall of the zone, after its clocks have changed, too", () => {
  const scale = { from: at("2027-03-13T18:00:00Z"), to: at("2027-03-14T18:00:00Z") };
  expect(ticks(scale, "America/New_York", 8).map(({ label }) => label)).toEqual([
    "15:00",
    "18:00",
    "21:00",
    "Sun 14 Mar",
    "03:00",
    "06:00",
    "09:00",
    "12:00",
  ]);
  const nepal = { from: at("2026-11-24T00:00:00Z"), to: at("2026-11-24T06:00:00Z") };
  expect(ticks(nepal, "Asia/Kathmandu", 8).map(({ label }) => label)).toEqual([
    "06:00",
    "07:00",
    "08:00",
    "09:00",
    "10:00",
    "11:00",
  ]);
});

it("what is shown stays the same for a while, and now is in its middle", () => {
  const now = at("2026-11-24T12:34:56Z");
  const a = frame(now, "6h", 0);
  expect(frame(now + 1000, "6h", 0)).toEqual(a);
  expect(Math.abs(place(a, now) - 50)).toBeLessThan(1);
  expect(frame(now, "6h", -1).from).toBe(a.from - 90 * 60_000);
});
