import Box from "@mui/material/Box";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { Suspense, useMemo } from "react";
import { useNavigate } from "react-router";
import { serviceNow } from "../api/connection";
import { type Stats, useStats } from "../api/stats";
import { lazy } from "../app/lazy";
import { Legend, type Stack, StackedBars } from "../charts/StackedBars";
import { Begin } from "../jobs/Begin";
import { CreateJob } from "../jobs/CreateJob";
import { useSettings } from "../settings/settings";
import { momentOf, resolveZone } from "../time/format";
import { Page } from "../ui/Page";
import { Empty, Failed, Lines, Panel } from "../ui/Panels";
import { known, useUrl } from "../ui/useUrl";
import { NeedsAttention } from "./NeedsAttention";
import { NextUp } from "./NextUp";
import { Numbers } from "./Numbers";
import { RunningNow } from "./RunningNow";

const JobDialogs = lazy(() => import("../jobs/JobDialogs"));
const WINDOWS = ["24h", "7d"] as const;
const LENGTH = { "24h": 86_400_000, "7d": 604_800_000 };
const BUCKETS = { "24h": 48, "7d": 56 };

/** How things are: what needs somebody, what ran, what runs, what comes. */
export default function OverviewPage() {
  const { one, set } = useUrl();
  const span = known([one("window") ?? ""], WINDOWS)[0] ?? "24h";
  const stats = useStats({ window: span, buckets: BUCKETS[span] });
  // The window before, for what has changed; to five minutes, so that it is not asked for again all the time.
  const before = useMemo(
    () => new Date(Math.floor((serviceNow() - LENGTH[span]) / 300_000) * 300_000).toISOString(),
    [span],
  );
  const earlier = useStats({ window: span, buckets: 1, to: before }, { live: false });

  if (!stats.data) {
    return (
      <Page title="Overview">
        {stats.error ? (
          <Failed error={stats.error} again={() => void stats.refetch()} what="overview" />
        ) : (
          <Lines />
        )}
      </Page>
    );
  }
  if (stats.data.jobs.total === 0 && stats.data.runs.total === 0) {
    return (
      <Page title="Overview" actions={<CreateJob />}>
        <Begin />
      </Page>
    );
  }
  return (
    <Page
      title="Overview"
      actions={
        <ToggleButtonGroup
          exclusive
          value={span}
          aria-label="Window"
          onChange={(_, value: string | null) =>
            value && set({ window: value === "24h" ? undefined : value })
          }
        >
          <ToggleButton value="24h">24 hours</ToggleButton>
          <ToggleButton value="7d">7 days</ToggleButton>
        </ToggleButtonGroup>
      }
    >
      <Box sx={{ display: "grid", gap: 2 }}>
        <Numbers stats={stats.data} earlier={earlier.data?.runs.total ? earlier.data : undefined} />
        <Box
          sx={{
            display: "grid",
            gap: 2,
            gridTemplateColumns: { lg: "minmax(0, 3fr) minmax(0, 2fr)" },
            alignItems: "start",
          }}
        >
          <Box sx={{ display: "grid", gap: 2, minWidth: 0 }}>
            <Histogram stats={stats.data} />
            <NeedsAttention stats={stats.data} />
          </Box>
          <Box sx={{ display: "grid", gap: 2, minWidth: 0 }}>
            <RunningNow />
            <NextUp />
          </Box>
        </Box>
      </Box>
      <Suspense fallback={null}>
        <JobDialogs />
      </Suspense>
    </Page>
  );
}

function Histogram({ stats }: { stats: Stats }) {
  const navigate = useNavigate();
  const settings = useSettings();
  const zone = resolveZone(settings.zone === "job" ? "local" : settings.zone);
  const now = Date.parse(stats.to);
  const shown = (at: string) => momentOf(Date.parse(at), zone, now, { hour12: settings.hour12 });
  const stacks: Stack[] = stats.buckets.map((bucket, index) => {
    const to = stats.buckets[index + 1]?.from ?? stats.to;
    return { from: bucket.from, to, label: `${shown(bucket.from)} – ${shown(to)}`, by: bucket.by_status };
  });
  return (
    <Panel title="Runs" aside={<Legend by={stats.runs.by_status} />}>
      {stats.runs.total === 0 ? (
        <Empty title="Nothing has run in this window" />
      ) : (
        <>
          <StackedBars
            stacks={stacks}
            label="Runs over time, by status"
            onRange={(from, to) =>
              navigate(`/runs?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`)
            }
          />
          <Box
            aria-hidden
            sx={{
              display: "flex",
              justifyContent: "space-between",
              fontSize: "0.6875rem",
              color: "text.secondary",
              pt: 0.5,
            }}
          >
            {[0, 0.25, 0.5, 0.75].map((share) => (
              <span key={share}>{shown(stacks[Math.floor(share * stacks.length)]?.from ?? stats.from)}</span>
            ))}
            <span>now</span>
          </Box>
          {!stats.complete && (
            <Box sx={{ fontSize: "0.75rem", color: "text.secondary", mt: 1 }}>
              There were more runs than can be counted; the newest are.
            </Box>
          )}
        </>
      )}
    </Panel>
  );
}
