import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Backfill, overOf, requests, useBackfills } from "../api/backfills";
import { lookAgain } from "../api/jobs";
import type { RunStatus } from "../api/runs";
import { countOf } from "../time/format";
import { Time } from "../time/Time";
import { Link } from "../ui/Link";
import { Panel } from "../ui/Panels";
import { STATUS_WORDS } from "../ui/Status";
import { toast, toastError } from "../ui/toasts";

const PARTS = ["succeeded", "failed", "timed_out", "cancelled", "skipped", "running"] as const;

/** A job's latest backfills and how far they are; nothing where there was none. */
export function Backfills({ job, zone }: { job: string; zone?: string }) {
  const backfills = useBackfills(job);
  const rows = backfills.data?.data ?? [];
  if (rows.length === 0) return null;
  return (
    <Panel title="Backfills" aside={<Link to={`/jobs/${job}?tab=runs&kind=backfill`}>Their runs</Link>}>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0, display: "grid", gap: 2 }}>
        {rows.map((backfill) => (
          <Row key={backfill.id} backfill={backfill} zone={zone} />
        ))}
      </Box>
    </Panel>
  );
}

function Row({ backfill, zone }: { backfill: Backfill; zone?: string }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const { from, to, state, total, runs } = backfill;
  const over = overOf(backfill);
  const cancel = async () => {
    setBusy(true);
    try {
      await requests.cancel(backfill.id);
      toast({ title: "The backfill is cancelled; its runs under way are being stopped" });
    } catch (error) {
      toastError("The backfill was not cancelled", error);
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: ["backfills"] });
      lookAgain(queries);
    }
  };
  return (
    <Box component="li" sx={{ fontSize: "0.8125rem" }}>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1, minHeight: 30 }}>
        <Box sx={{ flex: 1, minWidth: 180 }}>
          <Time at={from} zone={zone} show="moment" /> – <Time at={to} zone={zone} show="moment" />
        </Box>
        <Box sx={{ color: "text.secondary" }}>{wordsOf(backfill)}</Box>
        {state === "running" && (
          <Button variant="outlined" color="error" disabled={busy} onClick={() => void cancel()}>
            Cancel
          </Button>
        )}
      </Box>
      <Box
        role="progressbar"
        aria-label={`Backfill asked for at ${backfill.created_at}`}
        aria-valuenow={over}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuetext={`${countOf(over)} of ${countOf(total)} runs are over`}
        sx={{ display: "flex", height: 6, borderRadius: 1, bgcolor: "line", overflow: "hidden" }}
      >
        {PARTS.map((part) => (
          <Box
            key={part}
            sx={{ bgcolor: `status.${part}` }}
            style={{ width: `${total ? (100 * runs[part]) / total : 0}%` }}
          />
        ))}
      </Box>
      <Box sx={{ mt: 0.5, fontSize: "0.75rem", color: "text.secondary" }}>
        {PARTS.filter((part) => runs[part] > 0)
          .map((part) => `${countOf(runs[part])} ${STATUS_WORDS[part satisfies RunStatus].toLowerCase()}`)
          .join(", ")}
      </Box>
    </Box>
  );
}

function wordsOf(backfill: Backfill) {
  const count = `${countOf(overOf(backfill))} of ${countOf(backfill.total)}`;
  if (backfill.state === "completed") return `Completed, ${countOf(backfill.total)} runs`;
  if (backfill.state === "cancelled") return `Cancelled, ${count}`;
  return `Running, ${count}`;
}
