import Box from "@mui/material/Box";
import type { RunStatus } from "../api/runs";
import { durationOf } from "../time/format";
import { STATUS_WORDS } from "../ui/Status";

export type Bar = { id: string; status: RunStatus; at: string; ms?: number | null };

type Props = {
  bars: Bar[];
  label: string;
  count?: number;
  height?: number;
  onOpen: (id: string) => void;
  tip: (bar: Bar) => string;
};

const WIDTH = 4;
const GAP = 1;

/**
 * The latest runs of a job, oldest to newest: a bar each, its height how long it took (against the longest shown),
 * its colour how it ended. One stop for the Tab key; arrows move along it, Enter opens the run.
 */
export function HistoryStrip({ bars, label, count = 30, height = 22, onOpen, tip }: Props) {
  const shown = bars.slice(-count);
  const longest = Math.max(1, ...shown.map(({ ms }) => ms ?? 0));
  const width = count * (WIDTH + GAP) - GAP;
  const good = shown.filter(({ status }) => status === "succeeded").length;
  const step = (event: React.KeyboardEvent<HTMLElement>) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
    const now = all.indexOf(document.activeElement as HTMLElement);
    const next = all[Math.min(Math.max(now + by, 0), all.length - 1)];
    for (const bar of all) bar.tabIndex = bar === next ? 0 : -1;
    next?.focus();
  };
  if (shown.length === 0) return <Box sx={{ color: "text.secondary", fontSize: "0.75rem" }}>No runs yet</Box>;
  return (
    <Box
      role="group"
      aria-label={`${label}: ${good} of the last ${shown.length} succeeded`}
      onKeyDown={step}
      sx={{
        display: "flex",
        alignItems: "flex-end",
        justifyContent: "flex-end",
        gap: `${GAP}px`,
        height,
        width,
        borderBottom: 1,
        borderColor: "line",
      }}
    >
      {shown.map((bar, index) => (
        <Box
          key={bar.id}
          component="button"
          type="button"
          tabIndex={index === shown.length - 1 ? 0 : -1}
          aria-label={`${STATUS_WORDS[bar.status]}${bar.ms ? `, ${durationOf(bar.ms)}` : ""}`}
          data-tip={tip(bar)}
          onClick={() => onOpen(bar.id)}
          sx={{
            // The whole height can be hit, however short the bar.
            width: WIDTH,
            height,
            p: 0,
            border: 0,
            bgcolor: "transparent",
            display: "flex",
            alignItems: "flex-end",
            cursor: "pointer",
            "&:hover > span": { filter: "brightness(0.8)" },
          }}
        >
          <Box
            component="span"
            sx={{
              width: WIDTH,
              borderRadius: "1px",
              bgcolor: `status.${bar.status}`,
              opacity: bar.status === "succeeded" ? 0.75 : 1,
            }}
            style={{ height: Math.max(3, Math.round(((bar.ms ?? 0) / longest) * (height - 1))) }}
          />
        </Box>
      ))}
    </Box>
  );
}
