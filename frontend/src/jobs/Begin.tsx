import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useNavigate } from "react-router";
import type { JobDraft } from "../api/jobs";
import { LOCAL_ZONE } from "../time/format";
import { copy } from "../ui/copy";
import { Panel } from "../ui/Panels";

/** The service's own demo target, as the service reaches it. */
const echo = () => `${location.origin}/echo`;

const TEMPLATES: [string, string, () => JobDraft][] = [
  [
    "Heartbeat",
    "Calls this service's own echo target every 5 seconds. Works offline.",
    () => ({
      name: "heartbeat",
      schedule: { type: "interval", every: "5s" },
      target: { type: "http", url: echo(), body: { hello: "{{scheduled_for}}" } },
    }),
  ],
  [
    "Health check",
    "GET a page every minute; anything but 2xx is a failure.",
    () => ({
      name: "health-check",
      schedule: { type: "interval", every: "1m" },
      target: { type: "http", method: "GET", url: "https://example.com/health" },
    }),
  ],
  [
    "Nightly webhook",
    "POST at 02:00 on weekdays, by your clock.",
    () => ({
      name: "nightly-report",
      schedule: { type: "cron", expression: "0 2 * * 1-5", timezone: LOCAL_ZONE },
      target: { type: "http", method: "POST", url: "https://example.com/report", body: { full: true } },
    }),
  ],
];

/** What people see before there is any job. */
export function Begin() {
  const navigate = useNavigate();
  const curl = `curl -X POST ${location.origin}/api/v1/jobs -H 'content-type: application/json' -d '{
  "name": "hello",
  "schedule": {"type": "interval", "every": "5s"},
  "target": {"type": "http", "url": "${echo()}"}
}'`;
  return (
    <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { md: "3fr 2fr" }, alignItems: "start" }}>
      <Panel title="Begin with a job">
        <Box sx={{ color: "text.secondary", mb: 2 }}>
          A job is a schedule and what to call. Pick one to start from; nothing is stored before you save it.
        </Box>
        <Box sx={{ display: "grid", gap: 1, gridTemplateColumns: { sm: "repeat(3, 1fr)" } }}>
          {TEMPLATES.map(([title, text, draft]) => (
            <Box
              key={title}
              component="button"
              type="button"
              onClick={() => navigate("/jobs/new", { state: { from: draft() } })}
              sx={{
                font: "inherit",
                textAlign: "left",
                p: 1.75,
                color: "text.primary",
                bgcolor: "background.default",
                border: 1,
                borderColor: "line",
                borderRadius: 1.5,
                cursor: "pointer",
                "&:hover": { borderColor: "primary.main" },
              }}
            >
              <Box sx={{ fontWeight: 600, mb: 0.5 }}>{title}</Box>
              <Box sx={{ fontSize: "0.8125rem", color: "text.secondary" }}>{text}</Box>
            </Box>
          ))}
        </Box>
        <Button variant="text" onClick={() => navigate("/jobs/new")} sx={{ mt: 1.5, ml: -1.5 }}>
          Start from an empty form
        </Button>
      </Panel>
      <Panel
        title="Use the API"
        aside={
          <Button variant="outlined" onClick={() => void copy(curl, "Copied")}>
            Copy
          </Button>
        }
      >
        <Box
          component="pre"
          tabIndex={0}
          aria-label="curl command"
          sx={{ m: 0, p: 1.5, overflowX: "auto", fontSize: "0.75rem", bgcolor: "sunken", borderRadius: 1 }}
        >
          {curl}
        </Box>
      </Panel>
    </Box>
  );
}
