import { mdiClockOutline } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { Suspense, useRef, useState } from "react";
import { useSettings } from "../settings/settings";
import { LOCAL_ZONE, resolveZone } from "../time/format";
import { Icon } from "../ui/Icon";
import { lazy } from "./lazy";

const ZoneDialog = lazy(() => import("./ZoneDialog"));

/** Which clock times are shown by. */
export function ZoneSwitch() {
  const { zone } = useSettings();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const name = zone === "job" ? "Job's zone" : resolveZone(zone);
  const short =
    zone === "job" ? "Job" : name === "UTC" ? "UTC" : (name.split("/").at(-1) ?? name).replaceAll("_", " ");
  return (
    <>
      <Button
        ref={button}
        variant="text"
        onClick={() => setOpen(true)}
        aria-haspopup="dialog"
        data-tip={`Times are shown in ${name}${zone === "local" && LOCAL_ZONE !== "UTC" ? ", this browser's zone" : ""}`}
        sx={{ color: "text.secondary", px: 1, minWidth: 0, gap: 0.75, fontWeight: 500 }}
      >
        <Icon path={mdiClockOutline} size={16} />
        <Box
          component="span"
          sx={{
            maxWidth: { xs: 74, sm: 140 },
            overflow: "hidden",
            textOverflow: "ellipsis",
            whiteSpace: "nowrap",
          }}
        >
          {short}
        </Box>
      </Button>
      <Suspense fallback={null}>{open && <ZoneDialog onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}
