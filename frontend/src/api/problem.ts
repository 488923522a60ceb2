// The one way errors come out of the API: RFC 9457 problems, or silence.

import type { components } from "./schema";

export type Problem = components["schemas"]["Problem"];

/** The service answered that it will not, or cannot. */
export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    readonly problem: Problem,
    /** The `ETag` of what is stored, where the answer says so (412). */
    readonly etag?: string,
  ) {
    super(problem.detail || problem.title);
  }

  get status() {
    return this.problem.status;
  }

  is(code: Problem["code"]) {
    return this.problem.code === code;
  }

  /** What is wrong with each field, by JSON pointer. */
  get fields(): Record<string, string> {
    const fields: Record<string, string> = {};
    for (const { pointer, detail } of this.problem.errors ?? []) {
      if (typeof pointer === "string" && !(pointer in fields)) fields[pointer] = detail;
    }
    return fields;
  }
}

/** Nobody answered. */
export class AwayError extends Error {
  override name = "AwayError";

  constructor() {
    super("The service does not answer.");
  }
}

/** What to tell people about any error. */
export function explain(error: unknown): { title: string; detail?: string; requestId?: string } {
  if (error instanceof ApiError) {
    const { title, detail, request_id } = error.problem;
    return { title, detail, requestId: request_id || undefined };
  }
  if (error instanceof AwayError) return { title: error.message, detail: "It is tried again by itself." };
  return {
    title: "Something went wrong here",
    detail: error instanceof Error ? error.message : String(error),
  };
}

/** A problem for an answer that is none: a proxy's page, say. */
export function bareProblem(status: number, text: string): Problem {
  return {
    type: "about:blank",
    title: status === 404 ? "Not found" : "The service answered with an error",
    status,
    detail: `status ${status}${text ? `: ${text.slice(0, 200)}` : ""}`,
    code: status === 404 ? "not_found" : "internal_error",
    request_id: "",
    errors: [],
  };
}
