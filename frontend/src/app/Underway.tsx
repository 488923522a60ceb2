import Box from "@mui/material/Box";
import { useLate } from "../ui/Panels";
import { useStore } from "../ui/store";
import { underway } from "./lazy";

/** A thin line while a page is on its way: what was there before stays until it has come. */
export function Underway() {
  const late = useLate(useStore(underway) > 0);
  if (!late) return null;
  return (
    <Box
      role="progressbar"
      aria-label="Loading the page"
      sx={{
        position: "absolute",
        left: 0,
        right: 0,
        bottom: -2,
        height: 2,
        bgcolor: "primary.main",
        animation: "underway 1.2s ease-in-out infinite",
        "@keyframes underway": { "50%": { opacity: 0.25 } },
      }}
    />
  );
}
