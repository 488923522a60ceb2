import { mdiCloudOffOutline } from "@mdi/js";
import Box from "@mui/material/Box";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { call, client } from "../api/client";
import { back, clockSkew, connection } from "../api/connection";
import { ApiError } from "../api/problem";
import { durationOf, timeOf } from "../time/format";
import { useNow } from "../time/useNow";
import { Icon } from "../ui/Icon";
import { useStore } from "../ui/store";

const PROBE_EVERY = 3000;

/** Says that the service is away, and looks for it until it is back. */
export function Away() {
  const { awaySince } = useStore(connection);
  return awaySince ? <Banner since={awaySince} /> : <Skew />;
}

function Banner({ since }: { since: number }) {
  const queries = useQueryClient();
  useEffect(() => {
    const timer = setInterval(() => {
      call(client.GET("/api/v1/jobs", { params: { query: { limit: 1 } } })).then(back, (error) => {
        if (error instanceof ApiError && error.status < 500) back();
      });
    }, PROBE_EVERY);
    return () => {
      clearInterval(timer);
      // It is back: what is shown is old.
      void queries.invalidateQueries();
    };
  }, [queries]);
  return (
    <Strip>
      <Icon path={mdiCloudOffOutline} />
      <span>
        <b>The service does not answer</b> since {timeOf(since, localZone(), { seconds: true })}. What you see
        is from before; it is tried again by itself.
      </span>
    </Strip>
  );
}

function Skew() {
  useNow(30_000);
  const skew = clockSkew();
  if (Math.abs(skew) < 5000) return null;
  return (
    <Strip>
      <span>
        This computer's clock is {durationOf(Math.abs(skew))} {skew > 0 ? "behind" : "ahead of"} the
        service's. Times here go by the service's.
      </span>
    </Strip>
  );
}

function Strip({ children }: { children: React.ReactNode }) {
  return (
    <Box
      role="status"
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1.25,
        px: { xs: 2, sm: 3 },
        py: 1,
        fontSize: "0.8125rem",
        color: "warning.main",
        bgcolor: "rgb(var(--s-palette-warning-mainChannel) / 0.1)",
        borderBottom: 1,
        borderColor: "line",
      }}
    >
      {children}
    </Box>
  );
}

const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
