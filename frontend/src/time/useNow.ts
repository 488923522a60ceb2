import { useSyncExternalStore } from "react";
import { serviceNow } from "../api/connection";

type Ticker = { now: () => number; watch: (listener: () => void) => () => void };

const tickers = new Map<number, Ticker>();

function ticker(step: number): Ticker {
  const found = tickers.get(step);
  if (found) return found;
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let now = serviceNow();
  const look = () => {
    now = serviceNow();
    for (const listener of [...listeners]) listener();
  };
  const made: Ticker = {
    now: () => now,
    watch(listener) {
      listeners.add(listener);
      if (!timer) {
        timer = setInterval(look, step);
        // Nobody watched for a while.
        if (Math.abs(serviceNow() - now) >= step) look();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      };
    },
  };
  tickers.set(step, made);
  return made;
}

/** The service's time, looked at again every `step` milliseconds: one timer for all who watch at the same pace. */
export function useNow(step = 1000): number {
  const { watch, now } = ticker(step);
  return useSyncExternalStore(watch, now);
}

/** Ticks each second where something is near, each half minute where it is not. */
export function useNowNear(at: number): number {
  const coarse = useNow(30_000);
  const near = Math.abs(at - coarse) < 90_000;
  return useNow(near ? 1000 : 30_000);
}
