import Box from "@mui/material/Box";
import { type Schedule, useWords } from "../api/jobs";
import { MONO } from "../theme/theme";
import { rawSchedule, zoneOfSchedule } from "./words";

/** A schedule in the service's words, and as it is written beneath. */
export function ScheduleText({ schedule, both = true }: { schedule: Schedule; both?: boolean }) {
  const words = useWords(schedule);
  const raw = rawSchedule(schedule);
  const zone = zoneOfSchedule(schedule);
  // The service's words end with the zone, which is beneath already.
  const said =
    words.data && zone && words.data.endsWith(`, ${zone}`)
      ? words.data.slice(0, -zone.length - 2)
      : words.data;
  return (
    <Box sx={{ minWidth: 0 }}>
      <Box sx={{ overflowWrap: "anywhere" }}>{said ?? <Box component="code">{raw}</Box>}</Box>
      {both && (
        <Box sx={{ fontSize: "0.75rem", color: "text.secondary", overflowWrap: "anywhere" }}>
          {said && schedule.type === "cron" && (
            <Box component="span" sx={{ fontFamily: MONO, mr: 1, display: "inline-block" }}>
              {raw}
            </Box>
          )}
          {zone}
        </Box>
      )}
    </Box>
  );
}
