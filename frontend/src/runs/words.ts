// Why a run is as it is, and what may help, in plain sentences.

import type { Run } from "../api/runs";

export const KIND_WORDS: Record<Run["kind"], string> = {
  schedule: "Schedule",
  manual: "By hand",
  backfill: "Backfill",
};

const REASONS: Record<NonNullable<Run["reason"]>, string> = {
  overlap: "An earlier run of the job was still going on, and its overlap policy does not let two run.",
  buffer_full: "Too many runs were waiting for their turn already.",
  window: "It was noticed too late: later than the job's misfire window allows.",
  downtime:
    "Nothing was running the service when it was due, and the misfire policy does not make up for it.",
  calendar: "A calendar of the job does not admit that time.",
  paused: "The job was paused.",
  edited: "The job was changed before it started.",
  deleted: "The job was deleted before it started.",
  requested: "Somebody asked for it.",
  deadline: "The job's deadline for a run passed.",
};

export function reasonOf(run: Pick<Run, "reason">): string | undefined {
  return run.reason ? (REASONS[run.reason] ?? run.reason) : undefined;
}

const HELP: Record<string, string> = {
  dns: "The host's name leads nowhere. Check the spelling of the URL, and whether this machine's name server knows the host.",
  connect: "Nobody listens at that address and port, or a firewall is between. Is the target running?",
  tls: "The secure connection failed: an expired or self-signed certificate, or another host's. Open the URL in a browser to see.",
  timeout:
    "The target did not answer in time. Make it faster, raise the job's timeout, or let it answer 202 and work on.",
  http_status: "The target answered, but not with success. Its answer below usually says why.",
  redirect: "The target redirects, and redirects are not followed. Use the address it leads to.",
  gone: "The target says that it is gone for good (410), so the job is paused.",
  target_forbidden: "The address is private, and the operator has not allowed it (SCHEDULER_ALLOW_TARGETS).",
  protocol: "What came back is not HTTP. Is it the right port, and http where it should be https?",
  body: "The answer broke off in the middle. The target or a proxy before it may have crashed.",
  invalid_request:
    "The request could not be made as the job describes it. Look at its URL, headers and body.",
  abandoned:
    "The worker disappeared in the middle, so nobody knows whether the target was called. It must be safe to call twice.",
  panic: "This is a mistake in the scheduler itself. Its log says more.",
  email_not_configured: "The operator has set no mail server (SCHEDULER_SMTP_URL).",
  smtp_deferred: "The mail server cannot take it at the moment; it is tried again.",
  smtp_refused: "The mail server refused it for good. Look at its reply, and at the addresses.",
  exit_status: "The program ended with an error. What it wrote is below.",
  killed_by_signal: "The program was killed: out of memory, perhaps, or by somebody.",
  spawn: "The program could not be started.",
  command_not_found: "There is no such program on the worker's machine, or not in its PATH.",
  command_not_executable: "The file is there, but may not be executed.",
  working_dir_not_found: "The working directory does not exist on the worker's machine.",
  command_unsupported: "Commands are switched off on the worker (SCHEDULER_ENABLE_COMMAND).",
};

/** What to try, for the code of an attempt's error. */
export function helpFor(code: string, status?: number): string | undefined {
  if (code === "http_status" && status) {
    if (status === 401 || status === 403)
      return "The target wants credentials, or others than these. Check the job's headers.";
    if (status === 404) return "There is nothing at that path. Check the URL.";
    if (status === 405) return "The target does not take that method. Check the job's method.";
    if (status === 413) return "The body is too large for the target.";
    if (status === 429)
      return "The target is called too often. Spread the jobs with jitter, or call it less often.";
    if (status >= 500)
      return "The target itself failed. Its own log knows more; its answer below may say why.";
  }
  return HELP[code];
}
