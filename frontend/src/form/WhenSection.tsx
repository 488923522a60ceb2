import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { Panel } from "../ui/Panels";
import { CronField } from "./CronField";
import { Field, useForm } from "./context";
import { cronOf, DAYS, type Form, type Unit, type When } from "./state";
import { ZoneField } from "./ZoneField";

const KINDS: [When, string][] = [
  ["interval", "Every…"],
  ["times", "Daily, weekly, monthly"],
  ["period", "Every N days…"],
  ["cron", "Cron"],
  ["date", "Once"],
];

const PRESETS: [string, Partial<Form>][] = [
  ["Every 5 min", { when: "interval", every: "5m" }],
  ["Hourly", { when: "cron", cron: "0 * * * *", dialect: "" }],
  ["Weekdays 09:00", { when: "cron", cron: "0 9 * * 1-5", dialect: "" }],
  ["First of the month", { when: "cron", cron: "0 0 1 * *", dialect: "" }],
];

const GAPS = [
  ["next_valid", "Runs at the jump"],
  ["skip", "Does not run"],
] as const;
const FOLDS = [
  ["first", "Runs the first time"],
  ["second", "Runs the second time"],
  ["both", "Runs both times"],
] as const;

/** When it is due. */
export function WhenSection() {
  const { form, set } = useForm();
  const choose = (when: When) => {
    // Whoever has clicked a schedule together goes on with its expression.
    if (when === "cron" && form.when === "times") set({ when, cron: cronOf(form.times) });
    else set({ when });
  };
  return (
    <Panel title="When">
      <Box sx={{ display: "grid", gap: 2 }}>
        <ToggleButtonGroup
          exclusive
          value={form.when}
          onChange={(_, when: When | null) => when && choose(when)}
          aria-label="Kind of schedule"
          sx={{ flexWrap: "wrap" }}
        >
          {KINDS.map(([kind, label]) => (
            <ToggleButton key={kind} value={kind}>
              {label}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        {form.when === "interval" && <Interval />}
        {form.when === "times" && <Times />}
        {form.when === "period" && <Period />}
        {form.when === "cron" && <CronField />}
        {form.when === "date" && (
          <Field
            pointer="/schedule/at"
            label="Date and time"
            type={/Z$|[+-]\d\d:\d\d$/.test(form.at) ? "text" : "datetime-local"}
            value={form.at}
            onChange={(at) => set({ at })}
            slotProps={{ inputLabel: { shrink: true }, htmlInput: { step: 1 } }}
            hint="On the clock of the zone below."
          />
        )}
        {form.when !== "interval" && <ZoneField />}
        <Box
          sx={{ display: "flex", flexWrap: "wrap", gap: 0.75, alignItems: "center" }}
          role="group"
          aria-label="Presets"
        >
          {PRESETS.map(([label, part]) => (
            <Button
              key={label}
              variant="outlined"
              onClick={() => set(part)}
              sx={{ minHeight: 26, py: 0.25, fontSize: "0.75rem" }}
            >
              {label}
            </Button>
          ))}
        </Box>
        {(form.when === "cron" || form.when === "times" || form.when === "period") && <ClockChanges />}
      </Box>
    </Panel>
  );
}

function Interval() {
  const { form, set } = useForm();
  return (
    <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" } }}>
      <Field
        pointer="/schedule/every"
        label="Every"
        value={form.every}
        onChange={(every) => set({ every })}
        hint="As 30s, 5m, 1h30m or 1d"
        mono
      />
      <Field
        pointer="/schedule/anchor"
        label="Counted from (optional)"
        value={form.anchor}
        onChange={(anchor) => set({ anchor })}
        hint="An instant such as 2026-12-01T00:00:00Z; else when it is created"
        mono
      />
    </Box>
  );
}

function Times() {
  const { form, set } = useForm();
  const { times } = form;
  const change = (part: Partial<Form["times"]>) => set({ times: { ...times, ...part } });
  return (
    <Box sx={{ display: "grid", gap: 2 }}>
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: "1fr 1fr" }}>
        <Field
          pointer="/repeat"
          label="Repeat"
          options={[
            ["daily", "Every day"],
            ["weekly", "Every week on"],
            ["monthly", "Every month on"],
          ]}
          value={times.repeat}
          onChange={(repeat) => change({ repeat: repeat as Form["times"]["repeat"] })}
        />
        <Field
          pointer="/schedule/expression"
          label="At"
          type="time"
          value={times.time}
          onChange={(time) => change({ time })}
          slotProps={{ inputLabel: { shrink: true } }}
        />
      </Box>
      {times.repeat === "weekly" && (
        <ToggleButtonGroup
          value={times.days}
          onChange={(_, days: string[]) => days.length > 0 && change({ days })}
          aria-label="Days of the week"
          sx={{ flexWrap: "wrap" }}
        >
          {DAYS.map((day) => (
            <ToggleButton key={day} value={day} sx={{ minWidth: 44 }}>
              {day[0]}
              {day.slice(1).toLowerCase()}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      )}
      {times.repeat === "monthly" && (
        <Field
          pointer="/day"
          label="Day of the month"
          options={[
            ...Array.from({ length: 31 }, (_, index) => [String(index + 1), String(index + 1)] as const),
            ["L", "The last day"] as const,
            ["LW", "The last weekday"] as const,
          ]}
          value={times.day}
          onChange={(day) => change({ day })}
        />
      )}
      <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
        As cron: <code>{cronOf(times)}</code>
      </Box>
    </Box>
  );
}

function Period() {
  const { form, set } = useForm();
  const { period } = form;
  const change = (part: Partial<Form["period"]>) => set({ period: { ...period, ...part } });
  return (
    <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { xs: "1fr 1fr", sm: "1fr 1fr 1fr 1.4fr" } }}>
      <Field
        pointer="/schedule/every"
        label="Every"
        type="number"
        value={period.count}
        onChange={(count) => change({ count })}
        slotProps={{ htmlInput: { min: 1 } }}
      />
      <Field
        pointer="/unit"
        label="Unit"
        options={["days", "weeks", "months", "years"].map((unit) => [unit, unit] as const)}
        value={period.unit}
        onChange={(unit) => change({ unit: unit as Unit })}
      />
      <Field
        pointer="/schedule/time"
        label="At"
        type="time"
        value={period.time}
        onChange={(time) => change({ time })}
        slotProps={{ inputLabel: { shrink: true } }}
      />
      <Field
        pointer="/schedule/start_date"
        label="Counted from (optional)"
        type="date"
        value={period.start}
        onChange={(start) => change({ start })}
        slotProps={{ inputLabel: { shrink: true } }}
      />
    </Box>
  );
}

/** What happens on the two days a year that are odd. */
function ClockChanges() {
  const { form, set } = useForm();
  return (
    <Box
      component="details"
      sx={{ fontSize: "0.8125rem" }}
      open={form.gap !== "next_valid" || form.fold !== "first"}
    >
      <Box component="summary" sx={{ cursor: "pointer", color: "text.secondary", minHeight: 24 }}>
        When the clocks change
      </Box>
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" }, pt: 1.5 }}>
        <Field
          pointer="/schedule/gap"
          label="A time that does not exist"
          options={GAPS}
          value={form.gap}
          onChange={(gap) => set({ gap: gap as Form["gap"] })}
        />
        <Field
          pointer="/schedule/fold"
          label="A time that exists twice"
          options={FOLDS}
          value={form.fold}
          onChange={(fold) => set({ fold: fold as Form["fold"] })}
        />
      </Box>
    </Box>
  );
}
