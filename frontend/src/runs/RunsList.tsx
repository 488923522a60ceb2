import { mdiClose } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import type { ReactNode } from "react";
import { useJob } from "../api/jobs";
import { type Run, type RunKind, type RunStatus, useRuns } from "../api/runs";
import { STATUSES } from "../theme/palette";
import { FilterMenu } from "../ui/FilterMenu";
import { Icon } from "../ui/Icon";
import { Pager } from "../ui/Pager";
import { Empty, Failed, Lines, Panel } from "../ui/Panels";
import { SelectionBar, useSelection } from "../ui/Selection";
import { RunStatusMark, STATUS_WORDS } from "../ui/Status";
import { useFreshOnTop } from "../ui/useFreshOnTop";
import { known, useUrl } from "../ui/useUrl";
import { Range } from "./Range";
import { RunsBulk } from "./RunsBulk";
import { RunsTable } from "./RunsTable";
import { KIND_WORDS } from "./words";

const KINDS = Object.keys(KIND_WORDS) as RunKind[];

/** A list of runs with its filters, of all jobs or of one; new ones wait above it until somebody wants them. */
export function RunsList({ job, zone, none }: { job?: string; zone?: string; none: ReactNode }) {
  const { one, many, set } = useUrl();
  const status = known<RunStatus>(many("status"), STATUSES);
  const kind = known<RunKind>(many("kind"), KINDS);
  const cursor = one("cursor");
  const ofJob = job ?? one("job");
  const [from, to] = [one("from"), one("to")];
  const runs = useRuns({ status, kind, from, to, cursor }, ofJob);
  const question = `${status}|${kind}|${from}|${to}|${cursor}|${ofJob}`;
  const { rows, fresh, show, hold } = useFreshOnTop<Run>(runs.data?.data, question, !cursor && !to);
  const selection = useSelection(
    question,
    rows.map(({ id }) => id),
  );
  const own = job ? undefined : one("job");
  const filtered =
    status.length > 0 || kind.length > 0 || from !== undefined || to !== undefined || own !== undefined;
  const clear = {
    status: undefined,
    kind: undefined,
    from: undefined,
    to: undefined,
    job: undefined,
    cursor: undefined,
  };
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
        <Range from={from} to={to} onChange={filter} />
        {own && <OfJob id={own} onClear={() => filter({ job: undefined })} />}
        {filtered && (
          <Button variant="text" onClick={() => set(clear)}>
            Clear filters
          </Button>
        )}
      </Box>
      <Panel flush>
        {runs.data ? (
          rows.length > 0 ? (
            <>
              {selection.picked.size > 0 && (
                <SelectionBar
                  count={selection.picked.size}
                  what="runs"
                  more={(runs.data.has_more || cursor !== undefined) && filtered}
                  all={selection.all}
                  takeAll={selection.takeAll}
                  clear={selection.clear}
                >
                  <RunsBulk
                    ids={[...selection.picked]}
                    all={selection.all}
                    filter={{ status, kind, from, to, job: ofJob }}
                    done={selection.clear}
                  />
                </SelectionBar>
              )}
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
                <RunsTable runs={rows} job={!job} zone={zone} {...selection} />
              </Box>
            </>
          ) : filtered || cursor ? (
            <Empty
              title="No run matches"
              action={
                <Button variant="outlined" onClick={() => set(clear)}>
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

/** The job that the list is narrowed to, by its name. */
function OfJob({ id, onClear }: { id: string; onClear: () => void }) {
  const job = useJob(id, { live: false });
  return (
    <Chip
      label={`Job: ${job.data?.name ?? id}`}
      onDelete={onClear}
      deleteIcon={
        <span aria-hidden="true">
          <Icon path={mdiClose} size={14} />
        </span>
      }
      sx={{ height: 30 }}
    />
  );
}
