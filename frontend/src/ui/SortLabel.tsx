import { mdiArrowDown, mdiArrowUp } from "@mdi/js";
import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import { Icon } from "./Icon";

type Props<T extends string> = { by: string; sort: T; onSort: (sort: T) => void; children: ReactNode };

/** The heading of a column that can be sorted by. */
export function SortLabel<T extends string>({ by, sort, onSort, children }: Props<T>) {
  const active = sort === by || sort === `-${by}`;
  const descending = sort === `-${by}`;
  return (
    <Box
      component="button"
      type="button"
      onClick={() => onSort((active && !descending ? `-${by}` : by) as T)}
      aria-label={`${String(children)}: sort ${active && !descending ? "descending" : "ascending"}`}
      aria-pressed={active}
      sx={{
        display: "inline-flex",
        alignItems: "center",
        gap: 0.5,
        minHeight: 24,
        font: "inherit",
        color: active ? "text.primary" : "inherit",
        bgcolor: "transparent",
        border: 0,
        p: 0,
        cursor: "pointer",
        "&:hover": { color: "text.primary" },
      }}
    >
      {children}
      {active && <Icon path={descending ? mdiArrowDown : mdiArrowUp} size={13} />}
    </Box>
  );
}
