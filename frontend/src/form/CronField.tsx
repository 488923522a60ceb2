import Box from "@mui/material/Box";
import { useState } from "react";
import { Field, useForm } from "./context";
import type { Form } from "./state";

const UNIX = ["minute", "hour", "day of month", "month", "day of week"];
const NAMES: Record<string, string[]> = {
  unix5: UNIX,
  unix6: ["second", ...UNIX],
  quartz6: ["second", ...UNIX],
  quartz7: ["second", ...UNIX, "year"],
  aws6: [...UNIX, "year"],
};

/** What each field of an expression means, by how many there are; the service has the last word. */
export function fieldNames(expression: string, dialect: string): string[] | undefined {
  const inner = expression.trim().replace(/^cron\((.*)\)$/i, "$1");
  if (inner.startsWith("@")) return undefined;
  const count = inner.split(/\s+/).filter(Boolean).length;
  const aws = dialect === "aws" || /^\s*cron\(/i.test(expression);
  const read = aws ? "aws" : dialect || (count === 7 ? "quartz" : "unix");
  return NAMES[`${read}${count}`];
}

/** Which field the caret is in. */
export function fieldAt(expression: string, caret: number): number {
  const start = expression.length - expression.replace(/^\s*(cron\()?\s*/i, "").length;
  const before = expression.slice(start, Math.max(start, caret));
  return before === "" ? 0 : before.split(/\s+/).length - 1;
}

/** A cron expression, the field under the caret named. */
export function CronField() {
  const { form, set } = useForm();
  const [caret, setCaret] = useState<number>();
  const names = fieldNames(form.cron, form.dialect);
  const here = caret === undefined ? undefined : fieldAt(form.cron, caret);
  const look = (event: React.SyntheticEvent) => {
    const input = event.target as HTMLInputElement;
    setCaret(input.selectionStart ?? undefined);
  };
  return (
    <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 170px" }, alignItems: "start" }}>
      <Box>
        <Field
          pointer="/schedule/expression"
          label="Cron expression"
          value={form.cron}
          onChange={(cron) => set({ cron })}
          mono
          slotProps={{
            htmlInput: { onSelect: look, onBlur: () => setCaret(undefined), autoComplete: "off" },
          }}
        />
        {names && (
          <Box
            aria-hidden
            sx={{
              display: "flex",
              flexWrap: "wrap",
              columnGap: 1.25,
              pt: 0.5,
              px: 0.25,
              fontSize: "0.75rem",
            }}
          >
            {names.map((name, index) => (
              <Box
                key={name}
                component="span"
                sx={{
                  color: index === here ? "primary.main" : "text.secondary",
                  fontWeight: index === here ? 650 : 400,
                  borderBottom: index === here ? 2 : 0,
                }}
              >
                {name}
              </Box>
            ))}
          </Box>
        )}
      </Box>
      <Field
        pointer="/schedule/dialect"
        label="Dialect"
        options={[
          ["", "By its form"],
          ["unix", "Unix (0 = Sunday)"],
          ["quartz", "Quartz (1 = Sunday)"],
          ["aws", "AWS (1 = Sunday)"],
        ]}
        value={form.dialect}
        onChange={(dialect) => set({ dialect: dialect as Form["dialect"] })}
        slotProps={{ inputLabel: { shrink: true } }}
      />
    </Box>
  );
}
