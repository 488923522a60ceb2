import {
  mdiCalendarClock,
  mdiChartTimeline,
  mdiClockOutline,
  mdiCogOutline,
  mdiFormatListBulleted,
  mdiHistory,
  mdiKeyboardOutline,
  mdiPlus,
  mdiThemeLightDark,
  mdiViewDashboardOutline,
} from "@mdi/js";
import Dialog from "@mui/material/Dialog";
import { useCallback, useDeferredValue, useState } from "react";
import { useNavigate } from "react-router";
import { useJobs } from "../api/jobs";
import { overlay } from "../app/overlay";
import { change } from "../settings/settings";
import { type Choice, Chooser } from "../ui/Chooser";
import { Icon } from "../ui/Icon";
import { STATE_WORDS } from "../ui/Status";

type Command = Choice & { act: () => void; words: string };

const ID = /^(job|run)_[0-9a-z]{26}$/;

/** Jumps to any job or run, and does what can be done from anywhere. */
export default function Palette({ toggleTheme }: { toggleTheme: () => void }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const q = useDeferredValue(typed.trim());
  const jobs = useJobs({ q: q || undefined, limit: 12, sort: "name" });

  const find = useCallback(
    (text: string): Command[] => {
      const words = text.trim().toLowerCase();
      const go = (to: string) => () => navigate(to);
      const id = text.trim();
      const direct: Command[] = ID.test(id)
        ? [
            {
              id,
              label: `Open ${id}`,
              group: "Go to",
              words: "",
              icon: <Icon path={mdiCalendarClock} size={16} />,
              act: go(`/${id.startsWith("job") ? "jobs" : "runs"}/${id}`),
            },
          ]
        : [];
      const found: Command[] = (jobs.data?.data ?? []).map((job) => ({
        id: job.id,
        label: job.name,
        detail: STATE_WORDS(job.state),
        group: "Jobs",
        words: "",
        icon: <Icon path={mdiCalendarClock} size={16} />,
        act: go(`/jobs/${job.id}`),
      }));
      const actions: Command[] = [
        { id: "jobs", label: "Jobs", words: "jobs list", icon: mdiFormatListBulleted, act: go("/jobs") },
        {
          id: "overview",
          label: "Overview",
          words: "overview start home",
          icon: mdiViewDashboardOutline,
          act: go("/"),
        },
        {
          id: "timeline",
          label: "Timeline",
          words: "timeline gantt",
          icon: mdiChartTimeline,
          act: go("/timeline"),
        },
        { id: "runs", label: "Runs", words: "runs history", icon: mdiHistory, act: go("/runs") },
        {
          id: "failed",
          label: "Failed runs",
          words: "runs failed errors",
          icon: mdiHistory,
          act: go("/runs?status=failed,timed_out"),
        },
        { id: "settings", label: "Settings", words: "settings", icon: mdiCogOutline, act: go("/settings") },
        {
          id: "new",
          label: "Create a job",
          words: "create new job add",
          icon: mdiPlus,
          act: go("/jobs/new"),
        },
        {
          id: "theme",
          label: "Switch between light and dark",
          words: "theme dark light",
          icon: mdiThemeLightDark,
          act: toggleTheme,
        },
        {
          id: "utc",
          label: "Show times in UTC",
          words: "zone utc time",
          icon: mdiClockOutline,
          act: () => change({ zone: "utc" }),
        },
        {
          id: "local",
          label: "Show times in this browser's zone",
          words: "zone local time",
          icon: mdiClockOutline,
          act: () => change({ zone: "local" }),
        },
        {
          id: "help",
          label: "Keyboard shortcuts",
          words: "help keys shortcuts",
          icon: mdiKeyboardOutline,
          act: () => overlay.set("help"),
        },
      ]
        .filter((it) =>
          words.split(/\s+/).every((word) => `${it.words} ${it.label.toLowerCase()}`.includes(word)),
        )
        .map((it) => ({ ...it, group: "Actions", icon: <Icon path={it.icon} size={16} /> }));
      return words ? [...direct, ...found, ...actions] : [...actions, ...found];
    },
    [jobs.data, navigate, toggleTheme],
  );

  return (
    <Dialog
      open
      onClose={() => overlay.set(undefined)}
      slotProps={{ paper: { "aria-label": "Jump to" } }}
      fullWidth
      maxWidth="sm"
      sx={{ "& .MuiDialog-container": { alignItems: "flex-start", pt: "8vh" } }}
    >
      <Chooser
        label="Jump to a job, a run or an action"
        placeholder="A job's name, an id, an action…"
        find={find}
        onType={setTyped}
        empty={jobs.isFetching ? "Looking…" : "Nothing matches."}
        choose={(choice) => {
          overlay.set(undefined);
          (choice as Command).act();
        }}
      />
    </Dialog>
  );
}
