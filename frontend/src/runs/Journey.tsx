import Box from "@mui/material/Box";
import type { Attempt, Run } from "../api/runs";
import { durationOf } from "../time/format";
import { Time } from "../time/Time";
import { useNow } from "../time/useNow";

type Step = { key: string; title: string; at?: string; note?: string; tone?: string };

/** What happened to a run, in order: due, late by so much, each attempt, each wait, the end. */
export function steps(run: Run, now: number): Step[] {
  const list: Step[] = [
    {
      key: "due",
      title: run.kind === "schedule" ? "Scheduled" : "Asked for",
      at: run.scheduled_for,
      note: run.jitter_ms ? `${durationOf(run.jitter_ms)} of jitter` : undefined,
    },
  ];
  if (run.started_at && typeof run.lag_ms === "number") {
    list.push({
      key: "lag",
      title: "Late by",
      note: durationOf(run.lag_ms),
      tone: run.lag_ms > 5000 ? "status.timed_out" : undefined,
    });
  }
  run.attempts.forEach((attempt, index) => {
    const before = run.attempts[index - 1];
    if (before) {
      list.push({
        key: `wait${attempt.number}`,
        title: "Waited",
        note: durationOf(Date.parse(attempt.started_at) - Date.parse(before.finished_at)),
      });
    }
    list.push({
      key: `attempt${attempt.number}`,
      title: `Attempt ${attempt.number}`,
      at: attempt.started_at,
      note: attemptNote(attempt),
      tone: outcomeColour(attempt),
    });
  });
  if (run.status === "running") {
    list.push({
      key: "running",
      title: `Attempt ${run.attempts.length + 1}`,
      note: run.started_at
        ? `running since ${durationOf(now - Date.parse(run.attempts.at(-1)?.finished_at ?? run.started_at))}`
        : "running",
      tone: "status.running",
    });
  } else if (run.status === "pending" && run.due_at) {
    const due = Date.parse(run.due_at);
    list.push({
      key: "next",
      title: run.attempts.length ? "Next attempt" : "Starts",
      at: run.due_at,
      note: due > now ? `in ${durationOf(due - now)}` : "now",
      tone: "status.pending",
    });
  } else if (run.finished_at) {
    list.push({ key: "end", title: run.attempts.length ? "Finished" : "Decided", at: run.finished_at });
  }
  return list;
}

function attemptNote(attempt: Attempt) {
  const took = durationOf(Date.parse(attempt.finished_at) - Date.parse(attempt.started_at));
  const what =
    attempt.response?.status ??
    (attempt.outcome === "succeeded" ? "succeeded" : (attempt.error?.code ?? attempt.outcome));
  return `${String(what).replaceAll("_", " ")}, ${took}`;
}

export function outcomeColour({ outcome }: Attempt) {
  if (outcome === "succeeded") return "status.succeeded";
  if (outcome === "timed_out") return "status.timed_out";
  if (outcome === "cancelled" || outcome === "interrupted") return "status.cancelled";
  return "status.failed";
}

export function Journey({ run, zone }: { run: Run; zone?: string }) {
  const now = useNow(1000);
  return (
    <Box
      component="ol"
      aria-label="What happened"
      sx={{
        listStyle: "none",
        m: 0,
        p: 0,
        display: "flex",
        flexWrap: "wrap",
        rowGap: 1.5,
        fontSize: "0.8125rem",
      }}
    >
      {steps(run, now).map((step, index) => (
        <Box component="li" key={step.key} sx={{ display: "flex", pr: 0.5 }}>
          {index > 0 && (
            <Box
              aria-hidden
              sx={{ width: 28, borderTop: 2, borderColor: "line", mt: "9px", mr: 0.75, ml: 0.25 }}
            />
          )}
          <Box>
            <Box
              sx={{
                display: "flex",
                alignItems: "center",
                gap: 0.75,
                fontWeight: 600,
                color: step.tone ?? "text.primary",
              }}
            >
              {step.title}
            </Box>
            {step.at && (
              <Box sx={{ color: "text.secondary", fontSize: "0.75rem" }}>
                <Time at={step.at} zone={zone} show="moment" seconds />
              </Box>
            )}
            {step.note && (
              <Box sx={{ fontSize: "0.75rem", color: step.tone ?? "text.secondary" }}>{step.note}</Box>
            )}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
