import Dialog from "@mui/material/Dialog";
import { change, useSettings } from "../settings/settings";
import { LOCAL_ZONE, offsetOf, timeOf } from "../time/format";
import { useNow } from "../time/useNow";
import { searchZones } from "../time/zones";
import { type Choice, Chooser } from "../ui/Chooser";

/** Chooses the clock that times are shown by. */
export default function ZoneDialog({ onClose }: { onClose: () => void }) {
  const { zone, hour12 } = useSettings();
  const now = useNow(30_000);
  const entry = (value: string, label: string, name: string): Choice => ({
    id: value,
    label,
    detail: `${timeOf(now, name, { hour12 })} · ${offsetOf(now, name)}`,
    marked: zone === value,
  });
  const find = (typed: string): Choice[] => {
    const special: Choice[] = [
      entry("local", `This browser: ${LOCAL_ZONE}`, LOCAL_ZONE),
      entry("utc", "UTC", "UTC"),
      { id: "job", label: "Each job's own zone", detail: "", marked: zone === "job" },
    ];
    const words = typed.toLowerCase();
    return [
      ...special.filter(({ label }) => String(label).toLowerCase().includes(words)),
      ...searchZones(typed, 60)
        .filter((name) => name !== "UTC")
        .map((name) => entry(name, name, name)),
    ];
  };
  return (
    <Dialog
      open
      onClose={onClose}
      slotProps={{ paper: { "aria-label": "Time zone of the display" } }}
      fullWidth
      maxWidth="xs"
      sx={{ "& .MuiDialog-container": { alignItems: "flex-start", pt: "8vh" } }}
    >
      <Chooser
        label="Show times in"
        placeholder="A city, UTC, +05:45…"
        find={find}
        choose={(choice) => {
          change({ zone: choice.id });
          onClose();
        }}
      />
    </Dialog>
  );
}
