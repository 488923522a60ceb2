import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useQueryClient } from "@tanstack/react-query";
import { type Job, lookAgain } from "../api/jobs";
import { requests } from "../api/runs";
import type { Attention, Stats } from "../api/stats";
import { useJobActions } from "../jobs/useJobActions";
import { MONO } from "../theme/theme";
import { Time } from "../time/Time";
import { Link } from "../ui/Link";
import { Empty, Panel } from "../ui/Panels";
import { toast, toastError } from "../ui/toasts";

const CAUSES: Record<Attention["causes"][number], string> = {
  invalid: "cannot be read",
  paused_by_failures: "paused after failures",
  late: "overdue",
  failing: "failing",
  no_success: "has not succeeded lately",
};

/** Jobs that somebody should look at, the most urgent first; what helps most often is one click away. */
export function NeedsAttention({ stats }: { stats: Stats }) {
  const { attention } = stats;
  return (
    <Panel
      title="Needs attention"
      flush={attention.length > 0}
      aside={
        attention.length > 0 && (
          <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
            {stats.attention_complete ? attention.length : `${attention.length}+`}
          </Box>
        )
      }
    >
      {attention.length === 0 ? (
        <Empty title="Nothing does">Jobs that fail, are late or were paused by failures appear here.</Empty>
      ) : (
        <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
          {attention.map((it) => (
            <Entry key={it.job_id} it={it} />
          ))}
        </Box>
      )}
    </Panel>
  );
}

function Entry({ it }: { it: Attention }) {
  const queries = useQueryClient();
  const { pause, resume } = useJobActions();
  const job = { id: it.job_id, name: it.job_name } as Job;
  const retry = async () => {
    if (!it.last_run) return;
    try {
      await requests.retry(it.last_run.id);
      toast({ title: `The latest run of “${it.job_name}” is tried again` });
    } catch (error) {
      toastError("The run was not retried", error);
    } finally {
      lookAgain(queries);
    }
  };
  const failed = it.last_run && (it.last_run.status === "failed" || it.last_run.status === "timed_out");
  return (
    <Box
      component="li"
      sx={{
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        gap: 1,
        px: 2,
        py: 1,
        borderTop: 1,
        borderColor: "line",
        "&:first-of-type": { borderTop: 0 },
      }}
    >
      <Box sx={{ flex: "1 1 220px", minWidth: 0 }}>
        <Link
          to={`/jobs/${it.job_id}`}
          color="inherit"
          sx={{ fontFamily: MONO, fontWeight: 600, fontSize: "0.8125rem", overflowWrap: "anywhere" }}
        >
          {it.job_name}
        </Link>
        <Box sx={{ fontSize: "0.75rem", color: "text.secondary", overflowWrap: "anywhere" }}>
          <Box component="span" sx={{ color: "status.failed", fontWeight: 550 }}>
            {it.causes
              .filter((cause) => cause !== "no_success" || it.causes.length === 1)
              .map((cause) => CAUSES[cause])
              .join(", ")}
          </Box>
          {it.failing_since && (
            <>
              {" "}
              since <Time at={it.failing_since} show="moment" />, {it.failures_at_least ? "at least " : ""}
              {it.failures} {it.failures === 1 ? "time" : "times"} in a row
            </>
          )}
          {it.late_since && (
            <>
              {" "}
              since <Time at={it.late_since} />
            </>
          )}
          {it.error && `: ${it.error}`}
          {it.pause_reason && ` · ${it.pause_reason}`}
        </Box>
      </Box>
      {it.last_run && (
        <Button component={Link} to={`/runs/${it.last_run.id}`} variant="text">
          Why
        </Button>
      )}
      {failed && (
        <Button variant="outlined" onClick={() => void retry()}>
          Retry
        </Button>
      )}
      {it.state === "active" && (
        <Button variant="outlined" onClick={() => void pause(job)}>
          Pause
        </Button>
      )}
      {it.state === "paused" && (
        <Button variant="outlined" onClick={() => void resume(job)}>
          Resume
        </Button>
      )}
    </Box>
  );
}
