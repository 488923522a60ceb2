import { mdiPauseCircleOutline, mdiPencilOutline, mdiPlay, mdiPlayCircleOutline } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { Suspense } from "react";
import { Link as RouterLink, useNavigate, useParams } from "react-router";
import { stringifyExact } from "../api/exact";
import { draftOf, isReadable, type Job, type ReadableJob, useJob, zoneOf } from "../api/jobs";
import { lazy } from "../app/lazy";
import { RunsList } from "../runs/RunsList";
import { relativeOf } from "../time/format";
import { Time } from "../time/Time";
import { useNowNear } from "../time/useNow";
import { Code } from "../ui/Code";
import { Icon } from "../ui/Icon";
import { Link } from "../ui/Link";
import { Page } from "../ui/Page";
import { Empty, Failed, Lines, Panel } from "../ui/Panels";
import { JobStateMark } from "../ui/Status";
import { known, useUrl } from "../ui/useUrl";
import { JobMenu } from "./JobMenu";
import { JobOverview } from "./JobOverview";
import { useJobActions } from "./useJobActions";

const JobDialogs = lazy(() => import("./JobDialogs"));
const TABS = ["overview", "runs", "config"] as const;

export default function JobPage() {
  const { id = "" } = useParams();
  const navigate = useNavigate();
  const job = useJob(id);
  if (!job.data) {
    return (
      <Page title="Job">
        {job.error ? <Failed error={job.error} again={() => void job.refetch()} what="job" /> : <Lines />}
      </Page>
    );
  }
  return (
    <Page
      title={job.data.name}
      above={<Link to="/jobs">Jobs</Link>}
      heading={<code>{job.data.name}</code>}
      beside={<JobStateMark state={job.data.state} />}
      actions={<JobButtons job={job.data} onDeleted={() => navigate("/jobs")} />}
    >
      {isReadable(job.data) ? (
        <Readable job={job.data} />
      ) : (
        <Empty title="What is stored of this job cannot be read">
          {job.data.error}. It does not run. Its runs wait until it is replaced; deleting it ends it.
        </Empty>
      )}
      <Suspense fallback={null}>
        <JobDialogs />
      </Suspense>
    </Page>
  );
}

function JobButtons({ job, onDeleted }: { job: Job; onDeleted: () => void }) {
  const { run, pause, resume } = useJobActions();
  return (
    <>
      {isReadable(job) && (
        <Button
          variant="contained"
          startIcon={<Icon path={mdiPlay} size={16} />}
          onClick={() => void run(job)}
        >
          Run now
        </Button>
      )}
      {job.state === "active" && (
        <Button
          variant="outlined"
          startIcon={<Icon path={mdiPauseCircleOutline} size={16} />}
          onClick={() => void pause(job)}
        >
          Pause
        </Button>
      )}
      {job.state === "paused" && (
        <Button
          variant="outlined"
          startIcon={<Icon path={mdiPlayCircleOutline} size={16} />}
          onClick={() => void resume(job)}
        >
          Resume
        </Button>
      )}
      {isReadable(job) && (
        <Button
          component={RouterLink}
          to={`/jobs/${job.id}/edit`}
          variant="outlined"
          startIcon={<Icon path={mdiPencilOutline} size={16} />}
        >
          Edit
        </Button>
      )}
      <JobMenu job={job} onDeleted={onDeleted} brief />
    </>
  );
}

function Readable({ job }: { job: ReadableJob }) {
  const { one, set } = useUrl();
  const tab = known([one("tab") ?? ""], TABS)[0] ?? "overview";
  return (
    <>
      <Standing job={job} />
      {job.description && (
        <Box sx={{ color: "text.secondary", mb: 1.5, maxWidth: 760, whiteSpace: "pre-line" }}>
          {job.description}
        </Box>
      )}
      <Tabs
        value={tab}
        onChange={(_, value) =>
          set({
            tab: value === "overview" ? undefined : value,
            cursor: undefined,
            status: undefined,
            kind: undefined,
          })
        }
        aria-label="About this job"
        sx={{ mb: 2, borderBottom: 1, borderColor: "line" }}
      >
        <Tab value="overview" label="Overview" />
        <Tab value="runs" label="Runs" />
        <Tab value="config" label="Configuration" />
      </Tabs>
      {tab === "overview" && <JobOverview job={job} />}
      {tab === "runs" && (
        <RunsList
          job={job.id}
          zone={zoneOf(job)}
          none={
            <Empty title="This job has not run yet">
              {job.next_fire_at
                ? "Its first run is on its way; “Run now” does not wait for it."
                : "It has no next occurrence; “Run now” runs it all the same."}
            </Empty>
          }
        />
      )}
      {tab === "config" && (
        <Panel
          title="What it is, all defaults filled in"
          aside={<Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>Version {job.version}</Box>}
        >
          <Code label="configuration" text={stringifyExact(draftOf(job), 2)} />
        </Panel>
      )}
    </>
  );
}

/** When it runs next, or why it does not. */
function Standing({ job }: { job: ReadableJob }) {
  const now = useNowNear(job.next_fire_at ? Date.parse(job.next_fire_at) : 0);
  const zone = zoneOf(job);
  return (
    <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "baseline", columnGap: 1.5, mb: 2 }}>
      {job.next_fire_at ? (
        <>
          <Box
            sx={{
              fontSize: "1.5rem",
              fontWeight: 650,
              letterSpacing: "-0.02em",
              fontVariantNumeric: "tabular-nums",
            }}
          >
            {Date.parse(job.next_fire_at) <= now
              ? "Due now"
              : `Next run ${relativeOf(Date.parse(job.next_fire_at), now)}`}
          </Box>
          <Box sx={{ color: "text.secondary" }}>
            <Time at={job.next_fire_at} zone={zone} show="moment" seconds />
          </Box>
        </>
      ) : (
        <Box sx={{ fontSize: "1.125rem", fontWeight: 600 }}>
          {job.state === "paused"
            ? "Paused"
            : job.state === "completed"
              ? "Completed: no occurrence is left"
              : "No next run"}
        </Box>
      )}
      {job.state === "paused" && (job.pause_reason || job.paused_until) && (
        <Box sx={{ color: "text.secondary", overflowWrap: "anywhere" }}>
          {job.pause_reason}
          {job.paused_until && (
            <>
              {job.pause_reason ? " · " : ""}resumes by itself <Time at={job.paused_until} zone={zone} /> (
              <Time at={job.paused_until} zone={zone} show="moment" />)
            </>
          )}
        </Box>
      )}
    </Box>
  );
}
