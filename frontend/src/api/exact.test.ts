import { describe, expect, it } from "vitest";
import { ExactNumber, parseExact, prettyJson, stringifyExact } from "./exact";

describe("numbers stay as they are written", () => {
  const texts = [
    '{"id":12345678901234567890}',
    "[-9007199254740993,0.1234567890123456789,1e400]",
    '{"a":{"b":[1,2.5,"12345678901234567890",9007199254740993,null,true]},"c":""}',
    '{"__proto__":12345678901234567890}',
    '["\\u0000\\"",{"k":100000000000000000001}]',
  ];
  for (const text of texts) {
    it(text, () => expect(stringifyExact(parseExact(text))).toBe(text));
  }

  it("and what JavaScript can hold is a number", () => {
    expect(parseExact('{"a":1.0,"b":1e3,"c":12345678901234567890,"d":2.50}')).toEqual({
      a: 1,
      b: 1000,
      c: new ExactNumber("12345678901234567890"),
      d: 2.5,
    });
  });
});

it("mistakes are told as JavaScript tells them", () => {
  expect(() => parseExact('{"id":12345678901234567890,}')).toThrow(SyntaxError);
  expect(() => parseExact("[1e400")).toThrow(SyntaxError);
});

it("JSON is laid out token by token, nothing else is", () => {
  expect(prettyJson('{"a":1.0,"a":[12345678901234567890,{},[ ]],"s":"x, {y}: \\"z\\""}')).toBe(
    '{\n  "a": 1.0,\n  "a": [\n    12345678901234567890,\n    {},\n    []\n  ],\n  "s": "x, {y}: \\"z\\""\n}',
  );
  for (const text of ["", "hello", "12", "{", "<html>", '{"a":}']) expect(prettyJson(text)).toBeUndefined();
});
