import { describe, expect, it } from "vitest";
import { stringifyExact } from "../api/exact";
import { orderOf, stretchOf } from "./order";

const at = (iso: string) => Date.parse(iso);

describe("stretches of the past", () => {
  it("days are those of the zone, however long they were", () => {
    // In Paris clocks went back on 25 October 2026: that day had 25 hours.
    const yesterday = stretchOf("Yesterday", at("2026-10-26T08:00:10Z"), "Europe/Paris");
    expect(yesterday).toEqual({ from: "2026-10-25T00:00", to: "2026-10-26T00:00" });
    expect(orderOf({ ...yesterday, overlap: "buffer_all", body: "" }, "Europe/Paris")).toEqual({
      from: "2026-10-24T22:00:00.000Z",
      to: "2026-10-25T23:00:00.000Z",
      overlap: "buffer_all",
    });
    expect(stretchOf("Yesterday", at("2026-11-24T18:20:10Z"), "Asia/Kathmandu")).toEqual({
      from: "2026-11-24T00:00",
      to: "2026-11-25T00:00",
    });
  });

  it("none ends in the future, even where clocks disagree by a second", () => {
    for (const stretch of ["Last hour", "Today so far", "Last 7 days", "Last 30 days"] as const) {
      const now = at("2026-11-24T10:00:01Z");
      const { to } = stretchOf(stretch, now, "UTC");
      expect(at(`${to}:00Z`), stretch).toBeLessThan(now - 1000);
    }
  });
});

describe("what is asked for", () => {
  const asked = { from: "2026-11-01T00:00", to: "2026-11-02T00:00", overlap: "allow_all" as const, body: "" };

  it("waits until both ends are there", () => {
    expect(orderOf({ ...asked, to: "" }, "UTC")).toBeUndefined();
  });

  it("keeps numbers of the body as they were typed, and leaves nonsense for the service to refuse", () => {
    expect(stringifyExact(orderOf({ ...asked, body: '{"id": 12345678901234567890}' }, "UTC")?.payload)).toBe(
      '{"id":12345678901234567890}',
    );
    expect(orderOf({ ...asked, body: "{nonsense" }, "UTC")?.payload).toBe("{nonsense");
  });
});
