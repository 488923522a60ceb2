import Box from "@mui/material/Box";
import { useJobs, zoneOf } from "../api/jobs";
import { MONO } from "../theme/theme";
import { Time } from "../time/Time";
import { Link } from "../ui/Link";
import { Empty, Lines, Panel } from "../ui/Panels";

/** The ten jobs that are due next. */
export function NextUp() {
  const jobs = useJobs({ state: ["active"], sort: "next_fire_at", limit: 10 });
  const rows = jobs.data?.data ?? [];
  return (
    <Panel title="Next up" aside={<Link to="/timeline">Timeline</Link>}>
      {!jobs.data ? (
        <Lines rows={5} />
      ) : rows.length === 0 ? (
        <Empty title="No job is active" />
      ) : (
        <Box component="ol" sx={{ listStyle: "none", m: 0, p: 0, fontSize: "0.8125rem" }}>
          {rows.map((job) => (
            <Box
              component="li"
              key={job.id}
              sx={{ display: "flex", gap: 1.5, py: 0.5, alignItems: "baseline" }}
            >
              <Link
                to={`/jobs/${job.id}`}
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
                {job.name}
              </Link>
              {"next_fire_at" in job && job.next_fire_at && (
                <Box sx={{ color: "text.secondary" }}>
                  <Time at={job.next_fire_at} zone={zoneOf(job)} due />
                </Box>
              )}
            </Box>
          ))}
        </Box>
      )}
    </Panel>
  );
}
