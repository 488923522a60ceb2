import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { type ReactNode, useCallback, useEffect, useState } from "react";

/** Which rows of a list are chosen; gone when the list asks another question, and with Escape. */
export function useSelection(question: string, ids: string[]) {
  const [chosen, setChosen] = useState<{ question: string; ids: ReadonlySet<string>; all: boolean }>({
    question,
    ids: new Set(),
    all: false,
  });
  const valid = chosen.question === question;
  const picked = valid ? chosen.ids : new Set<string>();
  const all = valid && chosen.all;
  const clear = useCallback(() => setChosen({ question, ids: new Set(), all: false }), [question]);
  const toggle = (id: string) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    setChosen({ question, ids: next, all: false });
  };
  const toggleAll = () =>
    picked.size === ids.length ? clear() : setChosen({ question, ids: new Set(ids), all: false });
  const takeAll = () => setChosen({ question, ids: new Set(ids), all: true });
  const some = picked.size > 0;
  useEffect(() => {
    if (!some) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector('[role="dialog"],[role="menu"]')) clear();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [some, clear]);
  return { picked, all, toggle, toggleAll, takeAll, clear };
}

type Props = {
  count: number;
  what: string;
  /** Whether there are rows beyond this page that match. */
  more: boolean;
  all: boolean;
  takeAll: () => void;
  clear: () => void;
  children: ReactNode;
};

/** What can be done to the chosen rows. */
export function SelectionBar({ count, what, more, all, takeAll, clear, children }: Props) {
  return (
    <Box
      role="region"
      aria-label="Selection"
      sx={{
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        gap: 1,
        px: 2,
        py: 0.75,
        borderBottom: 1,
        borderColor: "line",
        bgcolor: "rgb(var(--s-palette-primary-mainChannel) / 0.08)",
        fontSize: "0.8125rem",
      }}
    >
      <span role="status">{all ? `All ${what} that match are selected` : `${count} selected`}</span>
      {more && !all && (
        <Button variant="text" onClick={takeAll}>
          Select all that match
        </Button>
      )}
      {children}
      <Button variant="text" onClick={clear} sx={{ ml: "auto" }}>
        Clear
      </Button>
    </Box>
  );
}
