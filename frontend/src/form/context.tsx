import TextField, { type TextFieldProps } from "@mui/material/TextField";
import { createContext, type ReactNode, useContext } from "react";
import { fieldOf } from "../ui/pointer";
import type { Form } from "./state";

export type FormContext = {
  form: Form;
  set: (part: Partial<Form>) => void;
  /** What is wrong, by JSON pointer. */
  errors: Record<string, string>;
};

const Context = createContext<FormContext | undefined>(undefined);

export function FormProvider({ value, children }: { value: FormContext; children: ReactNode }) {
  return <Context value={value}>{children}</Context>;
}

export function useForm(): FormContext {
  const value = useContext(Context);
  if (!value) throw new Error("outside of a form");
  return value;
}

/** The id of the field that shows a pointer. */
export const fieldId = (pointer: string) => `field${pointer.replaceAll("/", "-")}`;

/** Everything that is wrong with a field; inner parts with their names. */
export function wrongWith(
  errors: Record<string, string>,
  pointer: string,
  fields: readonly string[],
): string | undefined {
  const found = Object.entries(errors).filter(([it]) => fieldOf(it, fields) === pointer);
  if (found.length === 0) return undefined;
  return found
    .map(([it, detail]) =>
      it === pointer ? detail : `${it.slice(pointer.length + 1).replaceAll("~1", "/")}: ${detail}`,
    )
    .join("; ");
}

/** Which pointers have a field, for each kind of schedule and target. */
export function fieldsOf(form: Form): string[] {
  const always = [
    "/name",
    "/description",
    "/labels",
    "/schedule/timezone",
    "/retry/max_attempts",
    "/retry/initial",
    "/retry/factor",
    "/retry/max",
    "/timeout",
    "/overlap",
    "/misfire/policy",
    "/misfire/tolerance",
    "/misfire/window",
    "/misfire/max",
    "/jitter",
    "/start_at",
    "/end_at",
    "/max_runs",
    "/deadline",
    "/concurrency",
    "/pause_after_failures",
    "/calendars",
  ];
  const when = {
    interval: ["/schedule/every", "/schedule/anchor"],
    times: ["/schedule/expression"],
    cron: ["/schedule/expression", "/schedule/dialect", "/schedule/gap", "/schedule/fold"],
    period: ["/schedule/every", "/schedule/time", "/schedule/start_date"],
    date: ["/schedule/at"],
  }[form.when];
  const target = {
    http: [
      "/target/method",
      "/target/url",
      "/target/headers",
      "/target/body",
      "/target/success",
      "/target/callback",
      "/target/heartbeat",
    ],
    email: ["to", "cc", "bcc", "from", "reply_to", "subject", "text", "html"].map(
      (name) => `/target/${name}`,
    ),
    command: ["argv", "working_dir", "env", "stdin"].map((name) => `/target/${name}`),
    log: ["/target/message"],
    noop: [],
  }[form.target];
  return [...always, ...when, ...target];
}

type Props = Omit<TextFieldProps, "onChange" | "value" | "error" | "variant"> & {
  pointer: string;
  value: string;
  onChange: (value: string) => void;
  mono?: boolean;
  hint?: ReactNode;
  /** For fields with a list to choose from. */
  options?: readonly (readonly [string, string])[];
};

/** A field of the form: its error is the service's, found by pointer. */
export function Field({ pointer, value, onChange, mono, hint, options, slotProps, ...rest }: Props) {
  const { form, errors } = useForm();
  const wrong = wrongWith(errors, pointer, fieldsOf(form));
  return (
    <TextField
      id={fieldId(pointer)}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={wrong !== undefined}
      helperText={wrong ?? hint}
      select={options !== undefined}
      slotProps={{
        ...slotProps,
        select: options && { native: true },
        htmlInput: {
          spellCheck: mono ? false : undefined,
          style: mono
            ? { fontFamily: "ui-monospace, Menlo, Consolas, monospace", fontSize: "0.8125rem" }
            : undefined,
          ...(slotProps?.htmlInput as object),
        },
      }}
      {...rest}
    >
      {options?.map(([option, label]) => (
        <option key={option} value={option}>
          {label}
        </option>
      ))}
    </TextField>
  );
}
