import {
  mdiCodeTags,
  mdiContentCopy,
  mdiDeleteOutline,
  mdiHistory,
  mdiPauseCircleOutline,
  mdiPencilOutline,
  mdiPlay,
  mdiPlayCircleOutline,
} from "@mdi/js";
import { useNavigate } from "react-router";
import { stringifyExact } from "../api/exact";
import { draftOf, isReadable, type Job } from "../api/jobs";
import { Actions } from "../ui/Actions";
import { copy } from "../ui/copy";
import { jobDialog, useJobActions } from "./useJobActions";

/** Everything that can be done to a job. */
export function JobMenu({ job, onDeleted, brief }: { job: Job; onDeleted?: () => void; brief?: boolean }) {
  const navigate = useNavigate();
  const { run, pause, resume } = useJobActions();
  const readable = isReadable(job);
  return (
    <Actions
      label={`Actions for ${job.name}`}
      actions={[
        readable && !brief && { label: "Run now", icon: mdiPlay, act: () => void run(job) },
        !brief &&
          job.state === "active" && {
            label: "Pause",
            icon: mdiPauseCircleOutline,
            act: () => void pause(job),
          },
        job.state === "active" && {
          label: "Pause until…",
          icon: mdiPauseCircleOutline,
          act: () => jobDialog.set({ kind: "pause", job }),
        },
        !brief &&
          job.state === "paused" && {
            label: "Resume",
            icon: mdiPlayCircleOutline,
            act: () => void resume(job),
          },
        readable &&
          !brief && { label: "Edit", icon: mdiPencilOutline, act: () => navigate(`/jobs/${job.id}/edit`) },
        readable && {
          label: "Run with…",
          icon: mdiPlay,
          act: () => jobDialog.set({ kind: "run", job }),
        },
        readable && {
          label: "Backfill…",
          icon: mdiHistory,
          act: () => jobDialog.set({ kind: "backfill", job }),
        },
        readable && {
          label: "Duplicate",
          icon: mdiContentCopy,
          act: () => navigate("/jobs/new", { state: { from: draftOf(job) } }),
        },
        readable && {
          label: "Copy as curl",
          icon: mdiCodeTags,
          act: () => void copy(asCurl(job), "Copied as curl"),
        },
        readable && {
          label: "Copy as JSON",
          icon: mdiCodeTags,
          act: () => void copy(stringifyExact(draftOf(job), 2), "Copied as JSON"),
        },
        {
          label: "Delete…",
          icon: mdiDeleteOutline,
          danger: true,
          act: () => jobDialog.set({ kind: "delete", job, onDone: onDeleted }),
        },
      ]}
    />
  );
}

/** The command that makes the same job. */
export function asCurl(job: Parameters<typeof draftOf>[0]) {
  const body = stringifyExact(draftOf(job), 2).replaceAll("'", "'\\''");
  return `curl -X POST ${location.origin}/api/v1/jobs -H 'content-type: application/json' -d '${body}'`;
}
