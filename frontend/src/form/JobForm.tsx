import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { call, client } from "../api/client";
import {
  draftOf,
  isReadable,
  type JobDraft,
  type PreviewRequest,
  type ReadableJob,
  usePreview,
  useSaveJob,
} from "../api/jobs";
import { ApiError, explain } from "../api/problem";
import { lazy } from "../app/lazy";
import { MODIFIER } from "../app/shortcuts";
import { Lines, Panel } from "../ui/Panels";
import { fieldOf, same } from "../ui/pointer";
import { toast } from "../ui/toasts";
import { useDebounced } from "../ui/useDebounced";
import { AdvancedSection } from "./AdvancedSection";
import { Field, FormProvider, fieldId, fieldsOf } from "./context";
import type { Collision } from "./MergeDialog";
import { Preview } from "./Preview";
import { draftOfForm, edited, type Form, formOf } from "./state";
import { TargetSection } from "./TargetSection";
import { useKept } from "./useDraft";
import { WhenSection } from "./WhenSection";

const MergeDialog = lazy(() => import("./MergeDialog"));

type Props = { initial: Form; job?: ReadableJob };

/** Creates a job, or changes one. */
export function JobForm({ initial, job }: Props) {
  const navigate = useNavigate();
  const { form, set, restored, discard, forget, touched } = useKept(
    job ? `draft:${job.id}:${job.version}` : "draft:new",
    initial,
  );
  const base = useMemo(() => (job ? draftOf(job) : undefined), [job]);
  const draft = base ? edited(base, initial, form) : draftOfForm(form);

  const asked = useDebounced(previewOf(draft, job), 250);
  const preview = usePreview(asked, { keep: true });
  const previewErrors = preview.error instanceof ApiError ? preview.error.fields : {};

  const save = useSaveJob();
  const [refused, setRefused] = useState<{
    fields: Record<string, string>;
    error: ApiError;
    draft: JobDraft;
  }>();
  const [collision, setCollision] = useState<Collision>();
  // An error is shown until its field is changed.
  const refusedFields = refused
    ? Object.fromEntries(
        Object.entries(refused.fields).filter(([pointer]) => unchanged(refused.draft, draft, pointer)),
      )
    : {};
  const errors = { ...previewErrors, ...refusedFields };
  const formRef = useRef<HTMLFormElement>(null);

  const submit = async (sent: JobDraft, version = job?.version) => {
    setRefused(undefined);
    try {
      const saved = await save.mutateAsync({ draft: sent, id: job?.id, version });
      forget();
      toast({ title: job ? `Saved “${saved.name}”` : `Created “${saved.name}”` });
      navigate(`/jobs/${saved.id}`);
    } catch (error) {
      if (!(error instanceof ApiError)) return;
      if (error.is("stale") && job && base) {
        const theirs = await call(
          client.GET("/api/v1/jobs/{id}", { params: { path: { id: job.id } } }),
        ).catch(() => undefined);
        if (theirs && isReadable(theirs)) {
          setCollision({ base, theirs: draftOf(theirs), mine: sent, version: theirs.version });
          return;
        }
      }
      setRefused({ fields: error.fields, error, draft: sent });
    }
  };

  // The first field with an error is where people want to be.
  useEffect(() => {
    if (!refused) return;
    const fields = formRef.current?.querySelectorAll<HTMLElement>('[aria-invalid="true"]');
    fields?.[0]?.focus();
  }, [refused]);

  const zone = draft.schedule.type === "interval" ? undefined : (draft.schedule.timezone ?? undefined);
  return (
    <FormProvider value={{ form, set, errors }}>
      <Box
        component="form"
        ref={formRef}
        noValidate
        aria-label={job ? `Edit ${job.name}` : "Create a job"}
        onSubmit={(event: React.FormEvent) => {
          event.preventDefault();
          void submit(draft);
        }}
        onKeyDown={(event: React.KeyboardEvent) => {
          if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
            event.preventDefault();
            void submit(draft);
          }
        }}
        sx={{
          display: "grid",
          gap: 2,
          gridTemplateColumns: { lg: "minmax(0, 1fr) minmax(320px, 400px)" },
          alignItems: "start",
        }}
      >
        <Box sx={{ display: "grid", gap: 2, minWidth: 0 }}>
          {restored && touched && (
            <Box
              role="status"
              sx={{
                display: "flex",
                alignItems: "center",
                gap: 1,
                fontSize: "0.8125rem",
                color: "text.secondary",
              }}
            >
              What you had typed is here again.
              <Button variant="text" onClick={discard}>
                Discard it
              </Button>
            </Box>
          )}
          <Panel>
            <Box
              sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" }, alignItems: "start" }}
            >
              <Field
                pointer="/name"
                label="Name"
                value={form.name}
                onChange={(name) => set({ name })}
                autoFocus={!job}
                placeholder="nightly-report"
                mono
                slotProps={{ htmlInput: { autoComplete: "off" } }}
              />
              <Field
                pointer="/labels"
                label="Labels (optional)"
                value={form.labels}
                onChange={(labels) => set({ labels })}
                placeholder="team:billing, tier:1"
                mono
              />
              <Box sx={{ gridColumn: { sm: "1 / -1" } }}>
                <Field
                  pointer="/description"
                  label="Description (optional)"
                  value={form.description}
                  onChange={(description) => set({ description })}
                  multiline
                  maxRows={6}
                />
              </Box>
            </Box>
          </Panel>
          <WhenSection />
          <TargetSection />
          <Box
            component="details"
            open={hasOwnPolicies(initial) || undefined}
            sx={{ "&[open] > summary": { mb: 1.5 } }}
          >
            <Box
              component="summary"
              sx={{
                cursor: "pointer",
                color: "text.secondary",
                px: 0.5,
                minHeight: 24,
                fontSize: "0.8125rem",
              }}
            >
              Retries, overlap, lateness, bounds: all have defaults
            </Box>
            <AdvancedSection />
          </Box>
        </Box>
        <Box sx={{ display: "grid", gap: 2, position: { lg: "sticky" }, top: 64, minWidth: 0 }}>
          <Panel title="What this means">
            <Box aria-live="polite">
              {preview.data ? (
                <Preview
                  preview={preview.data}
                  zone={zone}
                  pale={preview.isError || preview.isPlaceholderData}
                />
              ) : preview.error ? (
                <Box sx={{ color: "text.secondary", fontSize: "0.8125rem" }}>
                  Once the schedule is right, its next occurrences are shown here.
                </Box>
              ) : (
                <Lines rows={5} />
              )}
            </Box>
          </Panel>
          {refused && <Refusal error={refused.error} form={form} shown={refusedFields} />}
          {save.error && !(save.error instanceof ApiError) && (
            <Box role="alert" sx={{ color: "error.main", fontSize: "0.8125rem" }}>
              Not saved: {explain(save.error).title} Your text is kept here; save again in a moment.
            </Box>
          )}
          <Box sx={{ display: "flex", gap: 1 }}>
            <Button type="submit" variant="contained" disabled={save.isPending}>
              {job ? "Save" : "Create job"}
            </Button>
            <Button variant="outlined" onClick={() => navigate(job ? `/jobs/${job.id}` : "/jobs")}>
              Cancel
            </Button>
            <Box
              sx={{
                ml: "auto",
                alignSelf: "center",
                fontSize: "0.75rem",
                color: "text.secondary",
                display: { xs: "none", sm: "block" },
              }}
            >
              <kbd>{MODIFIER} ↵</kbd>
            </Box>
          </Box>
        </Box>
      </Box>
      <Suspense fallback={null}>
        {collision && (
          <MergeDialog
            collision={collision}
            close={() => setCollision(undefined)}
            save={(merge, version) => {
              setCollision(undefined);
              void submit(merge, version);
            }}
          />
        )}
      </Suspense>
    </FormProvider>
  );
}

/** What the service refused and no field shows, or that fields are wrong at all. */
function Refusal({ error, form, shown }: { error: ApiError; form: Form; shown: Record<string, string> }) {
  const fields = fieldsOf(form);
  const homeless = error.problem.errors.filter(({ pointer }) => !pointer || !fieldOf(pointer, fields));
  const landed = Object.keys(shown).filter((pointer) => fieldOf(pointer, fields));
  if (homeless.length === 0 && landed.length === 0 && error.problem.errors.length > 0) return null;
  return (
    <Box role="alert" sx={{ color: "error.main", fontSize: "0.8125rem", overflowWrap: "anywhere" }}>
      <b>Not saved.</b> {error.problem.errors.length === 0 && error.problem.detail}
      {homeless.map(({ pointer, detail }) => (
        <Box key={`${pointer}${detail}`}>{pointer ? `${pointer}: ${detail}` : detail}</Box>
      ))}
      {landed.map((pointer) => (
        <Box key={pointer}>
          <a
            href={`#${fieldId(fieldOf(pointer, fields) ?? "")}`}
            style={{ color: "inherit" }}
            onClick={(event) => focusField(event, fieldOf(pointer, fields))}
          >
            {pointer.slice(1).replaceAll("/", " › ")}
          </a>
          : {shown[pointer]}
        </Box>
      ))}
      {error.problem.request_id && (
        <Box sx={{ color: "text.secondary", fontSize: "0.75rem" }}>
          Request <code>{error.problem.request_id}</code>
        </Box>
      )}
    </Box>
  );
}

function focusField(event: React.MouseEvent, pointer: string | undefined) {
  event.preventDefault();
  const field = pointer && document.getElementById(fieldId(pointer));
  if (field) {
    field.closest("details")?.setAttribute("open", "");
    field.focus();
  }
}

function previewOf(draft: JobDraft, job: ReadableJob | undefined): PreviewRequest {
  const { schedule, jitter, calendars, start_at, end_at } = draft;
  return { schedule, count: 10, jitter, calendars, start_at, end_at, ...(job && { job: job.id }) };
}

function unchanged(before: JobDraft, now: JobDraft, pointer: string) {
  const part = pointer.split("/").slice(0, 3);
  const look = (draft: JobDraft) =>
    part
      .slice(1)
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], draft);
  return same(look(before), look(now)) || (look(before) === undefined && look(now) === undefined);
}

function hasOwnPolicies(form: Form) {
  const plain = formOf({ name: "", schedule: { type: "interval", every: "1m" }, target: { type: "noop" } });
  const parts = [
    "retry",
    "timeout",
    "overlap",
    "misfire",
    "jitter",
    "start_at",
    "end_at",
    "max_runs",
    "concurrency",
    "pause_after_failures",
  ] as const;
  return parts.some((part) => !same(form[part], plain[part])) || form.calendars.length > 0;
}
