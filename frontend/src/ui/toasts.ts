import { explain } from "../api/problem";
import { createStore } from "./store";

export type Toast = {
  id: number;
  tone: "info" | "error";
  title: string;
  detail?: string;
  requestId?: string;
  action?: { label: string; act: () => void };
};

export const toasts = createStore<Toast[]>([]);
let last = 0;

export function toast(shown: Omit<Toast, "id" | "tone"> & { tone?: Toast["tone"] }): number {
  last += 1;
  const id = last;
  toasts.set((before) => [...before.slice(-2), { tone: "info", ...shown, id }]);
  return id;
}

export function dismiss(id: number) {
  toasts.set((before) => before.filter((it) => it.id !== id));
}

/** Tells of a failed request, with the id that names it in the service's log. */
export function toastError(doing: string, error: unknown) {
  const { title, detail, requestId } = explain(error);
  toast({ tone: "error", title: `${doing}: ${title}`, detail, requestId });
}
