import Box from "@mui/material/Box";
import Checkbox from "@mui/material/Checkbox";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { lengthOf, type Run } from "../api/runs";
import { MONO } from "../theme/theme";
import { countOf, durationOf } from "../time/format";
import { Time } from "../time/Time";
import { useNow } from "../time/useNow";
import { Link } from "../ui/Link";
import { RunStatusMark, STATUS_WORDS } from "../ui/Status";
import { KIND_WORDS, reasonOf } from "./words";

const MIDDLE = { display: { xs: "none", sm: "table-cell" } };
const WIDE = { display: { xs: "none", md: "table-cell" } };

type Props = {
  runs: Run[];
  job?: boolean;
  zone?: string;
  picked: ReadonlySet<string>;
  toggle: (id: string) => void;
  toggleAll: () => void;
};

/** Runs, newest first; with the job they belong to unless all are of one. */
export function RunsTable({ runs, job, zone, picked, toggle, toggleAll }: Props) {
  return (
    <Table size="small" aria-label="Runs" sx={{ "[data-density=roomy] & td": { paddingBlock: "13px" } }}>
      <TableHead>
        <TableRow>
          <TableCell padding="checkbox" sx={MIDDLE}>
            <Checkbox
              checked={picked.size > 0 && picked.size === runs.length}
              indeterminate={picked.size > 0 && picked.size < runs.length}
              onChange={toggleAll}
              slotProps={{ input: { "aria-label": "Select all runs on this page" } }}
            />
          </TableCell>
          <TableCell>Status</TableCell>
          {job && <TableCell>Job</TableCell>}
          <TableCell>Scheduled for</TableCell>
          <TableCell sx={MIDDLE}>Late by</TableCell>
          <TableCell align="right">Took</TableCell>
          <TableCell sx={WIDE} align="right">
            Attempts
          </TableCell>
          <TableCell sx={WIDE}>Why</TableCell>
        </TableRow>
      </TableHead>
      <TableBody>
        {runs.map((run) => (
          <Row
            key={run.id}
            run={run}
            job={job}
            zone={zone}
            picked={picked.has(run.id)}
            toggle={() => toggle(run.id)}
          />
        ))}
      </TableBody>
    </Table>
  );
}

type RowProps = { run: Run; job?: boolean; zone?: string; picked: boolean; toggle: () => void };

function Row({ run, job, zone, picked, toggle }: RowProps) {
  const last = run.attempts.at(-1);
  const why = last?.error?.message ?? reasonOf(run);
  return (
    <TableRow hover selected={picked}>
      <TableCell padding="checkbox" sx={MIDDLE}>
        <Checkbox
          checked={picked}
          onChange={toggle}
          slotProps={{
            input: { "aria-label": `Select the run of ${run.job_name} for ${run.scheduled_for}` },
          }}
        />
      </TableCell>
      <TableCell sx={{ width: 112 }}>
        <Link
          to={`/runs/${run.id}`}
          color="inherit"
          aria-label={`Run of ${run.job_name}, ${STATUS_WORDS[run.status].toLowerCase()}, ${run.scheduled_for}`}
        >
          <RunStatusMark status={run.status} />
        </Link>
        {run.kind !== "schedule" && (
          <Box sx={{ fontSize: "0.6875rem", color: "text.secondary" }}>{KIND_WORDS[run.kind]}</Box>
        )}
      </TableCell>
      {job && (
        <TableCell sx={{ fontFamily: MONO, overflowWrap: "anywhere", minWidth: 90 }}>
          <Link to={`/jobs/${run.job_id}`} color="inherit">
            {run.job_name}
          </Link>
        </TableCell>
      )}
      <TableCell>
        <Time at={run.scheduled_for} zone={zone} show="moment" seconds />
        {run.count > 1 && (
          <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
            and {countOf(run.count - 1)} more, to{" "}
            <Time at={run.scheduled_until ?? run.scheduled_for} zone={zone} show="moment" />
          </Box>
        )}
      </TableCell>
      <TableCell sx={{ ...MIDDLE, color: "text.secondary", fontVariantNumeric: "tabular-nums" }}>
        {typeof run.lag_ms === "number" ? durationOf(run.lag_ms) : ""}
      </TableCell>
      <TableCell align="right" sx={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
        <Took run={run} />
      </TableCell>
      <TableCell sx={WIDE} align="right">
        {run.attempts.length || ""}
      </TableCell>
      <TableCell
        sx={{
          ...WIDE,
          color: "text.secondary",
          maxWidth: 360,
          overflow: "hidden",
          textOverflow: "ellipsis",
          whiteSpace: "nowrap",
        }}
      >
        {run.status !== "succeeded" ? why : ""}
      </TableCell>
    </TableRow>
  );
}

export function Took({ run }: { run: Run }) {
  const now = useNow(run.status === "running" ? 1000 : 30_000);
  const length = lengthOf(run, now);
  return length === undefined ? null : durationOf(length);
}
