import { describe, expect, it } from "vitest";
import { durationOf, exactOf, momentOf, offsetOf, relativeOf } from "./format";
import { instantOf, wallOf } from "./wall";
import { searchZones } from "./zones";

const at = (iso: string) => Date.parse(iso);

describe("one instant, the right clock in every zone", () => {
  const cases: [string, string, string][] = [
    ["2026-11-24T14:05:09Z", "UTC", "2026-11-24 14:05:09 UTC"],
    ["2026-11-24T14:05:09Z", "Europe/Paris", "2026-11-24 15:05:09 +01:00 Europe/Paris"],
    ["2026-11-24T14:05:09Z", "Asia/Kathmandu", "2026-11-24 19:50:09 +05:45 Asia/Kathmandu"],
    ["2026-11-24T14:05:09Z", "Australia/Lord_Howe", "2026-11-25 01:05:09 +11:00 Australia/Lord_Howe"],
    // New York: 2027-03-14 02:00 → 03:00, 2026-11-01 02:00 → 01:00.
    ["2027-03-14T06:59:59Z", "America/New_York", "2027-03-14 01:59:59 -05:00 America/New_York"],
    ["2027-03-14T07:00:00Z", "America/New_York", "2027-03-14 03:00:00 -04:00 America/New_York"],
    ["2026-11-01T05:30:00Z", "America/New_York", "2026-11-01 01:30:00 -04:00 America/New_York"],
    ["2026-11-01T06:30:00Z", "America/New_York", "2026-11-01 01:30:00 -05:00 America/New_York"],
    // Lord Howe moves by half an hour.
    ["2026-10-03T15:29:00Z", "Australia/Lord_Howe", "2026-10-04 01:59:00 +10:30 Australia/Lord_Howe"],
    ["2026-10-03T15:31:00Z", "Australia/Lord_Howe", "2026-10-04 02:31:00 +11:00 Australia/Lord_Howe"],
  ];
  for (const [instant, zone, shown] of cases) {
    it(`${instant} in ${zone}`, () => expect(exactOf(at(instant), zone)).toBe(shown));
  }

  it("midnight is 00:00, not 24:00", () => {
    expect(momentOf(at("2026-11-24T23:00:00Z"), "Europe/Paris", at("2026-11-24T12:00:00Z"))).toBe(
      "Wed 25 Nov, 00:00",
    );
  });

  it("another year is named", () => {
    expect(momentOf(at("2027-01-01T08:00:00Z"), "UTC", at("2026-11-24T12:00:00Z"))).toBe(
      "Fri 1 Jan 2027, 08:00",
    );
  });

  it("a zone that the browser does not know is shown in UTC", () => {
    expect(offsetOf(at("2026-11-24T12:00:00Z"), "Mars/Olympus")).toBe("+00:00");
  });
});

describe("a wall clock read back", () => {
  it("every few hours of a winter is what it was, or the first of two", () => {
    for (const zone of ["UTC", "America/New_York", "Europe/Paris", "Australia/Lord_Howe", "Asia/Kathmandu"]) {
      for (let time = at("2026-09-01T00:00:00Z"); time < at("2027-05-01T00:00:00Z"); time += 21_000_000) {
        const back = instantOf(wallOf(time, zone), zone);
        expect(
          back === time || (back !== undefined && back < time && wallOf(back, zone) === wallOf(time, zone)),
        ).toBe(true);
      }
    }
  });

  it("a time that is never shown is the one after the jump", () => {
    expect(instantOf("2027-03-14T02:30", "America/New_York")).toBe(at("2027-03-14T07:30:00Z"));
    expect(instantOf("2026-11-01T01:30", "America/New_York")).toBe(at("2026-11-01T05:30:00Z"));
    expect(instantOf("soon", "UTC")).toBeUndefined();
  });
});

it("durations are short and never negative", () => {
  const cases: [number, string][] = [
    [-5, "0 ms"],
    [85, "85 ms"],
    [1200, "1.2 s"],
    [59_600, "1 min"],
    [61_000, "1 min 1 s"],
    [3_600_000, "1 h"],
    [90_061_000, "1 d 1 h"],
  ];
  for (const [ms, text] of cases) expect(durationOf(ms)).toBe(text);
});

it("relative times never claim the future has passed", () => {
  expect(relativeOf(1000, 500)).toBe("now");
  expect(relativeOf(90_000, 0)).toBe("in 1 min");
  expect(relativeOf(0, 7_200_000)).toBe("2 h ago");
});

it("zones are found by any part of their name, or by offset", () => {
  expect(searchZones("new york")).toEqual(["America/New_York"]);
  expect(searchZones("+05:45").some((zone) => /Kat[h]?mandu/.test(zone))).toBe(true);
  expect(searchZones("nowhere at all")).toEqual([]);
});
