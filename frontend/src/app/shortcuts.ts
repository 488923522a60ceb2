import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { settings } from "../settings/settings";
import { overlay } from "./overlay";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
export const MODIFIER = MAC ? "⌘" : "Ctrl";

export const SHORTCUTS: [string, string][] = [
  [`${MODIFIER} K`, "Jump to a job, a run or an action"],
  ["/", "Search this list"],
  ["?", "This list of shortcuts"],
  ["g o", "Overview"],
  ["g j", "Jobs"],
  ["g r", "Runs"],
  ["g t", "Timeline"],
  ["c", "Create a job"],
  ["j  k", "Older, newer run of the same job"],
  ["r", "Look again now"],
  ["t", "Light or dark"],
  [`${MODIFIER} ↵`, "Save a form"],
  ["Esc", "Close, clear the selection"],
];

const PLACES: Record<string, string> = { o: "/", j: "/jobs", r: "/runs", t: "/timeline", s: "/settings" };

/** Whether a key goes to something that takes text. */
export function isTyping(target: EventTarget | null) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
      target.closest('[role="menu"],[role="listbox"]') !== null)
  );
}

/** Keys that work everywhere. Single letters are off in fields, with modifiers, and where people switch them off. */
export function useShortcuts(toggleTheme: () => void) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const theme = useRef(toggleTheme);
  theme.current = toggleTheme;
  useEffect(() => {
    let going = 0;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const key = event.key;
      if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") {
        event.preventDefault();
        overlay.set("palette");
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (!settings.get().shortcuts || document.querySelector('[role="dialog"]')) return;
      const place = PLACES[key];
      if (going && Date.now() - going < 1500 && place) {
        going = 0;
        event.preventDefault();
        navigate(place);
        return;
      }
      going = key === "g" ? Date.now() : 0;
      if (key === "?") overlay.set("help");
      else if (key === "r") void queries.invalidateQueries();
      else if (key === "t") theme.current();
      else if (key === "c") navigate("/jobs/new");
      else if (key === "/") document.querySelector<HTMLInputElement>("[data-search]")?.focus();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [navigate, queries]);
}
