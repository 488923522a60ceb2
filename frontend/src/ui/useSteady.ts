import { useMemo, useRef, useState } from "react";

/**
 * Rows that do not move under the pointer. While it is over the list (or the focus is in it), known rows keep their
 * places and show what is new about them; the order is the service's again once it leaves, or when `question` changes.
 */
export function useSteady<T extends { id: string }>(rows: T[] | undefined, question: string) {
  const [held, setHeld] = useState(false);
  const shown = useRef<{ question: string; ids: string[] }>({ question: "", ids: [] });
  const steady = useMemo(() => {
    const fresh = rows ?? [];
    const same = shown.current.question === question;
    if (!held || !same) {
      shown.current = { question, ids: fresh.map(({ id }) => id) };
      return fresh;
    }
    const byId = new Map(fresh.map((row) => [row.id, row]));
    const kept = shown.current.ids.flatMap((id) => byId.get(id) ?? []);
    const known = new Set(shown.current.ids);
    const ordered = [...kept, ...fresh.filter(({ id }) => !known.has(id))];
    shown.current = { question, ids: ordered.map(({ id }) => id) };
    return ordered;
  }, [rows, held, question]);
  return {
    rows: steady,
    hold: { onPointerEnter: () => setHeld(true), onPointerLeave: () => setHeld(false) },
  };
}
