import Box from "@mui/material/Box";
import type { JobState } from "../api/jobs";
import type { RunStatus } from "../api/runs";
import type { Status as Colour } from "../theme/palette";

export const STATUS_WORDS: Record<RunStatus, string> = {
  pending: "Waiting",
  running: "Running",
  succeeded: "Succeeded",
  failed: "Failed",
  timed_out: "Timed out",
  cancelled: "Cancelled",
  skipped: "Skipped",
  missed: "Missed",
};

const STATES: Record<JobState, [string, Colour]> = {
  active: ["Active", "succeeded"],
  paused: ["Paused", "skipped"],
  completed: ["Completed", "pending"],
  invalid: ["Unreadable", "failed"],
};
export const STATE_WORDS = (state: JobState) => STATES[state][0];

/** Each status has a shape as well as a colour. */
function Shape({ status }: { status: Colour }) {
  const shapes: Record<Colour, React.ReactNode> = {
    succeeded: <circle cx="5" cy="5" r="4" />,
    failed: <path d="M2 2 8 8 M8 2 2 8" stroke="currentcolor" strokeWidth="2.2" strokeLinecap="round" />,
    timed_out: <path d="M1.5 1h7L5.7 5l2.8 4h-7l2.8-4z" />,
    running: <path d="M2.5 1v8l6-4z" />,
    pending: <circle cx="5" cy="5" r="3.2" fill="none" stroke="currentcolor" strokeWidth="1.5" />,
    cancelled: <rect x="1.5" y="1.5" width="7" height="7" rx="1" />,
    skipped: <path d="M2.2 1.5v7M6.8 1.5v7" stroke="currentcolor" strokeWidth="2.4" strokeLinecap="round" />,
    missed: <path d="M5 .8 9.2 5 5 9.2.8 5z" fill="none" stroke="currentcolor" strokeWidth="1.6" />,
  };
  return (
    <svg viewBox="0 0 10 10" width="10" height="10" fill="currentcolor" aria-hidden="true">
      {shapes[status]}
    </svg>
  );
}

/** What is as it should be is quiet; what wants attention is not. */
function Mark({ colour, word, quiet }: { colour: Colour; word: string; quiet?: boolean }) {
  const calm = quiet || colour === "succeeded" || colour === "pending" || colour === "cancelled";
  return (
    <Box
      component="span"
      sx={{
        display: "inline-flex",
        alignItems: "center",
        gap: 0.75,
        color: `status.${colour}`,
        whiteSpace: "nowrap",
        fontWeight: calm ? 450 : 600,
      }}
    >
      <Shape status={colour} />
      <Box component="span" sx={{ color: calm && !quiet ? "text.primary" : undefined }}>
        {word}
      </Box>
    </Box>
  );
}

export function RunStatusMark({ status, quiet }: { status: RunStatus; quiet?: boolean }) {
  return <Mark colour={status} word={STATUS_WORDS[status]} quiet={quiet} />;
}

export function JobStateMark({ state }: { state: JobState }) {
  const [word, colour] = STATES[state];
  return <Mark colour={colour} word={word} />;
}
