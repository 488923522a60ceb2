import { useCallback, useEffect, useState } from "react";
import { EMPTY, type Form } from "./state";

/** What was typed and not saved outlives a reload, in this tab. */
export function useKept(key: string, initial: Form) {
  const [restored, setRestored] = useState(() => read(key) !== undefined);
  const [form, setForm] = useState<Form>(() => read(key) ?? initial);
  const [touched, setTouched] = useState(restored);

  useEffect(() => {
    if (!touched) return;
    const timer = setTimeout(() => write(key, form), 300);
    return () => clearTimeout(timer);
  }, [key, form, touched]);

  const set = useCallback((part: Partial<Form>) => {
    setTouched(true);
    setForm((before) => ({ ...before, ...part }));
  }, []);
  const forget = useCallback(() => {
    setTouched(false);
    write(key, undefined);
  }, [key]);
  const discard = useCallback(() => {
    forget();
    setRestored(false);
    setForm(initial);
  }, [forget, initial]);
  return { form, set, restored, discard, forget, touched };
}

function read(key: string): Form | undefined {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(key) ?? "null");
    return stored && typeof stored === "object" ? { ...EMPTY, ...stored } : undefined;
  } catch {
    return undefined;
  }
}

function write(key: string, form: Form | undefined) {
  try {
    if (form) sessionStorage.setItem(key, JSON.stringify(form));
    else sessionStorage.removeItem(key);
  } catch {
    // Full or forbidden: it then does not outlive a reload.
  }
}
