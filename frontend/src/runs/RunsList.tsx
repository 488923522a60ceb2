import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import type { ReactNode } from "react";
import { type Run, type RunKind, type RunStatus, useRuns } from "../api/runs";
import { STATUSES } from "../theme/palette";
import { FilterMenu } from "../ui/FilterMenu";
import { Pager } from "../ui/Pager";
import { Empty, Failed, Lines, Panel } from "../ui/Panels";
import { RunStatusMark, STATUS_WORDS } from "../ui/Status";
import { useFreshOnTop } from "../ui/useFreshOnTop";
import { known, useUrl } from "../ui/useUrl";
import { RunsTable } from "./RunsTable";
import { KIND_WORDS } from "./words";

const KINDS = Object.keys(KIND_WORDS) as RunKind[];

/** A list of runs with its filters, of all jobs or of one; new ones wait above it until somebody wants them. */
export function RunsList({ job, zone, none }: { job?: string; zone?: string; none: ReactNode }) {
  const { one, many, set } = useUrl();
  const status = known<RunStatus>(many("status"), STATUSES);
  const kind = known<RunKind>(many("kind"), KINDS);
  const cursor = one("cursor");
  const runs = useRuns({ status, kind, cursor }, job);
  const { rows, fresh, show, hold } = useFreshOnTop<Run>(
    runs.data?.data,
    `${status}|${kind}|${cursor}|${job}`,
    !cursor,
  );
  const filtered = status.length > 0 || kind.length > 0;
  const filter = (part: Parameters<typeof set>[0]) => set({ ...part, cursor: undefined });
  return (
    <>
      <Box role="search" sx={{ display: "flex", flexWrap: "wrap", gap: 1, mb: 1.5 }}>
        <FilterMenu
          label="Status"
          options={STATUSES}
          chosen={status}
          show={(it) => <RunStatusMark status={it} quiet />}
          word={(it) => STATUS_WORDS[it]}
          onChange={(value) => filter({ status: value })}
        />
        <FilterMenu
          label="Started by"
          options={KINDS}
          chosen={kind}
          show={(it) => KIND_WORDS[it]}
          word={(it) => KIND_WORDS[it]}
          onChange={(value) => filter({ kind: value })}
        />
        {filtered && (
          <Button variant="text" onClick={() => filter({ status: undefined, kind: undefined })}>
            Clear filters
          </Button>
        )}
      </Box>
      <Panel flush>
        {runs.data ? (
          rows.length > 0 ? (
            <>
              {fresh > 0 && (
                <Button
                  variant="text"
                  fullWidth
                  onClick={show}
                  sx={{ borderRadius: 0, borderBottom: 1, borderColor: "line" }}
                >
                  {fresh} new {fresh === 1 ? "run" : "runs"} — show
                </Button>
              )}
              <Box {...hold} sx={{ overflowX: "auto", opacity: runs.isPlaceholderData ? 0.6 : 1 }}>
                <RunsTable runs={rows} job={!job} zone={zone} />
              </Box>
            </>
          ) : filtered || cursor ? (
            <Empty
              title="No run matches"
              action={
                <Button
                  variant="outlined"
                  onClick={() => set({ status: undefined, kind: undefined, cursor: undefined })}
                >
                  Clear filters
                </Button>
              }
            >
              There may be others without these filters.
            </Empty>
          ) : (
            none
          )
        ) : runs.error ? (
          <Failed error={runs.error} again={() => void runs.refetch()} what="list" />
        ) : (
          <Lines rows={10} />
        )}
        {runs.data && (
          <Pager next={runs.data.next_cursor} count={rows.length} what={rows.length === 1 ? "run" : "runs"} />
        )}
      </Panel>
    </>
  );
}
