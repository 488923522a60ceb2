// Short forms of a schedule and a target, as they are written; words come from the service (`useWords`).

import type { Schedule, Target } from "../api/jobs";

/** The schedule as its author wrote it. */
export function rawSchedule(schedule: Schedule): string {
  switch (schedule.type) {
    case "interval":
      return `every ${schedule.every}`;
    case "cron":
      return schedule.expression;
    case "calendar_interval": {
      const [unit = "", count] = Object.entries(schedule.every)[0] ?? [];
      return `every ${count === 1 ? unit.replace(/s$/, "") : `${count} ${unit}`} at ${schedule.time ?? "00:00"}`;
    }
    case "date":
      return `once at ${schedule.at}`;
  }
}

/** The zone, where the schedule depends on one. */
export function zoneOfSchedule(schedule: Schedule): string | undefined {
  return schedule.type === "interval" ? undefined : (schedule.timezone ?? undefined);
}

/** What is called, in a line. */
export function targetLine(target: Target): string {
  switch (target.type) {
    case "http":
      return `${target.method ?? "POST"} ${target.url}`;
    case "email":
      return `e-mail to ${[...(target.to ?? []), ...(target.cc ?? []), ...(target.bcc ?? [])].join(", ")}`;
    case "command":
      return target.argv.join(" ");
    case "log":
      return `log “${target.message}”`;
    case "noop":
      return "nothing";
  }
}
