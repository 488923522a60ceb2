import { mdiPause, mdiPlay, mdiRefresh } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { connection } from "../api/connection";
import { stream } from "../api/live";
import { change, useSettings } from "../settings/settings";
import { Icon } from "../ui/Icon";
import { useStore } from "../ui/store";

const PACES = [1, 2, 5, 15, 30];

/** Whether the page keeps up with the service, in words, and how fast. */
export function LiveControl() {
  const { refresh } = useSettings();
  const { awaySince } = useStore(connection);
  const queries = useQueryClient();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const fetching = useIsFetching() > 0;
  const { live } = useStore(stream);
  const word = awaySince ? "Reconnecting" : !refresh ? "Paused" : live ? "Live" : "Polling";
  const how = live ? "Changes are shown as they happen" : `Looks every ${refresh} s`;
  const colour = awaySince ? "warning.main" : refresh && live ? "success.main" : "text.secondary";
  const choose = (seconds: number) => {
    change({ refresh: seconds });
    setAnchor(null);
    if (seconds) void queries.invalidateQueries();
  };
  return (
    <>
      <Button
        variant="text"
        title={refresh ? how : undefined}
        aria-haspopup="menu"
        aria-expanded={anchor ? true : undefined}
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ color: "text.secondary", px: 1, minWidth: 0, gap: 0.75, fontWeight: 500 }}
      >
        <Box
          component="span"
          aria-hidden
          sx={{
            width: 7,
            height: 7,
            borderRadius: "50%",
            bgcolor: colour,
            opacity: fetching ? 0.5 : 1,
            transition: "opacity 200ms",
          }}
        />
        {word}
      </Button>
      {/* Beside the button, not in it: what is in there is its name, and a status gives none. */}
      <Box component="span" role="status" sx={{ position: "absolute", clipPath: "inset(50%)" }}>
        {word}
      </Box>
      <Menu open={anchor !== null} anchorEl={anchor} onClose={() => setAnchor(null)}>
        <MenuItem onClick={() => choose(refresh ? 0 : 5)} sx={{ gap: 1.25 }}>
          <Icon path={refresh ? mdiPause : mdiPlay} size={16} />
          {refresh ? "Pause updates" : "Resume updates"}
        </MenuItem>
        <MenuItem
          onClick={() => {
            setAnchor(null);
            void queries.invalidateQueries();
          }}
          sx={{ gap: 1.25 }}
        >
          <Icon path={mdiRefresh} size={16} />
          Look now
        </MenuItem>
        {PACES.map((seconds) => (
          <MenuItem
            key={seconds}
            selected={refresh === seconds}
            onClick={() => choose(seconds)}
            sx={{ pl: 5 }}
          >
            Every {seconds} s
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
