import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import type { Schemas } from "../api/client";
import { draftOf, isReadable, type Job, lookAgain, requests } from "../api/jobs";
import { createStore } from "../ui/store";
import { toast, toastError } from "../ui/toasts";

/** Which question about a job is open. */
export const jobDialog = createStore<
  { kind: "pause" | "delete" | "backfill" | "run"; job: Job; onDone?: () => void } | undefined
>(undefined);

/** What can be done to a job, from wherever it is shown. Whatever can be undone offers to be. */
export function useJobActions() {
  const queries = useQueryClient();
  const navigate = useNavigate();

  async function attempt<T>(doing: string, request: () => Promise<T>, done: (result: T) => void) {
    try {
      const result = await request();
      done(result);
    } catch (error) {
      toastError(doing, error);
    } finally {
      lookAgain(queries);
    }
  }

  const run = (job: Job, body?: Schemas["RunRequest"]) =>
    attempt(
      `“${job.name}” was not run`,
      () => requests.run(job.id, body),
      (made) =>
        toast({
          title: `“${job.name}” runs now`,
          action: { label: "Show the run", act: () => navigate(`/runs/${made.id}`) },
        }),
    );

  const pause = (job: Job, body: Schemas["PauseRequest"] = {}) =>
    attempt(
      `“${job.name}” was not paused`,
      () => requests.pause(job.id, body),
      () => toast({ title: `Paused “${job.name}”`, action: { label: "Undo", act: () => void resume(job) } }),
    );

  const resume = (job: Job) =>
    attempt(
      `“${job.name}” was not resumed`,
      () => requests.resume(job.id),
      () => toast({ title: `Resumed “${job.name}”` }),
    );

  const restore = (job: Job) => {
    if (!isReadable(job)) return;
    void attempt(
      `“${job.name}” was not restored`,
      () => requests.create(draftOf(job)),
      (made) =>
        toast({
          title: `Restored “${job.name}” as a new job`,
          detail: "Its earlier runs stay under the old one.",
          action: { label: "Open", act: () => navigate(`/jobs/${made.id}`) },
        }),
    );
  };

  const remove = (job: Job) =>
    attempt(
      `“${job.name}” was not deleted`,
      () => requests.remove(job.id),
      () =>
        toast({
          title: `Deleted “${job.name}”`,
          action: isReadable(job) ? { label: "Undo", act: () => restore(job) } : undefined,
        }),
    );

  return { run, pause, resume, remove };
}
