import { expect, it } from "vitest";
import { ExactNumber } from "../api/exact";
import { at, changes, fieldOf, same, withAt } from "./pointer";

it("changes are found field by field, and applying them gives the other document", () => {
  const from = { a: 1, b: { c: [1, 2], "d/e~": null }, gone: "x" };
  const to = { a: 1, b: { c: [2, 1], "d/e~": { f: 0 } }, come: false };
  const found = changes(from, to);
  expect(found.map(({ pointer }) => pointer)).toEqual(["/b/c", "/b/d~1e~0", "/come", "/gone"]);
  const applied = found.reduce((document, { pointer, to }) => withAt(document, pointer, to), from as unknown);
  expect(applied).toEqual(to);
  expect(at(to, "/b/d~1e~0/f")).toBe(0);
  expect(at(to, "/b/c/x/y")).toBeUndefined();
});

it("exact numbers are equal by what they say", () => {
  expect(
    same({ id: new ExactNumber("12345678901234567890") }, { id: new ExactNumber("12345678901234567890") }),
  ).toBe(true);
  expect(same(new ExactNumber("12345678901234567890"), new ExactNumber("12345678901234567891"))).toBe(false);
  expect(same({ a: undefined }, {})).toBe(true);
  expect(same(null, undefined)).toBe(false);
});

it("a pointer finds the field that shows it", () => {
  const fields = ["/target", "/target/headers", "/name"];
  expect(fieldOf("/target/headers/X-A", fields)).toBe("/target/headers");
  expect(fieldOf("/target/url", fields)).toBe("/target");
  expect(fieldOf("/names", fields)).toBeUndefined();
});
