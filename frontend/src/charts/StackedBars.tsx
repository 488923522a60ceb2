import Box from "@mui/material/Box";
import { useRef, useState } from "react";
import type { RunStatus } from "../api/runs";
import { STATUSES } from "../theme/palette";
import { countOf } from "../time/format";
import { STATUS_WORDS } from "../ui/Status";

export type Stack = { from: string; to: string; label: string; by: Record<RunStatus, number> };

type Props = { stacks: Stack[]; label: string; height?: number; onRange: (from: string, to: string) => void };

const total = ({ by }: Stack) => STATUSES.reduce((sum, status) => sum + (by[status] ?? 0), 0);

/** `312 runs: 300 succeeded, 12 failed` */
export function stackWords(stack: Stack) {
  const all = total(stack);
  const parts = STATUSES.filter((status) => stack.by[status]).map(
    (status) => `${countOf(stack.by[status])} ${STATUS_WORDS[status].toLowerCase()}`,
  );
  return all === 0 ? "no runs" : parts.join(", ");
}

/**
 * How many runs there were in each part of a window, by status. A click on a part, or a stretch drawn over several, goes
 * to its runs; so do arrows and Enter.
 */
export function StackedBars({ stacks, label, height = 132, onRange }: Props) {
  const [stretch, setStretch] = useState<[number, number]>();
  const chart = useRef<HTMLDivElement>(null);
  const most = Math.max(1, ...stacks.map(total));
  const partAt = (x: number) => {
    const box = chart.current?.getBoundingClientRect();
    if (!box || box.width === 0) return 0;
    return Math.min(stacks.length - 1, Math.max(0, Math.floor(((x - box.left) / box.width) * stacks.length)));
  };
  const open = (a: number, b: number) => {
    const [first, last] = [stacks[Math.min(a, b)], stacks[Math.max(a, b)]];
    if (first && last) onRange(first.from, last.to);
  };
  const step = (event: React.KeyboardEvent<HTMLElement>) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -stacks.length, End: stacks.length }[event.key];
    if (!by) return;
    event.preventDefault();
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
    const now = all.indexOf(document.activeElement as HTMLElement);
    const next = all[Math.min(Math.max(now + by, 0), all.length - 1)];
    for (const part of all) part.tabIndex = part === next ? 0 : -1;
    next?.focus();
  };
  const marked = (index: number) => stretch && index >= Math.min(...stretch) && index <= Math.max(...stretch);
  return (
    <Box
      ref={chart}
      role="group"
      aria-label={label}
      onKeyDown={step}
      onPointerDown={(event) => {
        if (event.button === 0) setStretch([partAt(event.clientX), partAt(event.clientX)]);
      }}
      onPointerMove={(event) => stretch && setStretch([stretch[0], partAt(event.clientX)])}
      onPointerUp={() => {
        if (stretch) open(...stretch);
        setStretch(undefined);
      }}
      onPointerLeave={() => setStretch(undefined)}
      sx={{
        display: "flex",
        alignItems: "stretch",
        height,
        borderBottom: 1,
        borderColor: "lineStrong",
        touchAction: "pan-y",
        userSelect: "none",
      }}
    >
      {stacks.map((stack, index) => (
        <Box
          key={stack.from}
          component="button"
          type="button"
          tabIndex={index === stacks.length - 1 ? 0 : -1}
          aria-label={`${stack.label}: ${stackWords(stack)}`}
          data-tip={`${stack.label}\n${stackWords(stack)}`}
          // Pointers are seen to by the chart, which knows of stretches.
          onClick={(event: React.MouseEvent) => event.detail === 0 && open(index, index)}
          sx={{
            flex: 1,
            minWidth: 0,
            p: 0,
            px: "1px",
            border: 0,
            bgcolor: marked(index) ? "rgb(var(--s-palette-primary-mainChannel) / 0.16)" : "transparent",
            display: "flex",
            flexDirection: "column-reverse",
            cursor: "pointer",
            "&:hover": { bgcolor: "rgb(var(--s-palette-primary-mainChannel) / 0.1)" },
          }}
        >
          {STATUSES.map((status) => {
            const count = stack.by[status] ?? 0;
            return count > 0 ? (
              <Box
                key={status}
                component="span"
                sx={{
                  display: "block",
                  bgcolor: `status.${status}`,
                  opacity: status === "succeeded" ? 0.7 : 1,
                  minHeight: 2,
                  flex: "none",
                }}
                style={{ height: `${(count / most) * 100}%` }}
              />
            ) : null;
          })}
        </Box>
      ))}
    </Box>
  );
}

/** Which colour is which, for the statuses that there are. */
export function Legend({ by }: { by: Record<RunStatus, number> }) {
  return (
    <Box
      component="ul"
      sx={{
        listStyle: "none",
        m: 0,
        p: 0,
        display: "flex",
        flexWrap: "wrap",
        gap: "2px 14px",
        fontSize: "0.75rem",
        color: "text.secondary",
      }}
    >
      {STATUSES.filter((status) => by[status]).map((status) => (
        <Box component="li" key={status} sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
          <Box aria-hidden sx={{ width: 8, height: 8, borderRadius: "2px", bgcolor: `status.${status}` }} />
          {STATUS_WORDS[status]} {countOf(by[status])}
        </Box>
      ))}
    </Box>
  );
}
