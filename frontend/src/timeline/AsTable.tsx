import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import type { Timeline } from "../api/stats";
import { MONO } from "../theme/theme";
import { durationOf } from "../time/format";
import { Time } from "../time/Time";
import { Link } from "../ui/Link";
import { words } from "./Row";

/** The same, for who cannot see it, or wants to copy it. */
export function AsTable({ timeline }: { timeline: Timeline }) {
  return (
    <Table size="small" aria-label="Timeline as a table">
      <TableHead>
        <TableRow>
          <TableCell>Job</TableCell>
          <TableCell>Runs</TableCell>
          <TableCell>Next</TableCell>
          <TableCell align="right">Usually takes</TableCell>
        </TableRow>
      </TableHead>
      <TableBody>
        {timeline.data.map((row) => {
          const next = row.upcoming[0]?.due_at ?? (row.upcoming_counts ?? [])[0]?.from;
          return (
            <TableRow key={row.job_id} hover>
              <TableCell sx={{ fontFamily: MONO, overflowWrap: "anywhere" }}>
                <Link to={`/jobs/${row.job_id}`} color="inherit">
                  {row.job_name}
                </Link>
              </TableCell>
              <TableCell>{words(row).slice(row.job_name.length + 2)}</TableCell>
              <TableCell>{next && <Time at={next} show="moment" />}</TableCell>
              <TableCell align="right">{row.typical_ms !== null && durationOf(row.typical_ms)}</TableCell>
            </TableRow>
          );
        })}
      </TableBody>
    </Table>
  );
}
