// JSON whose numbers stay as they are written. JavaScript's own reader turns 12345678901234567890 into
// 12345678901234567000; what people store in a body must come back as it went in.

/** A number that JavaScript cannot hold, kept as it was written. */
export class ExactNumber {
  constructor(readonly source: string) {}

  toString() {
    return this.source;
  }
}

/** Where a long number may be; what only looks like one costs a slower reading and nothing else. */
const SUSPECT = /(?:^|[:,[\s])-?(?:\d[\d.]{14,}|[\d.]+[eE])/;

/** Reads JSON; throws a `SyntaxError` with a position for people. */
export function parseExact(text: string): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text);
  JSON.parse(text); // its errors are the ones people know
  const reader = new Reader(text);
  return reader.value();
}

/** Writes JSON, exact numbers as they were read. */
export function stringifyExact(value: unknown, indent = 0): string {
  const write = (it: unknown, depth: number): string => {
    if (it instanceof ExactNumber) return it.source;
    if (typeof it !== "object" || it === null) return JSON.stringify(it) ?? "null";
    const entries = Array.isArray(it)
      ? it.map((item) => write(item, depth + 1))
      : Object.entries(it)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => `${JSON.stringify(key)}:${indent ? " " : ""}${write(item, depth + 1)}`);
    const [open, close] = Array.isArray(it) ? "[]" : "{}";
    if (entries.length === 0) return `${open}${close}`;
    if (!indent) return `${open}${entries.join(",")}${close}`;
    const pad = " ".repeat(indent * (depth + 1));
    return `${open}\n${pad}${entries.join(`,\n${pad}`)}\n${" ".repeat(indent * depth)}${close}`;
  };
  return write(value, 0);
}

/** Lays JSON out for reading, every token as it was written; `undefined` where it is not JSON, or just one value. */
export function prettyJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let out = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  tokens.forEach((token, index) => {
    const before = tokens[index - 1] ?? "";
    const opened = before === "{" || before === "[";
    if (token === "}" || token === "]") {
      depth -= 1;
      out += opened ? token : line() + token;
    } else {
      out += opened || before === "," ? line() + token : token;
      if (token === ":") out += " ";
      if (token === "{" || token === "[") depth += 1;
    }
  });
  return out;
}

/** Reads what `JSON.parse` has found to be correct. */
class Reader {
  #at = 0;

  constructor(private readonly text: string) {}

  value(): unknown {
    this.#skip();
    const first = this.text[this.#at];
    if (first === "{") return this.#object();
    if (first === "[") return this.#array();
    const token = first === '"' ? this.#string() : this.#word();
    this.#skip();
    return token;
  }

  #object() {
    const object: Record<string, unknown> = {};
    this.#items("}", () => {
      const key = this.#string() as string;
      this.#skip();
      this.#at += 1; // :
      Object.defineProperty(object, key, {
        value: this.value(),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    });
    return object;
  }

  #array() {
    const array: unknown[] = [];
    this.#items("]", () => array.push(this.value()));
    return array;
  }

  #items(close: string, item: () => void) {
    this.#at += 1;
    this.#skip();
    while (this.text[this.#at] !== close) {
      item();
      this.#skip();
      if (this.text[this.#at] === ",") this.#at += 1;
      this.#skip();
    }
    this.#at += 1;
  }

  #string(): unknown {
    const start = this.#at;
    this.#at += 1;
    while (this.text[this.#at] !== '"') this.#at += this.text[this.#at] === "\\" ? 2 : 1;
    this.#at += 1;
    return JSON.parse(this.text.slice(start, this.#at));
  }

  #word(): unknown {
    const start = this.#at;
    while (this.#at < this.text.length && !",]} \n\r\t".includes(this.text[this.#at] ?? "")) this.#at += 1;
    const source = this.text.slice(start, this.#at);
    const value: unknown = JSON.parse(source);
    return typeof value === "number" && String(value) !== source && !same(value, source)
      ? new ExactNumber(source)
      : value;
  }

  #skip() {
    while (" \n\r\t".includes(this.text[this.#at] ?? "x")) this.#at += 1;
  }
}

/** Whether a number means what was written, if not letter by letter: 1.0, 1e3, 2.50. */
function same(value: number, source: string) {
  const digits = (text: string) => {
    const [mantissa = "", exponent = "0"] = text.toLowerCase().replace("+", "").split("e");
    const [whole = "", part = ""] = mantissa.replace("-", "").split(".");
    const all = (whole + part).replace(/^0+/, "");
    const kept = all.replace(/0+$/, "");
    return `${kept}e${kept ? Number(exponent) - part.length + all.length - kept.length : 0}`;
  };
  return digits(String(value)) === digits(source);
}
