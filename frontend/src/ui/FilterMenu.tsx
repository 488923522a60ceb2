import { mdiCheckboxBlankOutline, mdiCheckboxMarked, mdiChevronDown } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { type ReactNode, useState } from "react";
import { Icon } from "./Icon";

type Props<T extends string> = {
  label: string;
  options: readonly T[];
  chosen: T[];
  show: (option: T) => ReactNode;
  /** For the button, where one is chosen. */
  word: (option: T) => string;
  onChange: (chosen: T[]) => void;
};

/** A filter by several words; the button says what is chosen. */
export function FilterMenu<T extends string>({ label, options, chosen, show, word, onChange }: Props<T>) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const says = chosen.length === 0 ? label : `${label}: ${chosen.map(word).join(", ")}`;
  return (
    <>
      <Button
        variant="outlined"
        aria-haspopup="menu"
        aria-expanded={anchor ? true : undefined}
        onClick={(event) => setAnchor(event.currentTarget)}
        endIcon={<Icon path={mdiChevronDown} size={16} />}
        sx={
          chosen.length > 0
            ? { color: "primary.main", borderColor: "primary.main", maxWidth: 280, "& > :first-of-type": {} }
            : undefined
        }
      >
        {says}
      </Button>
      <Menu open={anchor !== null} anchorEl={anchor} onClose={() => setAnchor(null)}>
        {options.map((option) => {
          const on = chosen.includes(option);
          return (
            <MenuItem
              key={option}
              role="menuitemcheckbox"
              aria-checked={on}
              onClick={() => onChange(options.filter((it) => (it === option ? !on : chosen.includes(it))))}
              sx={{ gap: 1 }}
            >
              <Box component="span" sx={{ color: on ? "primary.main" : "text.secondary" }}>
                <Icon path={on ? mdiCheckboxMarked : mdiCheckboxBlankOutline} />
              </Box>
              {show(option)}
            </MenuItem>
          );
        })}
        {chosen.length > 0 && <MenuItem onClick={() => onChange([])}>Any</MenuItem>}
      </Menu>
    </>
  );
}
