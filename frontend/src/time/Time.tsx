import Box from "@mui/material/Box";
import { useSettings } from "../settings/settings";
import { copy } from "../ui/copy";
import { exactOf, LOCAL_ZONE, momentOf, relativeOf, resolveZone } from "./format";
import { useNow, useNowNear } from "./useNow";

type Props = {
  at: string;
  /** The zone of the job it belongs to. */
  zone?: string | null;
  /** `relative`: in 3 min. `moment`: Wed 25 Nov, 14:05. */
  show?: "relative" | "moment";
  seconds?: boolean;
  /** Something is expected then: once it is past, it is due, and not ago. */
  due?: boolean;
};

/** An instant: short on the page, exact in every zone that matters in its tooltip, copied as ISO 8601 by a click. */
export function Time({ at, zone, show = "relative", seconds, due }: Props) {
  return show === "relative" ? (
    <Relative at={at} zone={zone} due={due} />
  ) : (
    <Moment at={at} zone={zone} seconds={seconds} />
  );
}

function Relative({ at, zone, due }: Props) {
  const now = useNowNear(Date.parse(at));
  const past = due && Date.parse(at) <= now;
  return <Shown at={at} zone={zone} text={past ? "due now" : relativeOf(Date.parse(at), now)} />;
}

function Moment({ at, zone, seconds }: Props) {
  const now = useNow(30_000);
  const { zone: chosen, hour12 } = useSettings();
  const shown = momentOf(Date.parse(at), resolveZone(chosen, zone), now, { seconds, hour12 });
  return <Shown at={at} zone={zone} text={shown} />;
}

function Shown({ at, zone, text }: Props & { text: string }) {
  const { zone: chosen } = useSettings();
  return (
    <Box
      component="time"
      dateTime={at}
      data-tip={inZones(at, resolveZone(chosen, zone), zone)}
      onClick={() => void copy(at, `Copied ${at}`)}
      sx={{ whiteSpace: "nowrap", cursor: "copy", fontVariantNumeric: "tabular-nums" }}
    >
      {text}
    </Box>
  );
}

/** The instant on the clocks of the zone shown, the job's, this browser's and UTC, each once. */
export function inZones(at: string, shown: string, jobZone?: string | null) {
  const instant = Date.parse(at);
  const zones = [...new Set([shown, jobZone || shown, LOCAL_ZONE, "UTC"])];
  return zones.map((zone) => exactOf(instant, zone)).join("\n");
}
