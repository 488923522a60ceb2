import { mdiChevronLeft, mdiChevronRight, mdiRefresh, mdiStopCircleOutline } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { lookAgain, useJob, zoneOf } from "../api/jobs";
import { isOver, type Run, requests, useRun, useRuns } from "../api/runs";
import { isTyping } from "../app/shortcuts";
import { settings } from "../settings/settings";
import { countOf, durationOf } from "../time/format";
import { Time } from "../time/Time";
import { copy } from "../ui/copy";
import { Icon } from "../ui/Icon";
import { Link } from "../ui/Link";
import { Page } from "../ui/Page";
import { Failed, Lines, Panel } from "../ui/Panels";
import { RunStatusMark, STATUS_WORDS } from "../ui/Status";
import { toast, toastError } from "../ui/toasts";
import { AttemptPanel } from "./AttemptPanel";
import { Journey } from "./Journey";
import { RunLog } from "./RunLog";
import { Took } from "./RunsTable";
import { KIND_WORDS, reasonOf } from "./words";

export default function RunPage() {
  const { id = "" } = useParams();
  const run = useRun(id);
  if (!run.data) {
    return (
      <Page title="Run">
        {run.error ? <Failed error={run.error} again={() => void run.refetch()} what="run" /> : <Lines />}
      </Page>
    );
  }
  return <Shown run={run.data} />;
}

function Shown({ run }: { run: Run }) {
  const job = useJob(run.job_id);
  const zone = zoneOf(job.data);
  const reason = reasonOf(run);
  return (
    <Page
      title={`${run.job_name}: ${STATUS_WORDS[run.status].toLowerCase()}`}
      above={
        <>
          <Link to="/runs">Runs</Link> /{" "}
          {job.data ? <Link to={`/jobs/${run.job_id}`}>{run.job_name}</Link> : run.job_name}
        </>
      }
      heading={
        <>
          Run for <Time at={run.scheduled_for} zone={zone} show="moment" seconds />
        </>
      }
      beside={<RunStatusMark status={run.status} />}
      actions={<RunActions run={run} />}
    >
      <Box sx={{ display: "grid", gap: 2 }}>
        <Panel>
          <Journey run={run} zone={zone} />
          <Facts run={run} zone={zone} />
          {reason && (
            <Box sx={{ mt: 1.5, fontSize: "0.875rem" }}>
              <b>{STATUS_WORDS[run.status]}:</b> {reason}
            </Box>
          )}
          {run.callback && <Taken callback={run.callback} zone={zone} />}
          {run.cancel_requested && !isOver(run) && (
            <Box sx={{ mt: 1.5, color: "warning.main" }}>
              It is being cancelled: the attempt has been told to stop.
            </Box>
          )}
        </Panel>
        <RunLog id={run.id} zone={zone} />
        {[...run.attempts].reverse().map((attempt) => (
          <AttemptPanel key={`${attempt.number}-${attempt.started_at}`} attempt={attempt} zone={zone} />
        ))}
        {run.attempts.length === 0 && !isOver(run) && (
          <Panel>
            <Box sx={{ color: "text.secondary" }}>
              What is sent and what comes back is shown when the attempt has ended.
            </Box>
          </Panel>
        )}
      </Box>
    </Page>
  );
}

/** A target that has taken the work: how far it says it is, and when it was last heard of. */
function Taken({ callback, zone }: { callback: NonNullable<Run["callback"]>; zone?: string }) {
  const { progress, message, heartbeat_at, until } = callback;
  return (
    <Box sx={{ mt: 1.5, fontSize: "0.8125rem" }}>
      <b>The target has taken the work</b> and reports until{" "}
      <Time at={until} zone={zone} show="moment" seconds />
      {heartbeat_at && (
        <>
          ; last heard of <Time at={heartbeat_at} zone={zone} />
        </>
      )}
      .{message && <Box sx={{ color: "text.secondary", overflowWrap: "anywhere" }}>{message}</Box>}
      {progress !== null && (
        <Box
          role="progressbar"
          aria-label="Progress"
          aria-valuenow={progress}
          aria-valuemin={0}
          aria-valuemax={100}
          sx={{ mt: 1, height: 6, borderRadius: 1, bgcolor: "line", overflow: "hidden", maxWidth: 420 }}
        >
          <Box
            sx={{ height: 1, bgcolor: "status.running" }}
            style={{ width: `${Math.min(100, progress)}%` }}
          />
        </Box>
      )}
    </Box>
  );
}

function Facts({ run, zone }: { run: Run; zone?: string }) {
  const facts: [string, ReactNode][] = [
    ["Took", <Took key="took" run={run} />],
    ["Late by", typeof run.lag_ms === "number" ? durationOf(run.lag_ms) : "–"],
    ["Started by", KIND_WORDS[run.kind]],
    ["Attempts", run.attempts.length],
    ["Worker", run.worker ? <code key="worker">{run.worker}</code> : "–"],
    [
      "Id",
      <Box
        key="id"
        component="button"
        type="button"
        data-tip="Copy"
        onClick={() => void copy(run.id)}
        sx={{
          font: "inherit",
          color: "inherit",
          p: 0,
          border: 0,
          bgcolor: "transparent",
          cursor: "copy",
          minHeight: 24,
          textAlign: "left",
          overflowWrap: "anywhere",
        }}
      >
        <code>{run.id}</code>
      </Box>,
    ],
  ];
  if (run.count > 1) {
    facts.push([
      "Stands for",
      <span key="count">
        {countOf(run.count)} occurrences, to{" "}
        <Time at={run.scheduled_until ?? run.scheduled_for} zone={zone} show="moment" seconds />
      </span>,
    ]);
  }
  return (
    <Box component="dl" sx={{ m: 0, mt: 2.5, display: "flex", flexWrap: "wrap", gap: "12px 32px" }}>
      {facts.map(([name, value]) => (
        <Box key={name}>
          <Box component="dt" sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
            {name}
          </Box>
          <Box component="dd" sx={{ m: 0, fontSize: "0.8125rem", minHeight: 20 }}>
            {value}
          </Box>
        </Box>
      ))}
    </Box>
  );
}

function RunActions({ run }: { run: Run }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const act = async (doing: string, done: string, request: () => Promise<Run>) => {
    setBusy(true);
    try {
      queries.setQueryData(["run", run.id], await request());
      toast({ title: done });
    } catch (error) {
      toastError(doing, error);
    } finally {
      setBusy(false);
      lookAgain(queries);
    }
  };
  const retryable = ["failed", "timed_out", "cancelled"].includes(run.status);
  return (
    <>
      <Neighbours run={run} />
      {retryable && (
        <Button
          variant="contained"
          disabled={busy}
          startIcon={<Icon path={mdiRefresh} size={16} />}
          onClick={() =>
            void act("The run was not retried", "It is tried again", () => requests.retry(run.id))
          }
        >
          Retry
        </Button>
      )}
      {!isOver(run) && (
        <Button
          variant="outlined"
          color="error"
          disabled={busy || run.cancel_requested}
          startIcon={<Icon path={mdiStopCircleOutline} size={16} />}
          onClick={() =>
            void act("The run was not cancelled", "It is being cancelled", () => requests.cancel(run.id))
          }
        >
          Cancel run
        </Button>
      )}
    </>
  );
}

/** To the run before and the one after, of the same job: `k` and `j`. */
function Neighbours({ run }: { run: Run }) {
  const navigate = useNavigate();
  const runs = useRuns({ limit: 200 }, run.job_id);
  const list = runs.data?.data ?? [];
  const at = list.findIndex(({ id }) => id === run.id);
  const newer = at > 0 ? list[at - 1]?.id : undefined;
  const older = at >= 0 ? list[at + 1]?.id : undefined;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        isTyping(event.target) ||
        !settings.get().shortcuts
      )
        return;
      const to = event.key === "j" ? older : event.key === "k" ? newer : undefined;
      if (to) navigate(`/runs/${to}`, { replace: true });
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [navigate, newer, older]);
  if (at < 0) return null;
  const go = (to: string | undefined) => () => to && navigate(`/runs/${to}`, { replace: true });
  return (
    <Box sx={{ display: "flex" }}>
      <IconButton aria-label="Newer run" data-tip="Newer run (k)" disabled={!newer} onClick={go(newer)}>
        <Icon path={mdiChevronLeft} />
      </IconButton>
      <IconButton aria-label="Older run" data-tip="Older run (j)" disabled={!older} onClick={go(older)}>
        <Icon path={mdiChevronRight} />
      </IconButton>
    </Box>
  );
}
