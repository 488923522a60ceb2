// Whether the service answers, and how far its clock is from this machine's.

import { createStore } from "../ui/store";

export type Connection = {
  /** Since when nobody answers, in this machine's milliseconds; 0 while somebody does. */
  awaySince: number;
};

export const connection = createStore<Connection>({ awaySince: 0 });

let skew = 0;

/** Somebody answered. `date` is the answer's `Date` header, `asked` when the question was sent. */
export function heard(date: string | null, asked: number) {
  const told = date ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(told)) return;
  // The header has whole seconds: the service's time was anywhere in that second, between question and answer.
  const received = Date.now();
  const low = told - received;
  const high = told + 999 - asked;
  if (skew < low || skew > high) {
    const middle = (low + high) / 2;
    skew = Math.abs(middle) < 1500 ? 0 : middle;
  }
}

/** It answers again. Said by whoever looks for it, so that one address that fails does not make the page flicker. */
export function back() {
  if (connection.get().awaySince) connection.set({ awaySince: 0 });
}

/** Nobody answered, or nobody who could. */
export function silence() {
  if (!connection.get().awaySince) connection.set({ awaySince: Date.now() });
}

/** The service's time, by which everything here is judged: a wrong clock must not make runs overdue. */
export function serviceNow() {
  return Date.now() + skew;
}

/** How far this machine's clock is off, in milliseconds, 0 if by no more than a second or so. */
export function clockSkew() {
  return skew;
}
