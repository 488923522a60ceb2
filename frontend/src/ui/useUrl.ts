import { useCallback } from "react";
import { useSearchParams } from "react-router";

type Values = Record<string, string | string[] | undefined>;

/** The state of a list, in its address: what is seen can be sent to somebody, and Back goes back. */
export function useUrl() {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (part: Values, options: { replace?: boolean } = {}) => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(part)) {
            next.delete(name);
            if (Array.isArray(value)) {
              if (value.length > 0) next.set(name, value.join(","));
            } else if (value) next.set(name, value);
          }
          return next;
        },
        { replace: options.replace ?? false },
      );
    },
    [setParams],
  );
  const many = (name: string) => params.get(name)?.split(",").filter(Boolean) ?? [];
  const one = (name: string) => params.get(name) ?? undefined;
  return { params, one, many, set };
}

/** Those of `values` that are known words; others in an address are nobody's fault and change nothing. */
export function known<T extends string>(values: string[], words: readonly T[]): T[] {
  return words.filter((word) => values.includes(word));
}
