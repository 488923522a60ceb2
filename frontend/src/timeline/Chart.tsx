import Box from "@mui/material/Box";
import { useRef, useState } from "react";
import { useNavigate } from "react-router";
import type { Timeline } from "../api/stats";
import { useSettings } from "../settings/settings";
import { STATUSES } from "../theme/palette";
import { MONO } from "../theme/theme";
import { resolveZone, timeOf } from "../time/format";
import { useNow } from "../time/useNow";
import { Link } from "../ui/Link";
import { density } from "./density";
import { ROW, Row } from "./Row";
import { place, type Scale, ticks } from "./scale";

type Props = {
  timeline: Timeline;
  scale: Scale;
  /** By so many quarters of the width. */
  move: (quarters: number) => void;
  zoom: (by: 1 | -1) => void;
};

const NAMES = { xs: 104, sm: 180 };

/** Jobs beside each other in time; dragged, or moved with arrows and +/−. */
export function Chart({ timeline, scale, move, zoom }: Props) {
  const navigate = useNavigate();
  const now = useNow(5000);
  const settings = useSettings();
  const zone = resolveZone(settings.zone === "job" ? "local" : settings.zone);
  const drag = useRef<{ x: number; width: number; moved: boolean } | undefined>(undefined);
  const [shift, setShift] = useState(0);
  const parts = 96;
  const cells = density(timeline.data, scale, now, parts);
  const busiest = Math.max(1, ...cells.map(({ jobs }) => jobs));
  const at = place(scale, now);

  const click = (event: React.MouseEvent) => {
    if (drag.current?.moved || !(event.target instanceof Element)) return;
    const { run, job, from } = (event.target as SVGElement).dataset;
    if (run) navigate(`/runs/${run}`);
    else if (job) navigate(`/jobs/${job}`);
    else if (from) {
      const row = event.target.closest<HTMLElement>("[data-row]")?.dataset.row;
      const to = new Date(Date.parse(from) + timeline.bucket_ms).toISOString();
      navigate(`/runs?job=${row}&from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`);
    }
  };
  const colours = Object.fromEntries(
    STATUSES.map((status) => [
      `& .${status}`,
      { fill: `var(--s-palette-status-${status})`, cursor: "pointer" },
    ]),
  );

  return (
    <Box
      role="group"
      aria-label="Timeline; arrows move it, + and − zoom"
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget) return;
        if (event.key === "ArrowLeft") move(-1);
        else if (event.key === "ArrowRight") move(1);
        else if (event.key === "+" || event.key === "=") zoom(-1);
        else if (event.key === "-") zoom(1);
        else return;
        event.preventDefault();
      }}
      sx={{
        ...colours,
        "& .succeeded": { fill: "var(--s-palette-status-succeeded)", fillOpacity: 0.75, cursor: "pointer" },
        "& .upcoming": {
          fill: "transparent",
          stroke: "var(--s-palette-text-secondary)",
          strokeWidth: 1.2,
          cursor: "pointer",
        },
        "& .upcoming.many": { fill: "var(--s-palette-text-secondary)", strokeWidth: 0.6 },
      }}
    >
      <Line
        name={<Box sx={{ fontSize: "0.6875rem", color: "text.secondary" }}>Due together</Box>}
        height={26}
      >
        <Box
          role="img"
          aria-label={`At most ${busiest} jobs are due together`}
          sx={{ position: "absolute", inset: "5px 0", display: "flex" }}
        >
          {cells.map((cell) => (
            <Box
              key={cell.from}
              data-tip={
                cell.jobs
                  ? `${cell.jobs} ${cell.jobs === 1 ? "job" : "jobs"}, ${cell.occurrences} ${cell.occurrences === 1 ? "occurrence" : "occurrences"}\nfrom ${timeOf(cell.from, zone, { hour12: settings.hour12 })}`
                  : undefined
              }
              sx={{ flex: 1, bgcolor: cell.jobs ? "primary.main" : "transparent" }}
              style={{ opacity: cell.jobs ? 0.15 + 0.85 * (cell.jobs / busiest) : 1 }}
            />
          ))}
        </Box>
      </Line>
      <Line height={22} edge>
        {ticks(scale, zone, 8, settings.hour12).map((tick) => (
          <Box
            key={tick.at}
            sx={{
              position: "absolute",
              top: 3,
              fontSize: "0.6875rem",
              color: "text.secondary",
              pl: 0.5,
              borderLeft: 1,
              borderColor: "lineStrong",
              whiteSpace: "nowrap",
            }}
            style={{ left: `${place(scale, tick.at)}%` }}
          >
            {tick.label}
          </Box>
        ))}
      </Line>
      <Box
        onClick={click}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.pointerType === "touch") return;
          drag.current = {
            x: event.clientX,
            width: event.currentTarget.clientWidth - NAMES.sm,
            moved: false,
          };
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (!from || event.buttons === 0) return;
          if (Math.abs(event.clientX - from.x) > 4) from.moved = true;
          if (from.moved) setShift(event.clientX - from.x);
        }}
        onPointerUp={(event) => {
          const from = drag.current;
          if (from?.moved) move(Math.round(((from.x - event.clientX) / from.width) * 4 * 4) / 4);
          setShift(0);
          // The click that follows must still know that it was none.
          setTimeout(() => {
            drag.current = undefined;
          });
        }}
        onPointerLeave={() => {
          drag.current = undefined;
          setShift(0);
        }}
        sx={{ position: "relative", cursor: shift ? "grabbing" : undefined, userSelect: "none" }}
      >
        {timeline.data.map((row) => (
          <Line
            key={row.job_id}
            row={row.job_id}
            height={ROW}
            edge
            name={
              <Link
                to={`/jobs/${row.job_id}`}
                color="inherit"
                draggable={false}
                sx={{
                  fontFamily: MONO,
                  fontSize: "0.75rem",
                  overflow: "hidden",
                  textOverflow: "ellipsis",
                  whiteSpace: "nowrap",
                  display: "block",
                  opacity: row.state === "active" ? 1 : 0.75,
                }}
              >
                {row.job_name}
              </Link>
            }
          >
            <Box
              sx={{ position: "absolute", inset: 0 }}
              style={shift ? { transform: `translateX(${shift}px)` } : undefined}
            >
              <Row row={row} scale={scale} bucket={timeline.bucket_ms} now={Math.floor(now / 5000) * 5000} />
            </Box>
            {at >= 0 && at <= 100 && (
              <Box
                aria-hidden
                sx={{
                  position: "absolute",
                  top: 0,
                  bottom: -1,
                  width: "1.5px",
                  bgcolor: "primary.main",
                  pointerEvents: "none",
                }}
                style={{ left: `calc(${at}% + ${shift}px)` }}
              />
            )}
          </Line>
        ))}
      </Box>
    </Box>
  );
}

function Line(props: {
  name?: React.ReactNode;
  row?: string;
  height: number;
  edge?: boolean;
  children: React.ReactNode;
}) {
  return (
    <Box
      data-row={props.row}
      sx={{ display: "flex", alignItems: "center", borderBottom: props.edge ? 1 : 0, borderColor: "line" }}
    >
      <Box sx={{ width: NAMES, flex: "none", px: { xs: 1, sm: 2 }, minWidth: 0 }}>{props.name}</Box>
      <Box
        sx={{ position: "relative", flex: 1, minWidth: 0, overflow: "hidden" }}
        style={{ height: props.height }}
      >
        {props.children}
      </Box>
    </Box>
  );
}
