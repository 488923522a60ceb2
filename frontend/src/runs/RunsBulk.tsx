import Button from "@mui/material/Button";
import type { Schemas } from "../api/client";
import { requests } from "../api/runs";
import { useBulk } from "../ui/useBulk";

type Props = { ids: string[]; all: boolean; filter: Schemas["RunsFilter"]; done: () => void };

/** What can be done to many runs. */
export function RunsBulk({ ids, all, filter, done }: Props) {
  const { act, busy } = useBulk();
  const which = all ? { filter } : { ids };
  const run = (action: Schemas["RunsAction"], words: string) => async () => {
    await act(words, (cursor) => requests.bulk({ action, ...which, cursor }));
    done();
  };
  return (
    <>
      <Button variant="outlined" disabled={busy} onClick={run("retry", "tried again")}>
        Retry
      </Button>
      <Button variant="outlined" color="error" disabled={busy} onClick={run("cancel", "cancelled")}>
        Cancel
      </Button>
    </>
  );
}
