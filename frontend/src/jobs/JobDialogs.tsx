import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import { serviceNow } from "../api/connection";
import type { Job } from "../api/jobs";
import { BackfillDialog } from "../backfills/BackfillDialog";
import { useSettings } from "../settings/settings";
import { exactOf, resolveZone } from "../time/format";
import { instantOf } from "../time/wall";
import { useStore } from "../ui/store";
import { RunDialog } from "./RunDialog";
import { jobDialog, useJobActions } from "./useJobActions";

/** The questions about a job that need an answer first. */
export default function JobDialogs() {
  const open = useStore(jobDialog);
  const close = () => jobDialog.set(undefined);
  if (!open) return null;
  switch (open.kind) {
    case "pause":
      return <PauseDialog job={open.job} close={close} />;
    case "delete":
      return <DeleteDialog job={open.job} close={close} onDone={open.onDone} />;
    case "backfill":
      return <BackfillDialog job={open.job} close={close} />;
    case "run":
      return <RunDialog job={open.job} close={close} />;
  }
}

const SPANS: [string, number | undefined][] = [
  ["Until I resume it", undefined],
  ["1 hour", 3_600_000],
  ["8 hours", 28_800_000],
  ["1 day", 86_400_000],
  ["1 week", 604_800_000],
];

function PauseDialog({ job, close }: { job: Job; close: () => void }) {
  const { pause } = useJobActions();
  const settings = useSettings();
  const zone = resolveZone(settings.zone, "schedule" in job ? job.schedule.timezone : undefined);
  const [reason, setReason] = useState("");
  const [span, setSpan] = useState<number | "at" | undefined>(undefined);
  const [at, setAt] = useState("");
  const chosen = span === "at" ? (at ? instantOf(at, zone) : undefined) : span && serviceNow() + span;
  const missing = span === "at" && chosen === undefined;
  const submit = () => {
    close();
    void pause(job, {
      reason: reason.trim() || undefined,
      until: chosen ? new Date(chosen).toISOString() : undefined,
    });
  };
  return (
    <Dialog open onClose={close} fullWidth maxWidth="xs" aria-labelledby="pause-title">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!missing) submit();
        }}
      >
        <DialogTitle id="pause-title" sx={{ overflowWrap: "anywhere" }}>
          Pause “{job.name}”
        </DialogTitle>
        <DialogContent sx={{ display: "grid", gap: 2 }}>
          <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.75 }} role="group" aria-label="How long">
            {SPANS.map(([label, value]) => (
              <Button
                key={label}
                variant={span === value ? "contained" : "outlined"}
                aria-pressed={span === value}
                onClick={() => setSpan(value)}
              >
                {label}
              </Button>
            ))}
            <Button
              variant={span === "at" ? "contained" : "outlined"}
              aria-pressed={span === "at"}
              onClick={() => setSpan("at")}
            >
              Until…
            </Button>
          </Box>
          {span === "at" && (
            <TextField
              type="datetime-local"
              label={`Until, ${zone}`}
              value={at}
              onChange={(event) => setAt(event.target.value)}
              slotProps={{ inputLabel: { shrink: true } }}
            />
          )}
          {chosen !== undefined && (
            <Box sx={{ color: "text.secondary", fontSize: "0.8125rem" }}>
              It resumes by itself at {exactOf(chosen, zone)}.
            </Box>
          )}
          <TextField
            label="Why (others will see this)"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 500 } }}
            autoFocus
          />
          <Box sx={{ color: "text.secondary", fontSize: "0.8125rem" }}>
            Occurrences meanwhile are recorded as missed. Runs under way go on.
          </Box>
        </DialogContent>
        <DialogActions>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="contained" disabled={missing}>
            Pause
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ job, close, onDone }: { job: Job; close: () => void; onDone?: () => void }) {
  const { remove } = useJobActions();
  return (
    <Dialog open onClose={close} fullWidth maxWidth="xs" aria-labelledby="delete-title">
      <DialogTitle id="delete-title" sx={{ overflowWrap: "anywhere" }}>
        Delete “{job.name}”?
      </DialogTitle>
      <DialogContent sx={{ fontSize: "0.875rem" }}>
        It will not run again. The record of its runs stays. To stop it for a while only, pause it instead.
      </DialogContent>
      <DialogActions>
        <Button onClick={close} autoFocus>
          Keep it
        </Button>
        <Button
          variant="contained"
          color="error"
          onClick={() => {
            close();
            void remove(job);
            onDone?.();
          }}
        >
          Delete
        </Button>
      </DialogActions>
    </Dialog>
  );
}
