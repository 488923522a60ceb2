import { mdiClose } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import { Suspense } from "react";
import { type JobSort, type JobState, useJobs } from "../api/jobs";
import { lazy } from "../app/lazy";
import { FilterMenu } from "../ui/FilterMenu";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Pager } from "../ui/Pager";
import { Empty, Failed, Lines, Panel } from "../ui/Panels";
import { Search } from "../ui/Search";
import { SelectionBar, useSelection } from "../ui/Selection";
import { JobStateMark, STATE_WORDS } from "../ui/Status";
import { useSteady } from "../ui/useSteady";
import { known, useUrl } from "../ui/useUrl";
import { Begin } from "./Begin";
import { CreateJob } from "./CreateJob";
import { JobsBulk } from "./JobsBulk";
import { JobsTable } from "./JobsTable";

const JobDialogs = lazy(() => import("./JobDialogs"));

const STATES: readonly JobState[] = ["active", "paused", "completed", "invalid"];
const SORTS: readonly JobSort[] = [
  "next_fire_at",
  "-next_fire_at",
  "name",
  "-name",
  "created_at",
  "-created_at",
];

export default function JobsPage() {
  const { one, many, set } = useUrl();
  const q = one("q") ?? "";
  const states = known(many("state"), STATES);
  const label = one("label");
  const sort = known([one("sort") ?? ""], SORTS)[0] ?? "next_fire_at";
  const cursor = one("cursor");
  const jobs = useJobs({
    q: q || undefined,
    state: states,
    label: label ? [label] : [],
    sort,
    cursor,
    include: ["history"],
  });
  const question = `${q}|${states}|${label}|${sort}|${cursor}`;
  const { rows, hold } = useSteady(jobs.data?.data, question);

  const selection = useSelection(
    question,
    rows.map(({ id }) => id),
  );

  const filtered = q !== "" || states.length > 0 || label !== undefined;
  const filter = (part: Parameters<typeof set>[0], replace = false) =>
    set({ ...part, cursor: undefined }, { replace });
  const clear = () => filter({ q: undefined, state: undefined, label: undefined });
  const first = jobs.data && jobs.data.data.length === 0 && !filtered && !cursor;

  return (
    <Page title="Jobs" actions={<CreateJob />}>
      {first ? (
        <Begin />
      ) : (
        <>
          <Box role="search" sx={{ display: "flex", flexWrap: "wrap", gap: 1, mb: 1.5 }}>
            <Search
              label="Search jobs"
              placeholder="Search by name"
              value={q}
              onChange={(value) => filter({ q: value }, true)}
            />
            <FilterMenu
              label="State"
              options={STATES}
              chosen={states}
              show={(state) => <JobStateMark state={state} />}
              word={STATE_WORDS}
              onChange={(state) => filter({ state })}
            />
            {label && (
              <Chip
                label={label}
                onDelete={() => filter({ label: undefined })}
                deleteIcon={
                  <span aria-hidden="true">
                    <Icon path={mdiClose} size={14} />
                  </span>
                }
                sx={{ height: 30 }}
              />
            )}
            {filtered && (
              <Button variant="text" onClick={clear}>
                Clear filters
              </Button>
            )}
          </Box>
          <Panel flush>
            {jobs.data ? (
              rows.length > 0 ? (
                <>
                  {selection.picked.size > 0 && (
                    <SelectionBar
                      count={selection.picked.size}
                      what="jobs"
                      more={jobs.data.has_more || cursor !== undefined}
                      all={selection.all}
                      takeAll={selection.takeAll}
                      clear={selection.clear}
                    >
                      <JobsBulk
                        ids={[...selection.picked]}
                        all={selection.all}
                        filter={{ q: q || undefined, state: states, label: label ? [label] : [] }}
                        done={selection.clear}
                      />
                    </SelectionBar>
                  )}
                  <Box {...hold} sx={{ overflowX: "auto", opacity: jobs.isPlaceholderData ? 0.6 : 1 }}>
                    <JobsTable
                      jobs={rows}
                      sort={sort}
                      onSort={(value) => filter({ sort: value })}
                      onLabel={(value) => filter({ label: value })}
                      {...selection}
                    />
                  </Box>
                </>
              ) : (
                <Empty
                  title="No job matches"
                  action={
                    <Button
                      variant="outlined"
                      onClick={cursor && !filtered ? () => set({ cursor: undefined }) : clear}
                    >
                      {filtered ? "Clear filters" : "First page"}
                    </Button>
                  }
                >
                  {q
                    ? `No name contains “${q}” with these filters.`
                    : "There are jobs, but none with these filters."}
                </Empty>
              )
            ) : jobs.error ? (
              <Failed error={jobs.error} again={() => void jobs.refetch()} what="list" />
            ) : (
              <Lines rows={10} />
            )}
            {jobs.data && (
              <Pager
                next={jobs.data.next_cursor}
                count={rows.length}
                what={rows.length === 1 ? "job" : "jobs"}
              />
            )}
          </Panel>
        </>
      )}
      <Suspense fallback={null}>
        <JobDialogs />
      </Suspense>
    </Page>
  );
}
