// The typed client: openapi-fetch on the schema generated from openapi.json, with exact numbers, one kind of error,
// and an eye on whether the service is there and what its clock says.

import createClient from "openapi-fetch";
import { heard, silence } from "./connection";
import { parseExact, stringifyExact } from "./exact";
import { ApiError, AwayError, bareProblem, type Problem } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Statuses of a service that cannot answer at the moment, or of a proxy with nobody behind it. */
const AWAY = [502, 503, 504];

async function send(request: Request): Promise<Response> {
  let response: Response;
  let text: string;
  const asked = Date.now();
  try {
    response = await fetch(request);
    text = await response.text();
  } catch (error) {
    if (request.signal.aborted) throw error;
    silence();
    throw new AwayError();
  }
  if (AWAY.includes(response.status)) {
    silence();
    if (!response.headers.get("content-type")?.includes("json")) throw new AwayError();
  }
  heard(response.headers.get("date"), asked);
  const headers = new Headers(response.headers);
  headers.set("content-length", text ? String(text.length) : "0"); // openapi-fetch then asks for json()
  const empty = response.status === 204 || response.status === 304;
  const answer = new Response(empty ? null : text, { status: response.status, headers });
  answer.json = async () => parseExact(text);
  return answer;
}

export const client = createClient<paths>({
  baseUrl: location.origin,
  fetch: send,
  bodySerializer: (body) => stringifyExact(body),
  // Lists as the API documents them: state=active,paused but label=a:b&label=c:d.
  querySerializer: (query) => {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
      if (value === undefined || value === null || value === "") continue;
      if (!Array.isArray(value)) search.append(name, String(value));
      else if (name === "label") for (const item of value) search.append(name, String(item));
      else if (value.length > 0) search.append(name, value.join(","));
    }
    return search.toString();
  },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer; throws what `explain` understands. */
export async function call<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const problem = isProblem(error)
    ? error
    : bareProblem(response.status, typeof error === "string" ? error : "");
  throw new ApiError(problem, response.headers.get("etag") ?? undefined);
}

function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "code" in error && "title" in error;
}

/** The `ETag` of a version, for `If-Match`. */
export function etag(version: number) {
  return `"v${version}"`;
}

/** A key that makes a POST safe to repeat. `crypto.randomUUID` exists on HTTPS and localhost only. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
