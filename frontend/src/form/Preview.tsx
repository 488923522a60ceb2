import { mdiAlertOutline } from "@mdi/js";
import Box from "@mui/material/Box";
import type { SchedulePreview } from "../api/jobs";
import { useSettings } from "../settings/settings";
import { countOf, dayOf, exactOf, LOCAL_ZONE, relativeOf, resolveZone, timeOf } from "../time/format";
import { useNow } from "../time/useNow";
import { Icon } from "../ui/Icon";

type Occurrence = SchedulePreview["next"][number];

/** How often, in a unit people count in. */
export function often(perDay: number): string {
  const say = (count: number, unit: string) =>
    `${count >= 10 ? countOf(count) : Math.round(count * 10) / 10} ${Math.round(count * 10) / 10 === 1 ? "run" : "runs"} ${unit}`;
  if (perDay >= 1) return say(perDay, "a day");
  if (perDay * 7 >= 0.95) return say(perDay * 7, "a week");
  if (perDay * 30.44 >= 0.95) return say(perDay * 30.44, "a month");
  return say(perDay * 365.25, "a year");
}

/** What a schedule means, by the service: in words, warnings, and its next occurrences on the clocks that matter. */
export function Preview({
  preview,
  zone,
  pale,
}: {
  preview: SchedulePreview;
  zone: string | undefined;
  pale?: boolean;
}) {
  const first = preview.next[0];
  return (
    <Box sx={{ opacity: pale ? 0.55 : 1, display: "grid", gap: 1.5 }}>
      <Box sx={{ fontSize: "0.9375rem", fontWeight: 600, overflowWrap: "anywhere" }}>
        {preview.description}
      </Box>
      <Box
        sx={{
          display: "flex",
          flexWrap: "wrap",
          gap: "2px 14px",
          fontSize: "0.75rem",
          color: "text.secondary",
        }}
      >
        {preview.runs_per_day !== null && <span>About {often(preview.runs_per_day)}</span>}
        {preview.normalized && (
          <span>
            Read as <code>{preview.normalized}</code>
            {preview.dialect && preview.dialect !== "unix" && ` (${preview.dialect})`}
          </span>
        )}
      </Box>
      {preview.warnings.map((warning) => (
        <Box
          key={warning}
          role="note"
          sx={{ display: "flex", gap: 1, color: "warning.main", fontSize: "0.8125rem" }}
        >
          <Icon path={mdiAlertOutline} size={16} />
          <span>{warning}</span>
        </Box>
      ))}
      {first ? (
        <Occurrences next={preview.next} zone={zone} />
      ) : (
        <Box sx={{ color: "text.secondary" }}>No occurrence is left.</Box>
      )}
      {preview.left_out.length > 0 && (
        <Box component="details" sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
          <Box component="summary" sx={{ cursor: "pointer", minHeight: 24 }}>
            {preview.left_out.length} left out by calendars meanwhile
          </Box>
          {preview.left_out.map(({ at, local, calendar }) => (
            <Box key={at} sx={{ fontVariantNumeric: "tabular-nums" }}>
              {local.replace("T", " ")} · {calendar}
            </Box>
          ))}
        </Box>
      )}
    </Box>
  );
}

function Occurrences({ next, zone }: { next: Occurrence[]; zone: string | undefined }) {
  const now = useNow(1000);
  const settings = useSettings();
  const viewer = resolveZone(settings.zone === "job" ? "local" : settings.zone);
  const own = zone ?? viewer;
  const both = own !== viewer;
  const short = (name: string) => (name.split("/").at(-1) ?? name).replaceAll("_", " ");
  const head = {
    textAlign: "left",
    fontWeight: 550,
    fontSize: "0.6875rem",
    color: "text.secondary",
    pb: 0.5,
  } as const;
  return (
    <Box
      component="table"
      aria-label="Next occurrences"
      sx={{
        borderCollapse: "collapse",
        width: "100%",
        fontSize: "0.8125rem",
        fontVariantNumeric: "tabular-nums",
        "td, th": { pr: 1.25, verticalAlign: "top" },
      }}
    >
      <thead>
        <tr>
          <Box component="th" scope="col" sx={head}>
            Next, {short(own)}
          </Box>
          {both && (
            <Box component="th" scope="col" sx={head}>
              {viewer === LOCAL_ZONE ? "Your time" : short(viewer)}
            </Box>
          )}
          <Box component="th" scope="col" sx={{ ...head, textAlign: "right", pr: "0 !important" }}>
            In
          </Box>
        </tr>
      </thead>
      <tbody>
        {next.map((it) => {
          const at = Date.parse(it.at);
          const seconds = at % 60_000 !== 0;
          const shown = (name: string) =>
            `${dayOf(at, name, now)}, ${timeOf(at, name, { seconds, hour12: settings.hour12 })}`;
          return (
            <Box
              component="tr"
              key={it.at}
              data-tip={[exactOf(at, own), exactOf(at, "UTC"), dueText(it)].filter(Boolean).join("\n")}
            >
              <td>
                {shown(own)}
                {it.note && <Box sx={{ fontSize: "0.75rem", color: "warning.main" }}>{it.note}</Box>}
              </td>
              {both && (
                <Box component="td" sx={{ color: "text.secondary" }}>
                  {shown(viewer)}
                </Box>
              )}
              <Box
                component="td"
                sx={{ textAlign: "right", color: "text.secondary", whiteSpace: "nowrap", pr: "0 !important" }}
              >
                {relativeOf(at, now).replace(/^in /, "")}
              </Box>
            </Box>
          );
        })}
      </tbody>
    </Box>
  );
}

function dueText({ due_at, due_by, at }: Occurrence) {
  if (due_at && due_at !== at) return `due ${due_at} with its jitter`;
  return due_by && due_by !== at ? `due by ${due_by}, with jitter` : "";
}
