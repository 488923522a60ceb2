import { useMemo, useRef, useState } from "react";

/**
 * A list that grows at its top. New rows wait while the pointer is over the list, or while it is scrolled down, and are
 * counted; what is known of rows that are shown is always the latest.
 */
export function useFreshOnTop<T extends { id: string }>(
  rows: T[] | undefined,
  question: string,
  growing: boolean,
) {
  const [held, setHeld] = useState(false);
  const [asked, setAsked] = useState(0);
  const shown = useRef<{ question: string; asked: number; ids: Set<string> }>({
    question: "",
    asked: 0,
    ids: new Set(),
  });
  return useMemo(() => {
    const all = rows ?? [];
    const before = shown.current;
    const waits =
      growing && held && before.question === question && before.asked === asked && before.ids.size > 0;
    const first = all.findIndex(({ id }) => before.ids.has(id));
    // When none of the old rows is left, there is nothing to keep in place.
    const fresh = waits && first > 0 ? first : 0;
    const kept = all.slice(fresh);
    if (!fresh) shown.current = { question, asked, ids: new Set(all.map(({ id }) => id)) };
    return {
      rows: kept,
      fresh,
      show: () => setAsked((count) => count + 1),
      hold: { onPointerEnter: () => setHeld(true), onPointerLeave: () => setHeld(false) },
    };
  }, [rows, question, growing, held, asked]);
}
