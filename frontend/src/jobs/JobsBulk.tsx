import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { requests } from "../api/jobs";
import { useBulk } from "../ui/useBulk";

type Props = { ids: string[]; all: boolean; filter: Schemas["JobsFilter"]; done: () => void };

/** From so many on, deleting wants to be typed. */
const MANY = 10;

/** What can be done to many jobs. */
export function JobsBulk({ ids, all, filter, done }: Props) {
  const { act, busy } = useBulk();
  const [asking, setAsking] = useState(false);
  const which = all ? { filter } : { ids };
  const run = (action: Schemas["JobsAction"], words: string) => async () => {
    await act(words, (cursor) => requests.bulk({ action, ...which, cursor }));
    done();
  };
  return (
    <>
      <Button variant="outlined" disabled={busy} onClick={run("run", "run now")}>
        Run
      </Button>
      <Button variant="outlined" disabled={busy} onClick={run("pause", "paused")}>
        Pause
      </Button>
      <Button variant="outlined" disabled={busy} onClick={run("resume", "resumed")}>
        Resume
      </Button>
      <Button variant="outlined" color="error" disabled={busy} onClick={() => setAsking(true)}>
        Delete…
      </Button>
      {asking && (
        <DeleteMany
          count={all ? undefined : ids.length}
          close={() => setAsking(false)}
          confirm={() => {
            setAsking(false);
            void run("delete", "deleted")();
          }}
        />
      )}
    </>
  );
}

function DeleteMany({ count, close, confirm }: { count?: number; close: () => void; confirm: () => void }) {
  const [typed, setTyped] = useState("");
  const must = count === undefined || count > MANY;
  const word = count === undefined ? "delete all" : `delete ${count}`;
  return (
    <Dialog open onClose={close} fullWidth maxWidth="xs" aria-labelledby="delete-many">
      <DialogTitle id="delete-many">
        {count === undefined
          ? "Delete every job that matches?"
          : `Delete ${count} ${count === 1 ? "job" : "jobs"}?`}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2, fontSize: "0.875rem" }}>
        They will not run again. The record of their runs stays.
        {must && (
          <TextField
            autoFocus
            label={`Type “${word}”`}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={close} autoFocus={!must}>
          Keep them
        </Button>
        <Button variant="contained" color="error" disabled={must && typed !== word} onClick={confirm}>
          Delete
        </Button>
      </DialogActions>
    </Dialog>
  );
}
