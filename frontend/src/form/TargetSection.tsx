import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { prettyJson } from "../api/exact";
import { Panel } from "../ui/Panels";
import { Field, fieldId, useForm } from "./context";
import type { Form } from "./state";

const KINDS: [Form["target"], string][] = [
  ["http", "HTTP"],
  ["email", "E-mail"],
  ["command", "Command"],
  ["log", "Log"],
  ["noop", "Nothing"],
];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].map((method) => [method, method] as const);
const FILLED_IN = "{{run.id}}, {{scheduled_for}}, {{attempt}} and {{job.name}} are filled in.";

/** What it calls. */
export function TargetSection() {
  const { form, set } = useForm();
  return (
    <Panel title="What to call">
      <Box sx={{ display: "grid", gap: 2 }}>
        <ToggleButtonGroup
          exclusive
          value={form.target}
          onChange={(_, target: Form["target"] | null) => target && set({ target })}
          aria-label="Kind of target"
          sx={{ flexWrap: "wrap" }}
        >
          {KINDS.map(([kind, label]) => (
            <ToggleButton key={kind} value={kind}>
              {label}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        {form.target === "http" && <Http />}
        {form.target === "email" && <Email />}
        {form.target === "command" && <Command />}
        {form.target === "log" && (
          <Field
            pointer="/target/message"
            label="Message"
            value={form.log}
            onChange={(log) => set({ log })}
            hint="A line in the service's log."
          />
        )}
        {form.target === "noop" && (
          <Box sx={{ color: "text.secondary", fontSize: "0.8125rem" }}>
            Does nothing, successfully. For trying a schedule out.
          </Box>
        )}
      </Box>
    </Panel>
  );
}

function Http() {
  const { form, set } = useForm();
  const { http } = form;
  const change = (part: Partial<Form["http"]>) => set({ http: { ...http, ...part } });
  const method = METHODS.some(([known]) => known === http.method)
    ? METHODS
    : [...METHODS, [http.method, http.method] as const];
  const check = jsonCheck(http.body);
  const laidOut = prettyJson(http.body);
  return (
    <>
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: "108px 1fr", alignItems: "start" }}>
        <Field
          pointer="/target/method"
          label="Method"
          options={method}
          value={http.method}
          onChange={(value) => change({ method: value })}
        />
        <Field
          pointer="/target/url"
          label="URL"
          value={http.url}
          onChange={(url) => change({ url })}
          placeholder="https://example.com/report"
          mono
          slotProps={{ htmlInput: { inputMode: "url", autoComplete: "off" } }}
        />
      </Box>
      <Field
        pointer="/target/headers"
        label="Headers"
        value={http.headers}
        onChange={(headers) => change({ headers })}
        placeholder="X-Team: billing"
        hint="One a line, as Name: value."
        multiline
        minRows={1}
        maxRows={8}
        mono
      />
      <Box>
        <Field
          pointer="/target/body"
          label="Body"
          value={http.body}
          onChange={(body) => change({ body })}
          hint={check ?? FILLED_IN}
          multiline
          minRows={3}
          maxRows={16}
          mono
        />
        {laidOut !== undefined && laidOut !== http.body && (
          <Button variant="text" onClick={() => change({ body: laidOut })} sx={{ mt: 0.5 }}>
            Lay out the JSON
          </Button>
        )}
      </Box>
      <Field
        pointer="/target/success"
        label="Success is (optional)"
        value={http.success}
        onChange={(success) => change({ success })}
        placeholder="2xx"
        hint="Statuses, as 2xx or 200, 204"
        mono
      />
      <Box>
        <FormControlLabel
          control={
            <Checkbox
              id={fieldId("/target/callback")}
              checked={http.callback}
              onChange={(event) => change({ callback: event.target.checked })}
            />
          }
          label="It may answer 202, go on working, and report back"
          slotProps={{ typography: { variant: "body2" } }}
        />
        {http.callback && (
          <Field
            pointer="/target/heartbeat"
            label="Must be heard of every (optional)"
            value={http.heartbeat}
            onChange={(heartbeat) => change({ heartbeat })}
            placeholder="5m"
            hint="It reports with the token in X-Scheduler-Token; the timeout is for all of the work."
            mono
            slotProps={{ inputLabel: { shrink: true } }}
          />
        )}
      </Box>
    </>
  );
}

/** Says so where a body looks like JSON and is none: it is then sent as text. */
export function jsonCheck(body: string): string | undefined {
  if (!/^\s*[[{]/.test(body)) return undefined;
  try {
    JSON.parse(body);
    return undefined;
  } catch (error) {
    return `Not JSON, so it is sent as text: ${error instanceof Error ? error.message : ""}`;
  }
}

function Email() {
  const { form, set } = useForm();
  const { email } = form;
  const field = (name: keyof Form["email"], label: string, more: object = {}) => (
    <Field
      pointer={`/target/${name}`}
      label={label}
      value={email[name]}
      onChange={(value) => set({ email: { ...email, [name]: value } })}
      {...more}
    />
  );
  return (
    <>
      {field("to", "To", { hint: "Several separated by commas" })}
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" } }}>
        {field("cc", "Cc (optional)")}
        {field("bcc", "Bcc (optional)")}
        {field("from", "From (optional)", { hint: "Else the operator's sender" })}
        {field("reply_to", "Reply to (optional)")}
      </Box>
      {field("subject", "Subject")}
      {field("text", "Text", { multiline: true, minRows: 3, maxRows: 16, hint: FILLED_IN })}
      {field("html", "HTML (optional)", { multiline: true, minRows: 1, maxRows: 16, mono: true })}
    </>
  );
}

function Command() {
  const { form, set } = useForm();
  const { command } = form;
  const field = (name: keyof Form["command"], label: string, more: object = {}) => (
    <Field
      pointer={`/target/${name}`}
      label={label}
      value={command[name]}
      onChange={(value) => set({ command: { ...command, [name]: value } })}
      mono
      {...more}
    />
  );
  return (
    <>
      {field("argv", "Program and arguments", {
        multiline: true,
        minRows: 2,
        hint: "One argument a line. There is no shell in between.",
      })}
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" }, alignItems: "start" }}>
        {field("working_dir", "Working directory (optional)")}
        {field("env", "Environment (optional)", {
          multiline: true,
          minRows: 1,
          hint: "One a line, as NAME=value",
        })}
      </Box>
      {field("stdin", "Standard input (optional)", {
        multiline: true,
        minRows: 1,
        maxRows: 12,
        hint: FILLED_IN,
      })}
    </>
  );
}
