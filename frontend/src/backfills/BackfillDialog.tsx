import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { MOST_RUNS, requests, useSurvey } from "../api/backfills";
import { serviceNow } from "../api/connection";
import { type Job, lookAgain, zoneOf } from "../api/jobs";
import { ApiError, explain } from "../api/problem";
import { settings } from "../settings/settings";
import { countOf, resolveZone } from "../time/format";
import { Time } from "../time/Time";
import { Choices } from "../ui/Choices";
import { toast } from "../ui/toasts";
import { useDebounced } from "../ui/useDebounced";
import { type Asked, orderOf, STRETCHES, stretchOf } from "./order";

const WAYS: [Asked["overlap"], string, string][] = [
  ["buffer_all", "One after the other", "Oldest first; each waits for the one before."],
  ["allow_all", "Side by side", "Up to 16 at a time, in no certain order."],
];

/** Runs what the schedule had in a stretch of the past: says what that comes to before anything runs. */
export function BackfillDialog({ job, close }: { job: Job; close: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  // What people think of is the day of the job, not that of the reader.
  const zone = zoneOf(job) ?? resolveZone(settings.get().zone === "job" ? "local" : settings.get().zone);
  const [asked, setAsked] = useState<Asked>(() => ({
    ...stretchOf("Yesterday", serviceNow(), zone),
    overlap: "buffer_all",
    body: "",
  }));
  const set = (part: Partial<Asked>) => setAsked((before) => ({ ...before, ...part }));
  const order = orderOf(asked, zone);
  const settled = useDebounced(order, 250);
  const survey = useSurvey(job.id, settled);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>();
  const error = refused ?? survey.error;
  const wrong = error instanceof ApiError ? error.fields : {};
  const current = JSON.stringify(settled) === JSON.stringify(order);
  const total = current && order && !survey.error ? survey.data?.total : undefined;

  const start = async () => {
    if (!order || !total) return;
    setBusy(true);
    try {
      await requests.start(job.id, { ...order, max: Math.min(total, MOST_RUNS) });
      close();
      toast({ title: `Backfill of “${job.name}” started: ${runsOf(total)}` });
      navigate(`/jobs/${job.id}`);
      void queries.invalidateQueries({ queryKey: ["backfills"] });
      lookAgain(queries);
    } catch (caught) {
      setRefused(caught);
      setBusy(false);
    }
  };
  const field = (name: "from" | "to", label: string) => (
    <TextField
      type="datetime-local"
      label={label}
      value={asked[name]}
      onChange={(event) => {
        setRefused(undefined);
        set({ [name]: event.target.value });
      }}
      error={wrong[`/${name}`] !== undefined}
      helperText={wrong[`/${name}`] ?? zone}
      slotProps={{ inputLabel: { shrink: true } }}
    />
  );
  return (
    <Dialog open onClose={close} fullWidth maxWidth="sm" aria-labelledby="backfill-title">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <DialogTitle id="backfill-title" sx={{ overflowWrap: "anywhere" }}>
          Backfill “{job.name}”
        </DialogTitle>
        <DialogContent sx={{ display: "grid", gap: 2, fontSize: "0.8125rem" }}>
          <Box sx={{ color: "text.secondary" }}>
            Runs what its schedule had in a stretch of the past, beside the schedule itself, which stays as it
            is. What ran then already runs again.
          </Box>
          <Box role="group" aria-label="Stretch" sx={{ display: "flex", flexWrap: "wrap", gap: 0.75 }}>
            {STRETCHES.map((stretch) => {
              const range = stretchOf(stretch, serviceNow(), zone);
              const on = range.from === asked.from && range.to === asked.to;
              return (
                <Button
                  key={stretch}
                  variant={on ? "contained" : "outlined"}
                  aria-pressed={on}
                  autoFocus={stretch === "Yesterday"}
                  onClick={() => {
                    setRefused(undefined);
                    set(range);
                  }}
                >
                  {stretch}
                </Button>
              );
            })}
          </Box>
          <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" }, mt: 0.5 }}>
            {field("from", "From")}
            {field("to", "Up to, not including")}
          </Box>
          <Choices
            label="How"
            options={WAYS}
            chosen={asked.overlap}
            onChange={(overlap) => set({ overlap })}
            columns={{ sm: "1fr 1fr" }}
          />
          <TextField
            label="Another body (optional)"
            value={asked.body}
            onChange={(event) => {
              setRefused(undefined);
              set({ body: event.target.value });
            }}
            placeholder='{"day": "{{scheduled_for}}"}'
            error={wrong["/payload"] !== undefined}
            helperText={
              wrong["/payload"] ?? "A JSON object, sent by each of its runs in place of the job's body."
            }
            multiline
            maxRows={8}
            slotProps={{ inputLabel: { shrink: true }, htmlInput: { spellCheck: false } }}
          />
          <Box role="status" aria-live="polite" sx={{ minHeight: 40 }}>
            <Comes total={total} first={survey.data?.first} last={survey.data?.last} zone={zone} />
          </Box>
          {error !== undefined && error !== null && Object.keys(wrong).length === 0 && (
            <Box role="alert" sx={{ color: "error.main" }}>
              {explain(error).detail ?? explain(error).title}
            </Box>
          )}
        </DialogContent>
        <DialogActions>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="contained" disabled={busy || !total || total > MOST_RUNS}>
            {total ? `Start ${runsOf(total)}` : "Start"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

type ComesProps = { total?: number; first?: string | null; last?: string | null; zone: string };

/** What it comes to, in a sentence. */
function Comes({ total, first, last, zone }: ComesProps) {
  if (total === undefined) return null;
  if (total === 0) return <>The schedule has no occurrence in that stretch.</>;
  return (
    <>
      <b>{runsOf(total)}</b>
      {first && (
        <>
          , {total > 1 ? "from" : "for"} <Time at={first} zone={zone} show="moment" />
        </>
      )}
      {last && total > 1 && (
        <>
          {" "}
          to <Time at={last} zone={zone} show="moment" />
        </>
      )}
      .{total > MOST_RUNS && ` That is more than ${countOf(MOST_RUNS)} at once: choose a shorter stretch.`}
    </>
  );
}

const runsOf = (total: number) => `${countOf(total)} ${total === 1 ? "run" : "runs"}`;
