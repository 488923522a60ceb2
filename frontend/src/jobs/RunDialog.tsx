import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { parseExact, stringifyExact } from "../api/exact";
import { isReadable, type Job } from "../api/jobs";
import { isObject } from "../ui/pointer";
import { useJobActions } from "./useJobActions";

/** Runs a job once with another body than its own. */
export function RunDialog({ job, close }: { job: Job; close: () => void }) {
  const { run } = useJobActions();
  const own = isReadable(job) && job.target.type === "http" ? job.target.body : undefined;
  const [body, setBody] = useState(() => (isObject(own) ? stringifyExact(own, 2) : "{}"));
  const [alone, setAlone] = useState(false);
  const { payload, wrong } = payloadOf(body);
  return (
    <Dialog open onClose={close} fullWidth maxWidth="sm" aria-labelledby="run-title">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!payload) return;
          close();
          void run(job, { payload, ...(alone && { overlap: "skip" }) });
        }}
      >
        <DialogTitle id="run-title" sx={{ overflowWrap: "anywhere" }}>
          Run “{job.name}” with another body
        </DialogTitle>
        <DialogContent sx={{ display: "grid", gap: 2, fontSize: "0.8125rem" }}>
          <TextField
            label="Body of this run"
            value={body}
            onChange={(event) => setBody(event.target.value)}
            error={wrong !== undefined}
            helperText={
              wrong ?? "A JSON object, sent once in place of the job's own. The job stays as it is."
            }
            multiline
            minRows={4}
            maxRows={16}
            autoFocus
            sx={{ mt: 1 }}
            slotProps={{ htmlInput: { spellCheck: false } }}
          />
          <Box component="label" sx={{ display: "flex", gap: 1, alignItems: "center", minHeight: 24 }}>
            <input type="checkbox" checked={alone} onChange={(event) => setAlone(event.target.checked)} />
            Only if no other run of it goes on
          </Box>
        </DialogContent>
        <DialogActions>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="contained" disabled={!payload}>
            Run
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

type Payload = NonNullable<Schemas["RunRequest"]["payload"]>;

/** What was typed as an object, or what is wrong with it. */
export function payloadOf(text: string): { payload?: Payload; wrong?: string } {
  try {
    const value = parseExact(text);
    return isObject(value) ? { payload: value as Payload } : { wrong: "It must be a JSON object: { … }" };
  } catch (error) {
    return { wrong: `Not JSON: ${error instanceof Error ? error.message : ""}` };
  }
}
