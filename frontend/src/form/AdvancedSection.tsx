import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call, client } from "../api/client";
import { durationOf } from "../time/format";
import { Choices } from "../ui/Choices";
import { Panel } from "../ui/Panels";
import { backoff } from "./backoff";
import { Field, fieldId, useForm } from "./context";
import type { Form } from "./state";

const OVERLAPS: [Form["overlap"], string, string][] = [
  ["skip", "Skip", "While a run goes on, occurrences are skipped. None piles up."],
  [
    "buffer_one",
    "Wait, one",
    "The first occurrence waits and starts when the run ends; further ones are skipped.",
  ],
  ["buffer_all", "Wait, all", "Every occurrence waits for its turn and runs, one after the other."],
  ["cancel_other", "Replace", "The run is stopped, then the new occurrence starts."],
  ["allow_all", "Run together", "Occurrences start on time, beside each other."],
];
const MISFIRES = [
  ["latest", "Run the latest one"],
  ["all", "Run all, oldest first"],
  ["skip", "Run none"],
] as const;

/** Everything that has a sensible default, which is written out. */
export function AdvancedSection() {
  const { form, set } = useForm();
  const retry = (part: Partial<Form["retry"]>) => set({ retry: { ...form.retry, ...part } });
  const misfire = (part: Partial<Form["misfire"]>) => set({ misfire: { ...form.misfire, ...part } });
  return (
    <Panel title="Policies">
      <Box sx={{ display: "grid", gap: 3 }}>
        <Group title="When an attempt fails" says={retryWords(form)}>
          <Box
            sx={{
              display: "grid",
              gap: 2,
              gridTemplateColumns: { xs: "1fr 1fr", sm: "repeat(5, 1fr)" },
              alignItems: "start",
            }}
          >
            <Field
              pointer="/retry/max_attempts"
              label="Attempts"
              type="number"
              value={form.retry.max_attempts}
              onChange={(max_attempts) => retry({ max_attempts })}
            />
            <Field
              pointer="/retry/initial"
              label="First wait"
              value={form.retry.initial}
              onChange={(initial) => retry({ initial })}
              mono
            />
            <Field
              pointer="/retry/factor"
              label="Then times"
              type="number"
              value={form.retry.factor}
              onChange={(factor) => retry({ factor })}
              slotProps={{ htmlInput: { step: 0.5 } }}
            />
            <Field
              pointer="/retry/max"
              label="At most"
              value={form.retry.max}
              onChange={(max) => retry({ max })}
              mono
            />
            <Field
              pointer="/timeout"
              label="Timeout"
              value={form.timeout}
              onChange={(timeout) => set({ timeout })}
              mono
              hint="Of each attempt"
            />
          </Box>
          <FormControlLabel
            control={
              <Checkbox
                checked={form.retry.jitter}
                onChange={(event) => retry({ jitter: event.target.checked })}
              />
            }
            label="Spread retries at random, so that failures do not return in step"
            slotProps={{ typography: { variant: "body2" } }}
          />
        </Group>
        <Group title="When the one before still runs">
          <Choices
            label="Overlap"
            id={fieldId("/overlap")}
            options={OVERLAPS}
            chosen={form.overlap}
            onChange={(overlap) => set({ overlap })}
            columns={{ sm: "1fr 1fr", lg: "repeat(3, 1fr)" }}
          />
        </Group>
        <Group
          title="When it is noticed late"
          says="After downtime, say. What does not run is recorded as missed."
        >
          <Box
            sx={{
              display: "grid",
              gap: 2,
              gridTemplateColumns: { xs: "1fr 1fr", sm: "2fr 1fr 1fr 1fr" },
              alignItems: "start",
            }}
          >
            <Field
              pointer="/misfire/policy"
              label="Of what is late"
              options={MISFIRES}
              value={form.misfire.policy}
              onChange={(policy) => misfire({ policy: policy as Form["misfire"]["policy"] })}
            />
            <Field
              pointer="/misfire/tolerance"
              label="Late is over"
              value={form.misfire.tolerance}
              onChange={(tolerance) => misfire({ tolerance })}
              mono
            />
            <Field
              pointer="/misfire/window"
              label="Never over"
              value={form.misfire.window}
              onChange={(window) => misfire({ window })}
              mono
            />
            {form.misfire.policy === "all" && (
              <Field
                pointer="/misfire/max"
                label="At most"
                type="number"
                value={form.misfire.max}
                onChange={(max) => misfire({ max })}
              />
            )}
          </Box>
        </Group>
        <Group title="Bounds">
          <Box
            sx={{
              display: "grid",
              gap: 2,
              gridTemplateColumns: { xs: "1fr 1fr", sm: "1fr 1fr" },
              alignItems: "start",
            }}
          >
            <Field
              pointer="/jitter"
              label="Jitter"
              value={form.jitter}
              onChange={(jitter) => set({ jitter })}
              mono
              hint="Each occurrence up to so much later"
            />
            <Field
              pointer="/pause_after_failures"
              label="Pause after failures"
              type="number"
              value={form.pause_after_failures}
              onChange={(pause_after_failures) => set({ pause_after_failures })}
              placeholder="never"
              hint="In a row"
              slotProps={{ inputLabel: { shrink: true } }}
            />
            <Field
              pointer="/start_at"
              label="Not before"
              type="datetime-local"
              value={form.start_at}
              onChange={(start_at) => set({ start_at })}
              slotProps={{ inputLabel: { shrink: true }, htmlInput: { step: 1 } }}
              hint={form.timezone}
            />
            <Field
              pointer="/end_at"
              label="Not after"
              type="datetime-local"
              value={form.end_at}
              onChange={(end_at) => set({ end_at })}
              slotProps={{ inputLabel: { shrink: true }, htmlInput: { step: 1 } }}
              hint={form.timezone}
            />
            <Field
              pointer="/deadline"
              label="Deadline of a run"
              value={form.deadline}
              onChange={(deadline) => set({ deadline })}
              placeholder="none"
              hint="In all, with waiting and retries, as 1h"
              mono
              slotProps={{ inputLabel: { shrink: true } }}
            />
            <Field
              pointer="/max_runs"
              label="Runs in all"
              type="number"
              value={form.max_runs}
              onChange={(max_runs) => set({ max_runs })}
              placeholder="no limit"
              slotProps={{ inputLabel: { shrink: true } }}
            />
            <Field
              pointer="/concurrency"
              label="At the same time"
              type="number"
              value={form.concurrency}
              onChange={(concurrency) => set({ concurrency })}
              placeholder="no limit"
              hint="Runs under way at once, at most"
              slotProps={{ inputLabel: { shrink: true } }}
            />
          </Box>
        </Group>
        <Calendars />
      </Box>
    </Panel>
  );
}

function Group({ title, says, children }: { title: string; says?: string; children: ReactNode }) {
  return (
    <Box component="fieldset" sx={{ border: 0, p: 0, m: 0, minWidth: 0 }}>
      <Box component="legend" sx={{ typography: "h3", p: 0, mb: says ? 0.25 : 1 }}>
        {title}
      </Box>
      {says && <Box sx={{ fontSize: "0.75rem", color: "text.secondary", mb: 1.25 }}>{says}</Box>}
      {children}
    </Box>
  );
}

function retryWords(form: Form): string {
  const waits = backoff(form.retry);
  if (!waits) return "Connection errors, timeouts, 408, 425, 429 and 5xx are tried again.";
  if (waits.length === 0) return "Exactly one try.";
  const shown = waits.slice(0, 6).map(durationOf).join(", ");
  return `Waits ${form.retry.jitter ? "up to " : ""}${shown}${waits.length > 6 ? ", …" : ""} between its ${waits.length + 1} attempts.`;
}

/** Which calendars it leaves out or keeps to; nothing where there are none to choose from. */
function Calendars() {
  const { form, set } = useForm();
  const calendars = useQuery({
    queryKey: ["calendars"],
    queryFn: ({ signal }) =>
      call(client.GET("/api/v1/calendars", { params: { query: { limit: 200 } }, signal })),
    staleTime: 30_000,
  });
  const names = calendars.data?.data.map(({ name }) => name) ?? [];
  const free = names.filter((name) => !form.calendars.some((use) => use.name === name));
  const change = (index: number, part: Partial<Form["calendars"][number]>) =>
    set({ calendars: form.calendars.map((use, at) => (at === index ? { ...use, ...part } : use)) });
  if (names.length === 0 && form.calendars.length === 0) return null;
  return (
    <Group title="Calendars" says="Days and hours that it leaves out, or keeps to.">
      <Box sx={{ display: "grid", gap: 1.5 }} id={fieldId("/calendars")}>
        {form.calendars.map((use, index) => (
          <Box
            key={use.name}
            sx={{
              display: "grid",
              gap: 1.5,
              gridTemplateColumns: { xs: "1fr", sm: "1fr 1.2fr 1.6fr auto" },
              alignItems: "center",
            }}
          >
            <Box component="code">{use.name}</Box>
            <Field
              pointer={`/calendars/${index}/mode`}
              aria-label="Mode"
              label="Mode"
              options={[
                ["exclude", "Leave out"],
                ["only", "Keep to"],
              ]}
              value={use.mode}
              onChange={(mode) => change(index, { mode: mode as "exclude" | "only" })}
            />
            <Field
              pointer={`/calendars/${index}/roll`}
              label="What it does not admit"
              options={[
                ["none", "Is skipped"],
                ["next", "Moves to the next day"],
                ["previous", "Moves to the day before"],
              ]}
              value={use.roll}
              onChange={(roll) => change(index, { roll: roll as "none" | "next" | "previous" })}
            />
            <Button
              variant="text"
              onClick={() => set({ calendars: form.calendars.filter((_, at) => at !== index) })}
            >
              Remove
            </Button>
          </Box>
        ))}
        <Box sx={{ display: "flex", gap: 0.75, flexWrap: "wrap" }}>
          {free.map((name) => (
            <Button
              key={name}
              variant="outlined"
              onClick={() => set({ calendars: [...form.calendars, { name, mode: "exclude", roll: "none" }] })}
            >
              + {name}
            </Button>
          ))}
        </Box>
      </Box>
    </Group>
  );
}
