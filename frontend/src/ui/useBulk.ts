import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { lookAgain } from "../api/jobs";
import { toast, toastError } from "./toasts";

type Answer = Schemas["BulkAnswer"];

/** Does one thing to many, request by request where they are very many, and says what became of it. */
export function useBulk() {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const act = async (done: string, request: (cursor: string | undefined) => Promise<Answer>) => {
    setBusy(true);
    const sum = { changed: 0, unchanged: 0, failed: 0 };
    let first: string | undefined;
    try {
      let cursor: string | undefined;
      do {
        const answer = await request(cursor);
        sum.changed += answer.changed;
        sum.unchanged += answer.unchanged;
        sum.failed += answer.failed;
        first ??= answer.results.find(({ problem }) => problem)?.problem?.detail;
        cursor = answer.next_cursor ?? undefined;
      } while (cursor);
      const parts = [
        `${sum.changed} ${done}`,
        sum.unchanged && `${sum.unchanged} were so already`,
        sum.failed && `${sum.failed} could not be`,
      ];
      toast({ tone: sum.failed ? "error" : "info", title: parts.filter(Boolean).join(", "), detail: first });
    } catch (error) {
      toastError(sum.changed ? `Only ${sum.changed} ${done}` : "Nothing was done", error);
    } finally {
      setBusy(false);
      lookAgain(queries);
    }
  };
  return { act, busy };
}
