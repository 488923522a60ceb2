import { useEffect, useState } from "react";

/** A value after it has not changed for `ms`; compared by what it says, not by identity. */
export function useDebounced<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  const said = JSON.stringify(value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `said` is the value
  useEffect(() => {
    if (said === JSON.stringify(settled)) return;
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [said, ms]);
  return settled;
}
