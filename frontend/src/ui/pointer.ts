// JSON pointers (RFC 6901): how the service names a field, and how two documents are compared.

const escaped = (token: string) => token.replaceAll("~", "~0").replaceAll("/", "~1");
const unescaped = (token: string) => token.replaceAll("~1", "/").replaceAll("~0", "~");

type Json = unknown;
/** Whether it is a JSON object, rather than an array, a primitive or a number kept exactly. */
export const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) === Object.prototype;

/** The value at a pointer, `undefined` where there is none. */
export function at(document: Json, pointer: string): Json {
  let value = document;
  for (const token of pointer.split("/").slice(1)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, Json>)[unescaped(token)];
  }
  return value;
}

/** The same document with another value at a pointer; without the field where the value is `undefined`. */
export function withAt<T>(document: T, pointer: string, value: Json): T {
  const [token, ...rest] = pointer.split("/").slice(1);
  if (token === undefined) return value as T;
  const key = unescaped(token);
  const copy: Record<string, Json> = isObject(document) ? { ...document } : {};
  const inner = withAt(copy[key], rest.length > 0 ? `/${rest.join("/")}` : "", value);
  if (inner === undefined) delete copy[key];
  else copy[key] = inner;
  return copy as T;
}

export type Change = { pointer: string; from: Json; to: Json };

/** Where two documents differ, field by field; arrays are one field. */
export function changes(from: Json, to: Json, pointer = ""): Change[] {
  if (isObject(from) && isObject(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return keys.flatMap((key) => changes(from[key], to[key], `${pointer}/${escaped(key)}`));
  }
  return same(from, to) ? [] : [{ pointer, from, to }];
}

/** Equal as JSON, the order of keys aside; a missing field is none. */
export function same(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (isObject(a) && isObject(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
  }
  return (
    String(a) === String(b) &&
    typeof a === typeof b &&
    typeof a === "object" &&
    a !== null &&
    !Array.isArray(a)
  );
}

/** The longest of `fields` that is, or holds, what a pointer points at. */
export function fieldOf(pointer: string, fields: Iterable<string>): string | undefined {
  let best: string | undefined;
  for (const field of fields) {
    const holds = pointer === field || pointer.startsWith(`${field}/`);
    if (holds && (best === undefined || field.length > best.length)) best = field;
  }
  return best;
}
