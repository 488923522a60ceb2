import { mdiChevronDown } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useState } from "react";
import { serviceNow } from "../api/connection";
import { useSettings } from "../settings/settings";
import { momentOf, resolveZone } from "../time/format";
import { instantOf, wallOf } from "../time/wall";
import { Icon } from "../ui/Icon";

type Props = { from?: string; to?: string; onChange: (range: { from?: string; to?: string }) => void };

const SPANS: [string, number][] = [
  ["Last hour", 3_600_000],
  ["Last 6 hours", 21_600_000],
  ["Last 24 hours", 86_400_000],
  ["Last 7 days", 604_800_000],
];

/** A stretch of time: one of the usual ones, or from and to by the clock that is shown. */
export function Range({ from, to, onChange }: Props) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const settings = useSettings();
  const zone = resolveZone(settings.zone === "job" ? "local" : settings.zone);
  const now = serviceNow();
  const shown = (at: string) => momentOf(Date.parse(at), zone, now, { hour12: settings.hour12 });
  const says = !from && !to ? "Time" : `${from ? shown(from) : "…"} – ${to ? shown(to) : "now"}`;
  const wall = (at?: string) =>
    at && !Number.isNaN(Date.parse(at)) ? wallOf(Date.parse(at), zone).slice(0, 16) : "";
  const set = (name: "from" | "to", typed: string) => {
    const at = typed ? instantOf(typed, zone) : undefined;
    onChange({ from, to, [name]: at === undefined ? undefined : new Date(at).toISOString() });
  };
  return (
    <>
      <Button
        variant="outlined"
        aria-haspopup="menu"
        aria-expanded={anchor ? true : undefined}
        onClick={(event) => setAnchor(event.currentTarget)}
        endIcon={<Icon path={mdiChevronDown} size={16} />}
        sx={from || to ? { color: "primary.main", borderColor: "primary.main" } : undefined}
      >
        {says}
      </Button>
      <Menu open={anchor !== null} anchorEl={anchor} onClose={() => setAnchor(null)}>
        {SPANS.map(([label, span]) => (
          <MenuItem
            key={label}
            onClick={() => {
              setAnchor(null);
              onChange({
                from: new Date(Math.floor((now - span) / 60_000) * 60_000).toISOString(),
                to: undefined,
              });
            }}
          >
            {label}
          </MenuItem>
        ))}
        <Box
          component="li"
          role="none"
          onKeyDown={(event: React.KeyboardEvent) => event.stopPropagation()}
          sx={{ display: "grid", gap: 1, p: 1.5, fontSize: "0.75rem", color: "text.secondary" }}
        >
          {(["from", "to"] as const).map((name) => (
            <Box component="label" key={name} sx={{ display: "grid", gap: 0.5 }}>
              {name === "from" ? "From" : "To"}, {zone}
              <Box
                component="input"
                type="datetime-local"
                value={wall(name === "from" ? from : to)}
                onChange={(event: React.ChangeEvent<HTMLInputElement>) => set(name, event.target.value)}
                sx={{
                  font: "inherit",
                  color: "text.primary",
                  bgcolor: "background.default",
                  border: 1,
                  borderColor: "lineStrong",
                  borderRadius: 1,
                  p: 0.75,
                  minHeight: 30,
                }}
              />
            </Box>
          ))}
        </Box>
      </Menu>
    </>
  );
}
