import Box from "@mui/material/Box";
import { useEffect, useRef, useState } from "react";
import type { Schemas } from "../api/client";
import { useSettings } from "../settings/settings";
import { resolveZone, timeOf } from "../time/format";
import { Panel } from "../ui/Panels";

type Line = Schemas["RunLogLine"];

/** The lines of a run's log so far, then each new one as it is written; the browser itself asks again where it is cut off. */
function useLog(id: string) {
  const [lines, setLines] = useState<Line[]>([]);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    setLines([]);
    if (typeof EventSource === "undefined") return;
    const source = new EventSource(`/api/v1/runs/${encodeURIComponent(id)}/log`);
    // Many lines arrive at once: they are shown once a frame.
    let waiting: Line[] = [];
    let frame = 0;
    const show = () => {
      frame = 0;
      const arrived = waiting;
      waiting = [];
      setLines((before) => [...before, ...arrived]);
    };
    source.addEventListener("line", (event) => {
      waiting.push(JSON.parse(event.data) as Line);
      frame ||= requestAnimationFrame(show);
    });
    source.addEventListener("open", () => setOpen(true));
    source.addEventListener("end", () => {
      setOpen(false);
      source.close();
    });
    return () => {
      cancelAnimationFrame(frame);
      source.close();
    };
  }, [id]);
  return { lines, open };
}

/** What the attempts wrote while they went on; nothing where they wrote nothing. */
export function RunLog({ id, zone: jobZone }: { id: string; zone?: string }) {
  const { lines, open } = useLog(id);
  const { zone: chosen, hour12 } = useSettings();
  const zone = resolveZone(chosen, jobZone);
  const box = useRef<HTMLDivElement>(null);
  // Follows the end, unless somebody has scrolled up to read.
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are the trigger
  useEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return null;
  return (
    <Panel
      title="Log"
      aside={open && <Box sx={{ fontSize: "0.75rem", color: "status.running" }}>Following</Box>}
    >
      <Box
        ref={box}
        role="log"
        aria-label="Log"
        tabIndex={0}
        onScroll={(event) => {
          const it = event.currentTarget;
          atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < 8;
        }}
        sx={{
          maxHeight: 420,
          overflow: "auto",
          p: 1.5,
          bgcolor: "sunken",
          border: 1,
          borderColor: "line",
          borderRadius: 1,
          fontSize: "0.75rem",
          lineHeight: 1.55,
        }}
      >
        {lines.map((line) => (
          <Box key={line.seq} sx={{ display: "flex", gap: 1.5 }}>
            <Box
              component="span"
              sx={{ color: "text.secondary", flex: "none", fontVariantNumeric: "tabular-nums" }}
            >
              {timeOf(Date.parse(line.at), zone, { seconds: true, hour12 })}
            </Box>
            <Box
              component="code"
              sx={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", minWidth: 0, color: colourOf(line) }}
            >
              {line.text}
            </Box>
          </Box>
        ))}
      </Box>
    </Panel>
  );
}

function colourOf({ stream, level }: Line) {
  if (level === "error" || stream === "stderr") return "status.failed";
  if (level === "warn") return "status.timed_out";
  return stream === "service" ? "text.secondary" : "text.primary";
}
