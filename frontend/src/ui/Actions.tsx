import { mdiDotsHorizontal } from "@mdi/js";
import IconButton from "@mui/material/IconButton";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useState } from "react";
import { Icon } from "./Icon";

export type Action = { label: string; act: () => void; icon?: string; danger?: boolean; disabled?: boolean };

/** The ⋯ menu. */
export function Actions({ label, actions }: { label: string; actions: (Action | undefined | false)[] }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <IconButton
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={anchor ? true : undefined}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Icon path={mdiDotsHorizontal} />
      </IconButton>
      <Menu
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
        transformOrigin={{ vertical: "top", horizontal: "right" }}
      >
        {actions.map(
          (action) =>
            action && (
              <MenuItem
                key={action.label}
                disabled={action.disabled}
                onClick={() => {
                  setAnchor(null);
                  action.act();
                }}
                sx={{ gap: 1.25, color: action.danger ? "error.main" : undefined }}
              >
                {action.icon && <Icon path={action.icon} size={16} />}
                {action.label}
              </MenuItem>
            ),
        )}
      </Menu>
    </>
  );
}
