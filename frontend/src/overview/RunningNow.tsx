import Box from "@mui/material/Box";
import { useRuns } from "../api/runs";
import { Took } from "../runs/RunsTable";
import { MONO } from "../theme/theme";
import { Link } from "../ui/Link";
import { Lines, Panel } from "../ui/Panels";

/** What is being done at this moment. */
export function RunningNow() {
  const runs = useRuns({ status: ["running"], limit: 8 });
  const rows = runs.data?.data ?? [];
  return (
    <Panel title="Running now" aside={runs.data?.has_more && <Link to="/runs?status=running">All</Link>}>
      {!runs.data ? (
        <Lines rows={2} />
      ) : rows.length === 0 ? (
        <Box sx={{ color: "text.secondary", fontSize: "0.8125rem" }}>Nothing at this moment.</Box>
      ) : (
        <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, fontSize: "0.8125rem" }}>
          {rows.map((run) => (
            <Box
              component="li"
              key={run.id}
              sx={{ display: "flex", gap: 1.5, py: 0.5, alignItems: "baseline" }}
            >
              <Link
                to={`/runs/${run.id}`}
                color="inherit"
                sx={{
                  fontFamily: MONO,
                  flex: 1,
                  minWidth: 0,
                  overflow: "hidden",
                  textOverflow: "ellipsis",
                  whiteSpace: "nowrap",
                }}
              >
                {run.job_name}
              </Link>
              <Box sx={{ color: "status.running", fontVariantNumeric: "tabular-nums" }}>
                <Took run={run} />
              </Box>
            </Box>
          ))}
        </Box>
      )}
    </Panel>
  );
}
