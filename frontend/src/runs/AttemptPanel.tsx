import { mdiCodeTags, mdiLightbulbOnOutline } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import type { ReactNode } from "react";
import type { Attempt } from "../api/runs";
import { durationOf } from "../time/format";
import { Time } from "../time/Time";
import { Code } from "../ui/Code";
import { copy } from "../ui/copy";
import { Icon } from "../ui/Icon";
import { Panel } from "../ui/Panels";
import { outcomeColour } from "./Journey";
import { helpFor } from "./words";

/** One attempt: what was sent, what came back, what went wrong and what to try. */
export function AttemptPanel({ attempt, zone }: { attempt: Attempt; zone?: string }) {
  const { request, response, details, error } = attempt;
  const took = Date.parse(attempt.finished_at) - Date.parse(attempt.started_at);
  const help = error && helpFor(error.code, response?.status);
  return (
    <Panel
      id={`attempt-${attempt.number}`}
      title={
        <>
          Attempt {attempt.number}{" "}
          <Box component="span" sx={{ color: outcomeColour(attempt), fontWeight: 550 }}>
            {attempt.outcome.replace("_", " ")}
          </Box>
        </>
      }
      aside={
        <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>
          <Time at={attempt.started_at} zone={zone} show="moment" seconds /> · took {durationOf(took)}
          {attempt.worker && (
            <>
              {" "}
              · by <code>{attempt.worker}</code>
            </>
          )}
        </Box>
      }
    >
      <Box sx={{ display: "grid", gap: 2 }}>
        {error && (
          <Box sx={{ borderLeft: 3, borderColor: outcomeColour(attempt), pl: 1.5, py: 0.25 }}>
            <Box sx={{ fontWeight: 600, overflowWrap: "anywhere" }}>{error.message}</Box>
            {help && (
              <Box
                sx={{ display: "flex", gap: 0.75, color: "text.secondary", fontSize: "0.8125rem", mt: 0.5 }}
              >
                <Icon path={mdiLightbulbOnOutline} size={16} />
                {help}
              </Box>
            )}
            <Box sx={{ fontSize: "0.75rem", color: "text.secondary", mt: 0.5 }}>
              Code <code>{error.code}</code>
            </Box>
          </Box>
        )}
        <Box
          sx={{
            display: "grid",
            gap: 2,
            gridTemplateColumns: { lg: "minmax(0, 1fr) minmax(0, 1fr)" },
            alignItems: "start",
          }}
        >
          {request && (
            <Side
              title="Request"
              first={`${request.method} ${request.url}`}
              headers={request.headers}
              aside={
                <Button
                  variant="text"
                  startIcon={<Icon path={mdiCodeTags} size={15} />}
                  onClick={() => void copy(requestAsCurl(request), "Copied as curl")}
                >
                  Copy as curl
                </Button>
              }
            >
              {request.body ? (
                <Code label="request body" text={request.body} truncated={request.body_truncated} />
              ) : (
                <None>No body</None>
              )}
            </Side>
          )}
          {response ? (
            <Side title="Response" first={String(response.status)} headers={response.headers}>
              {response.body ? (
                <Code label="response body" text={response.body} truncated={response.body_truncated} />
              ) : (
                <None>No body</None>
              )}
            </Side>
          ) : (
            request && (
              <Side title="Response">
                <None>None came back</None>
              </Side>
            )
          )}
        </Box>
        {details?.type === "command" && (
          <Box sx={{ display: "grid", gap: 1.5 }}>
            <Box sx={{ fontSize: "0.8125rem" }}>
              {details.signal !== null
                ? `Killed by signal ${details.signal}`
                : `Exit status ${details.exit_code ?? "unknown"}`}
            </Box>
            {details.stdout && (
              <Code raw label="standard output" text={details.stdout} truncated={details.stdout_truncated} />
            )}
            {details.stderr && (
              <Code raw label="standard error" text={details.stderr} truncated={details.stderr_truncated} />
            )}
          </Box>
        )}
        {details?.type === "callback" && details.output && (
          <Code label="what the target reported" text={details.output} truncated={details.output_truncated} />
        )}
        {details?.type === "email" && (
          <Pairs
            pairs={[
              ["From", details.from],
              ["To", details.recipients.join(", ")],
              ["Subject", details.subject],
              ["Message-ID", details.message_id],
              ["Reply", details.reply ?? "none"],
            ]}
          />
        )}
      </Box>
    </Panel>
  );
}

function Side(props: {
  title: string;
  first?: string;
  headers?: Record<string, string>;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const headers = Object.entries(props.headers ?? {});
  return (
    <Box sx={{ minWidth: 0, display: "grid", gap: 1 }}>
      <Box sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 30 }}>
        <Box component="h3" sx={{ m: 0, typography: "h3", flex: 1 }}>
          {props.title}
        </Box>
        {props.aside}
      </Box>
      {props.first && (
        <Box component="code" sx={{ overflowWrap: "anywhere", fontSize: "0.8125rem" }}>
          {props.first}
        </Box>
      )}
      {headers.length > 0 && (
        <Box component="details" sx={{ fontSize: "0.75rem" }}>
          <Box component="summary" sx={{ cursor: "pointer", color: "text.secondary", minHeight: 24 }}>
            {headers.length} headers
          </Box>
          <Pairs pairs={headers} />
        </Box>
      )}
      {props.children}
    </Box>
  );
}

function Pairs({ pairs }: { pairs: [string, string][] }) {
  return (
    <Box
      component="dl"
      sx={{
        m: 0,
        display: "grid",
        gridTemplateColumns: "minmax(80px, auto) minmax(0, 1fr)",
        gap: "2px 12px",
        fontSize: "0.75rem",
      }}
    >
      {pairs.map(([name, value]) => (
        <Box key={name} sx={{ display: "contents" }}>
          <Box component="dt" sx={{ color: "text.secondary" }}>
            {name}
          </Box>
          <Box component="dd" sx={{ m: 0, overflowWrap: "anywhere" }}>
            <code>{value}</code>
          </Box>
        </Box>
      ))}
    </Box>
  );
}

function None({ children }: { children: ReactNode }) {
  return <Box sx={{ color: "text.secondary", fontSize: "0.8125rem" }}>{children}</Box>;
}

/** The command that makes the same request. */
export function requestAsCurl(request: NonNullable<Attempt["request"]>) {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const headers = Object.entries(request.headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  const body = request.body ? [`--data-raw ${quote(request.body)}`] : [];
  return ["curl", `-X ${request.method}`, quote(request.url), ...headers, ...body].join(" ");
}
