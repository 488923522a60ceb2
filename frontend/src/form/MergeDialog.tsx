import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import { useState } from "react";
import { stringifyExact } from "../api/exact";
import type { JobDraft } from "../api/jobs";
import { MONO } from "../theme/theme";
import { at, changes, same, withAt } from "../ui/pointer";

export type Collision = { base: JobDraft; theirs: JobDraft; mine: JobDraft; version: number };

/** What both did since `base`, field by field. */
export function compare({ base, theirs, mine }: Omit<Collision, "version">) {
  const [ours, others] = [changes(base, mine), changes(base, theirs)];
  const touches = (a: string, b: string) => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
  const conflicts = ours.filter(
    (our) =>
      others.some((other) => touches(our.pointer, other.pointer)) && !same(our.to, at(theirs, our.pointer)),
  );
  return { ours, others, conflicts };
}

/** Their version with my changes; where both changed a field, as chosen. */
export function merged(collision: Omit<Collision, "version">, keepTheirs: ReadonlySet<string>): JobDraft {
  const { ours } = compare(collision);
  return ours
    .filter(({ pointer }) => !keepTheirs.has(pointer))
    .reduce((draft, { pointer, to }) => withAt(draft, pointer, to), collision.theirs);
}

type Props = { collision: Collision; close: () => void; save: (draft: JobDraft, version: number) => void };

/** Somebody else changed the job meanwhile: what they did, what I did, and what it shall be. */
export default function MergeDialog({ collision, close, save }: Props) {
  const { ours, others, conflicts } = compare(collision);
  const [theirs, setTheirs] = useState<ReadonlySet<string>>(new Set());
  const conflicting = new Set(conflicts.map(({ pointer }) => pointer));
  const choose = (pointer: string, take: boolean) => {
    const next = new Set(theirs);
    if (take) next.add(pointer);
    else next.delete(pointer);
    setTheirs(next);
  };
  return (
    <Dialog open onClose={close} maxWidth="md" fullWidth aria-labelledby="merge-title">
      <DialogTitle id="merge-title">Somebody changed this job meanwhile</DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2, fontSize: "0.8125rem" }}>
        <Box>
          {conflicts.length === 0
            ? "You changed different fields: both can be kept."
            : "Both of you changed the same fields: choose for each."}
        </Box>
        {conflicts.map(({ pointer, to }) => (
          <Box
            key={pointer}
            component="fieldset"
            sx={{ border: 1, borderColor: "line", borderRadius: 1, m: 0 }}
          >
            <Box component="legend" sx={{ fontFamily: MONO, px: 0.5 }}>
              {pointer}
            </Box>
            <Option
              name={pointer}
              label="Mine"
              value={to}
              checked={!theirs.has(pointer)}
              choose={() => choose(pointer, false)}
            />
            <Option
              name={pointer}
              label="Theirs"
              value={at(collision.theirs, pointer)}
              checked={theirs.has(pointer)}
              choose={() => choose(pointer, true)}
            />
          </Box>
        ))}
        <List title="They changed" items={others.filter(({ pointer }) => !conflicting.has(pointer))} />
        <List title="You changed" items={ours.filter(({ pointer }) => !conflicting.has(pointer))} />
      </DialogContent>
      <DialogActions>
        <Button onClick={close}>Back to the form</Button>
        <Button
          variant="contained"
          autoFocus
          onClick={() => save(merged(collision, theirs), collision.version)}
        >
          Save the merge
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Option({
  name,
  label,
  value,
  checked,
  choose,
}: {
  name: string;
  label: string;
  value: unknown;
  checked: boolean;
  choose: () => void;
}) {
  return (
    <Box component="label" sx={{ display: "flex", gap: 1, py: 0.5, cursor: "pointer", minHeight: 24 }}>
      <input type="radio" name={name} checked={checked} onChange={choose} />
      <b>{label}</b>
      <Box component="code" sx={{ overflowWrap: "anywhere" }}>
        {show(value)}
      </Box>
    </Box>
  );
}

function List({ title, items }: { title: string; items: { pointer: string; from: unknown; to: unknown }[] }) {
  if (items.length === 0) return null;
  return (
    <Box>
      <Box sx={{ fontWeight: 600, mb: 0.5 }}>{title}</Box>
      {items.map(({ pointer, from, to }) => (
        <Box key={pointer} sx={{ overflowWrap: "anywhere" }}>
          <code>{pointer}</code>: <s>{show(from)}</s> → {show(to)}
        </Box>
      ))}
    </Box>
  );
}

const show = (value: unknown) => (value === undefined ? "nothing" : stringifyExact(value));
