import Box from "@mui/material/Box";
import Checkbox from "@mui/material/Checkbox";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { useNavigate } from "react-router";
import { isReadable, type Job, type JobSort, zoneOf } from "../api/jobs";
import { RunBars } from "../charts/RunBars";
import { MONO } from "../theme/theme";
import { Time } from "../time/Time";
import { Link } from "../ui/Link";
import { SortLabel } from "../ui/SortLabel";
import { JobStateMark, RunStatusMark } from "../ui/Status";
import { JobMenu } from "./JobMenu";
import { ScheduleText } from "./ScheduleText";
import { targetLine } from "./words";

type Props = {
  jobs: Job[];
  sort: JobSort;
  onSort: (sort: JobSort) => void;
  onLabel: (label: string) => void;
  picked: ReadonlySet<string>;
  toggle: (id: string) => void;
  toggleAll: () => void;
};

const WIDE = { display: { xs: "none", md: "table-cell" } };
const MIDDLE = { display: { xs: "none", sm: "table-cell" } };

export function JobsTable({ jobs, sort, onSort, onLabel, picked, toggle, toggleAll }: Props) {
  const order = { sort, onSort };
  return (
    <Table size="small" aria-label="Jobs" sx={{ "[data-density=roomy] & td": { paddingBlock: "13px" } }}>
      <TableHead>
        <TableRow>
          <TableCell padding="checkbox" sx={MIDDLE}>
            <Checkbox
              checked={picked.size > 0 && picked.size === jobs.length}
              indeterminate={picked.size > 0 && picked.size < jobs.length}
              onChange={toggleAll}
              slotProps={{ input: { "aria-label": "Select all jobs on this page" } }}
            />
          </TableCell>
          <TableCell sx={MIDDLE}>State</TableCell>
          <TableCell>
            <SortLabel by="name" {...order}>
              Name
            </SortLabel>
          </TableCell>
          <TableCell sx={WIDE}>Schedule</TableCell>
          <TableCell>
            <SortLabel by="next_fire_at" {...order}>
              Next run
            </SortLabel>
          </TableCell>
          <TableCell sx={MIDDLE}>Last run</TableCell>
          <TableCell sx={WIDE}>History</TableCell>
          <TableCell sx={{ width: 44 }}>
            <Box component="span" sx={{ position: "absolute", clipPath: "inset(50%)" }}>
              Actions
            </Box>
          </TableCell>
        </TableRow>
      </TableHead>
      <TableBody>
        {jobs.map((job) => (
          <Row
            key={job.id}
            job={job}
            onLabel={onLabel}
            picked={picked.has(job.id)}
            toggle={() => toggle(job.id)}
          />
        ))}
      </TableBody>
    </Table>
  );
}

type RowProps = { job: Job; onLabel: (label: string) => void; picked: boolean; toggle: () => void };

function Row({ job, onLabel, picked, toggle }: RowProps) {
  const navigate = useNavigate();
  const readable = isReadable(job) ? job : undefined;
  return (
    <TableRow hover selected={picked}>
      <TableCell padding="checkbox" sx={MIDDLE}>
        <Checkbox
          checked={picked}
          onChange={toggle}
          slotProps={{ input: { "aria-label": `Select ${job.name}` } }}
        />
      </TableCell>
      <TableCell sx={{ ...MIDDLE, width: 96 }}>
        <JobStateMark state={job.state} />
      </TableCell>
      <TableCell sx={{ minWidth: 140, maxWidth: { md: 0 }, width: { md: "36%" } }}>
        <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "baseline", columnGap: 1, rowGap: 0.25 }}>
          <Link
            to={`/jobs/${job.id}`}
            sx={{
              display: "inline-block",
              py: "3px",
              fontFamily: MONO,
              fontWeight: 600,
              color: "text.primary",
              overflowWrap: "anywhere",
              fontSize: "0.8125rem",
            }}
          >
            {job.name}
          </Link>
          {Object.entries(readable?.labels ?? {}).map(([key, value]) => (
            <LabelButton key={key} label={`${key}:${value}`} onLabel={onLabel} />
          ))}
        </Box>
        <Box
          sx={{
            fontSize: "0.75rem",
            color: "text.secondary",
            display: { xs: "none", lg: "block" },
            overflow: "hidden",
            textOverflow: "ellipsis",
            whiteSpace: "nowrap",
          }}
        >
          {readable ? targetLine(readable.target) : "error" in job && job.error}
        </Box>
        <Box sx={{ display: { xs: "block", sm: "none" }, fontSize: "0.75rem", mt: 0.25 }}>
          <JobStateMark state={job.state} />
        </Box>
        <Box sx={{ display: { xs: "block", md: "none" }, fontSize: "0.75rem", color: "text.secondary" }}>
          {readable && <ScheduleText schedule={readable.schedule} both={false} />}
        </Box>
      </TableCell>
      <TableCell sx={{ ...WIDE, width: "26%" }}>
        {readable && <ScheduleText schedule={readable.schedule} />}
      </TableCell>
      <TableCell sx={{ width: 118 }}>
        <Next job={job} />
      </TableCell>
      <TableCell sx={{ ...MIDDLE, width: 118 }}>
        {job.last_run ? (
          <>
            <Link to={`/runs/${job.last_run.id}`} color="inherit">
              <RunStatusMark status={job.last_run.status} />
            </Link>
            <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
              <Time at={job.last_run.finished_at} zone={zoneOf(job)} />
            </Box>
          </>
        ) : (
          <Box sx={{ color: "text.secondary" }}>None yet</Box>
        )}
      </TableCell>
      <TableCell sx={{ ...WIDE, width: 168 }}>
        <RunBars job={job} onOpen={(id) => navigate(`/runs/${id}`)} />
      </TableCell>
      <TableCell sx={{ pl: 0, textAlign: "right" }}>
        <JobMenu job={job} />
      </TableCell>
    </TableRow>
  );
}

function Next({ job }: { job: Job }) {
  if (!isReadable(job)) return null;
  const zone = zoneOf(job);
  if (job.next_fire_at) {
    return (
      <>
        <Time at={job.next_fire_at} zone={zone} due />
        <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
          <Time at={job.next_fire_at} zone={zone} show="moment" />
        </Box>
      </>
    );
  }
  if (job.paused_until) {
    return (
      <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
        Resumes <Time at={job.paused_until} zone={zone} />
      </Box>
    );
  }
  return <Box sx={{ color: "text.secondary" }}>–</Box>;
}

function LabelButton({ label, onLabel }: { label: string; onLabel: (label: string) => void }) {
  return (
    <Box
      component="button"
      type="button"
      onClick={() => onLabel(label)}
      data-tip={`Show jobs with ${label}`}
      sx={{
        font: "inherit",
        fontSize: "0.6875rem",
        lineHeight: "18px",
        minHeight: 20,
        px: 0.75,
        border: 1,
        borderColor: "line",
        borderRadius: 0.75,
        bgcolor: "sunken",
        color: "text.secondary",
        cursor: "pointer",
        maxWidth: 200,
        overflow: "hidden",
        textOverflow: "ellipsis",
        whiteSpace: "nowrap",
        "&:hover": { color: "text.primary", borderColor: "lineStrong" },
      }}
    >
      {label}
    </Box>
  );
}
