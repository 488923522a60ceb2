// Colours. Each text colour has a contrast of at least 4.5 : 1 on the surfaces it is used on (axe checks every route).

/** How runs ended, and states of jobs, in the order of legends. */
export const STATUSES = [
  "succeeded",
  "failed",
  "timed_out",
  "running",
  "pending",
  "cancelled",
  "skipped",
  "missed",
] as const;
export type Status = (typeof STATUSES)[number];

type Scheme = {
  status: Record<Status, string>;
  raised: string;
  sunken: string;
  line: string;
  lineStrong: string;
};

export const light = {
  primary: { main: "#3b46b8", dark: "#2d3796", light: "#5661cf", contrastText: "#ffffff" },
  error: { main: "#b8261f" },
  warning: { main: "#8a5300" },
  success: { main: "#17713f" },
  info: { main: "#0a5fa8" },
  background: { default: "#f7f7f4", paper: "#ffffff" },
  text: { primary: "#1b1d21", secondary: "#565b63", disabled: "#8a8f97" },
  divider: "#e4e3dd",
  status: {
    succeeded: "#17713f",
    failed: "#b8261f",
    timed_out: "#a24a06",
    running: "#0a5fa8",
    pending: "#565b63",
    cancelled: "#62676f",
    skipped: "#7a6000",
    missed: "#7c3aa8",
  },
  raised: "#ffffff",
  sunken: "#f0f0ec",
  line: "#e4e3dd",
  lineStrong: "#cfcec6",
} satisfies Scheme & Record<string, unknown>;

export const dark = {
  primary: { main: "#a3adff", dark: "#8792f2", light: "#c1c8ff", contrastText: "#12142b" },
  error: { main: "#ff8f88" },
  warning: { main: "#e8b257" },
  success: { main: "#63cd91" },
  info: { main: "#74b8f5" },
  background: { default: "#131417", paper: "#1a1c20" },
  text: { primary: "#e8e9eb", secondary: "#a5aab3", disabled: "#7a7f88" },
  divider: "#2b2e34",
  status: {
    succeeded: "#63cd91",
    failed: "#ff8f88",
    timed_out: "#f3a35f",
    running: "#74b8f5",
    pending: "#a5aab3",
    cancelled: "#9196a0",
    skipped: "#d9bd52",
    missed: "#cf9bf2",
  },
  raised: "#202328",
  sunken: "#0f1012",
  line: "#2b2e34",
  lineStrong: "#41454d",
} satisfies Scheme & Record<string, unknown>;
