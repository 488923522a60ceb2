import { mdiChevronLeft, mdiChevronRight, mdiMinus, mdiPlus } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useTimeline } from "../api/stats";
import { useNow } from "../time/useNow";
import { Icon } from "../ui/Icon";
import { Link } from "../ui/Link";
import { Page } from "../ui/Page";
import { Pager } from "../ui/Pager";
import { Empty, Failed, Lines, Panel } from "../ui/Panels";
import { Search } from "../ui/Search";
import { known, useUrl } from "../ui/useUrl";
import { AsTable } from "./AsTable";
import { Chart } from "./Chart";
import { frame, SPANS, type Span } from "./scale";

const ALL = Object.keys(SPANS) as Span[];

/** Jobs side by side, past and future: what overlaps, what is quiet, what is to come. */
export default function TimelinePage() {
  const { one, set } = useUrl();
  const now = useNow(5000);
  const span = known([one("span") ?? ""], ALL)[0] ?? "6h";
  const moved = Number(one("moved") ?? 0) || 0;
  const q = one("q") ?? "";
  const table = one("view") === "table";
  const scale = frame(now, span, moved);
  const timeline = useTimeline({
    from: new Date(scale.from).toISOString(),
    to: new Date(scale.to).toISOString(),
    q: q || undefined,
    cursor: one("cursor"),
  });
  const move = (quarters: number) =>
    set(
      { moved: String(moved + quarters) === "0" ? undefined : String(moved + quarters) },
      { replace: true },
    );
  const zoom = (by: 1 | -1) => {
    const next = ALL[ALL.indexOf(span) + by];
    if (next) set({ span: next === "6h" ? undefined : next, moved: undefined }, { replace: true });
  };
  return (
    <Page title="Timeline">
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1, mb: 1.5, alignItems: "center" }}>
        <Search
          label="Search jobs"
          placeholder="Search by name"
          value={q}
          onChange={(value) => set({ q: value, cursor: undefined }, { replace: true })}
        />
        <ToggleButtonGroup
          exclusive
          value={span}
          aria-label="How much time"
          onChange={(_, value: Span | null) =>
            value && set({ span: value === "6h" ? undefined : value, moved: undefined })
          }
        >
          {ALL.map((it) => (
            <ToggleButton key={it} value={it}>
              {it.replace("h", " h").replace("d", " d")}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        <Box sx={{ display: "flex" }}>
          <IconButton aria-label="Earlier" onClick={() => move(-1)}>
            <Icon path={mdiChevronLeft} />
          </IconButton>
          <Button
            variant="outlined"
            disabled={moved === 0}
            onClick={() => set({ moved: undefined }, { replace: true })}
          >
            Now
          </Button>
          <IconButton aria-label="Later" onClick={() => move(1)}>
            <Icon path={mdiChevronRight} />
          </IconButton>
          <IconButton aria-label="Closer" disabled={span === ALL[0]} onClick={() => zoom(-1)}>
            <Icon path={mdiPlus} />
          </IconButton>
          <IconButton aria-label="Further away" disabled={span === ALL.at(-1)} onClick={() => zoom(1)}>
            <Icon path={mdiMinus} />
          </IconButton>
        </Box>
        <Button
          variant="text"
          onClick={() => set({ view: table ? undefined : "table" })}
          sx={{ ml: { sm: "auto" } }}
        >
          {table ? "View as chart" : "View as table"}
        </Button>
      </Box>
      <Panel flush>
        {!timeline.data ? (
          timeline.error ? (
            <Failed error={timeline.error} again={() => void timeline.refetch()} what="timeline" />
          ) : (
            <Lines rows={10} />
          )
        ) : timeline.data.data.length === 0 ? (
          <Empty title={q ? "No job matches" : "There are no jobs yet"}>
            {q ? `No name contains “${q}”.` : <Link to="/jobs/new">Create the first one</Link>}
          </Empty>
        ) : (
          <>
            {table ? (
              <AsTable timeline={timeline.data} />
            ) : (
              <Chart timeline={timeline.data} scale={scale} move={move} zoom={zoom} />
            )}
            <Pager next={timeline.data.next_cursor} count={timeline.data.data.length} what="jobs" />
          </>
        )}
      </Panel>
      {!table && (
        <Box sx={{ fontSize: "0.75rem", color: "text.secondary", mt: 1 }}>
          Solid is what ran, hollow what is to come, as wide as it usually takes. Drag to move.
        </Box>
      )}
    </Page>
  );
}
