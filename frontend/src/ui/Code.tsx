import { mdiContentCopy } from "@mdi/js";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import { useState } from "react";
import { prettyJson } from "../api/exact";
import { copy } from "./copy";
import { Icon } from "./Icon";

const SHOWN = 20_000;

/** Text as it is; JSON laid out. Huge ones are shown in part, and copied whole. */
export function Code({
  text,
  label,
  truncated,
  raw,
}: {
  text: string;
  label: string;
  truncated?: boolean;
  raw?: boolean;
}) {
  const [all, setAll] = useState(false);
  const laidOut = raw ? text : (prettyJson(text) ?? text);
  const shown = all ? laidOut : laidOut.slice(0, SHOWN);
  return (
    <Box sx={{ position: "relative", minWidth: 0 }}>
      <Box
        component="pre"
        tabIndex={0}
        role="group"
        aria-label={label}
        sx={{
          m: 0,
          p: 1.5,
          pr: 5,
          maxHeight: 420,
          overflow: "auto",
          fontSize: "0.75rem",
          lineHeight: 1.55,
          bgcolor: "sunken",
          border: 1,
          borderColor: "line",
          borderRadius: 1,
          whiteSpace: "pre-wrap",
          overflowWrap: "anywhere",
          tabSize: 2,
        }}
      >
        {shown}
      </Box>
      <IconButton
        aria-label={`Copy ${label}`}
        onClick={() => void copy(text)}
        sx={{ position: "absolute", top: 5, right: 8, bgcolor: "sunken" }}
      >
        <Icon path={mdiContentCopy} size={15} />
      </IconButton>
      {(truncated || shown.length < laidOut.length) && (
        <Box sx={{ fontSize: "0.75rem", color: "text.secondary", mt: 0.5 }}>
          {shown.length < laidOut.length && (
            <Box
              component="button"
              type="button"
              onClick={() => setAll(true)}
              sx={{
                font: "inherit",
                color: "primary.main",
                bgcolor: "transparent",
                border: 0,
                p: 0,
                mr: 1.5,
                minHeight: 24,
                cursor: "pointer",
              }}
            >
              Show all {Math.round(laidOut.length / 1024)} KiB
            </Box>
          )}
          {truncated && "The rest was not recorded."}
        </Box>
      )}
    </Box>
  );
}
