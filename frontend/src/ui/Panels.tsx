// What a page shows besides its content: nothing yet, nothing found, not there, not yet.

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError, explain } from "../api/problem";

/** A quiet surface with a heading. */
export function Panel(props: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  flush?: boolean;
  id?: string;
}) {
  const { title, aside, children, flush, id } = props;
  return (
    <Box
      component="section"
      id={id}
      sx={{
        bgcolor: "background.paper",
        border: 1,
        borderColor: "line",
        borderRadius: 1.5,
        minWidth: 0,
        overflow: "hidden",
      }}
    >
      {(title || aside) && (
        <Box
          sx={{
            display: "flex",
            alignItems: "center",
            flexWrap: "wrap",
            gap: 1,
            px: 2,
            py: 1,
            minHeight: 42,
            borderBottom: flush ? 1 : 0,
            borderColor: "line",
          }}
        >
          <Box component="h2" sx={{ m: 0, typography: "h2", flex: 1, minWidth: 0 }}>
            {title}
          </Box>
          {aside}
        </Box>
      )}
      <Box sx={flush ? undefined : { px: 2, pb: 2, pt: title ? 0.5 : 2 }}>{children}</Box>
    </Box>
  );
}

/** What is shown where there is nothing, and what to do about it. */
export function Empty(props: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Box sx={{ py: 6, px: 3, textAlign: "center", display: "grid", gap: 1, justifyItems: "center" }}>
      <Box component="h2" sx={{ m: 0, typography: "h2" }}>
        {props.title}
      </Box>
      {props.children && <Box sx={{ color: "text.secondary", maxWidth: 460 }}>{props.children}</Box>}
      {props.action && (
        <Box sx={{ mt: 1, display: "flex", gap: 1, flexWrap: "wrap", justifyContent: "center" }}>
          {props.action}
        </Box>
      )}
    </Box>
  );
}

/** A question that failed, with nothing older to show instead. */
export function Failed({ error, again, what }: { error: unknown; again?: () => void; what: string }) {
  const { title, detail, requestId } = explain(error);
  const missing = error instanceof ApiError && error.status === 404;
  return (
    <Box role="alert">
      <Empty
        title={missing ? `There is no such ${what}` : title}
        action={
          again &&
          !missing && (
            <Button variant="outlined" onClick={again}>
              Try again
            </Button>
          )
        }
      >
        {missing ? "It may have been deleted, or its address was mistyped." : detail}
        {requestId && (
          <Box sx={{ mt: 1, fontSize: "0.75rem" }}>
            Request <code>{requestId}</code>
          </Box>
        )}
      </Empty>
    </Box>
  );
}

/** True after 200 ms: what is quick shows no skeleton. */
export function useLate(waiting: boolean) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!waiting) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, [waiting]);
  return waiting && late;
}

/** Grey lines where content will be. */
export function Lines({ rows = 8 }: { rows?: number }) {
  const late = useLate(true);
  return (
    <Box
      role="status"
      aria-busy="true"
      aria-label="Loading"
      sx={{ p: 2, display: "grid", gap: 1.5, minHeight: rows * 28 }}
    >
      {late &&
        Array.from({ length: rows }, (_, row) => (
          <Box
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have nothing else to be known by
            key={row}
            sx={{
              height: 12,
              borderRadius: 1,
              bgcolor: "line",
              width: `${92 - ((row * 37) % 45)}%`,
              animation: "breathe 1.4s ease-in-out infinite",
              "@keyframes breathe": { "50%": { opacity: 0.45 } },
            }}
          />
        ))}
    </Box>
  );
}
