import {
  mdiChartTimeline,
  mdiCogOutline,
  mdiFormatListBulleted,
  mdiHistory,
  mdiViewDashboardOutline,
} from "@mdi/js";
import Box from "@mui/material/Box";
import type { SxProps, Theme } from "@mui/material/styles";
import { NavLink } from "react-router";
import { Icon } from "../ui/Icon";

type Place = { to: string; label: string; icon: string; end?: boolean; small?: boolean };

const PLACES: Place[] = [
  { to: "/", label: "Overview", icon: mdiViewDashboardOutline, end: true, small: true },
  { to: "/jobs", label: "Jobs", icon: mdiFormatListBulleted, small: true },
  { to: "/runs", label: "Runs", icon: mdiHistory, small: true },
  { to: "/timeline", label: "Timeline", icon: mdiChartTimeline, small: true },
  { to: "/settings", label: "Settings", icon: mdiCogOutline, small: true },
];

/** The mark: occurrences past, and the one to come. */
export function Mark({ sx }: { sx?: SxProps<Theme> }) {
  return (
    <Box
      component={NavLink}
      to="/"
      aria-label="Scheduler, start page"
      sx={[
        {
          display: "flex",
          alignItems: "center",
          gap: 1.25,
          color: "text.primary",
          textDecoration: "none",
          fontWeight: 650,
        },
        ...(Array.isArray(sx) ? sx : [sx]),
      ]}
    >
      <Box
        component="svg"
        viewBox="0 0 32 32"
        width={24}
        height={24}
        aria-hidden
        sx={{ flex: "none", color: "primary.main" }}
      >
        <rect width="32" height="32" rx="8" fill="currentcolor" />
        <Box component="g" sx={{ fill: "var(--s-palette-primary-contrastText)" }}>
          <rect x="6" y="17" width="3.5" height="9" rx="1.5" opacity=".55" />
          <rect x="11.5" y="12" width="3.5" height="14" rx="1.5" opacity=".8" />
          <rect x="17" y="6" width="3.5" height="20" rx="1.5" />
        </Box>
        <Box
          component="rect"
          x="22.75"
          y="14.75"
          width="3"
          height="10.5"
          rx="1.5"
          fill="none"
          strokeWidth="1.5"
          sx={{ stroke: "var(--s-palette-primary-contrastText)" }}
        />
      </Box>
    </Box>
  );
}

/** Beside the page, where there is room. */
export function SideNav() {
  return (
    <Box
      component="nav"
      aria-label="Main"
      sx={{
        display: { xs: "none", md: "flex" },
        flexDirection: "column",
        position: "sticky",
        top: 0,
        height: "100vh",
        width: { md: 176, lg: 200 },
        flex: "none",
        p: 1.5,
        gap: 0.25,
        borderRight: 1,
        borderColor: "line",
        bgcolor: "background.default",
      }}
    >
      <Box sx={{ display: "flex", alignItems: "center", gap: 1.25, px: 0.5, pb: 2, fontWeight: 650 }}>
        <Mark />
        Scheduler
      </Box>
      {PLACES.map(({ to, label, icon, end }) => (
        <Box
          key={to}
          component={NavLink}
          to={to}
          end={end}
          sx={{
            display: "flex",
            alignItems: "center",
            gap: 1.25,
            px: 1.25,
            height: 32,
            borderRadius: 1,
            fontSize: "0.8125rem",
            fontWeight: 500,
            color: "text.secondary",
            textDecoration: "none",
            "&:hover": { bgcolor: "sunken", color: "text.primary" },
            "&.active": {
              color: "primary.main",
              bgcolor: "rgb(var(--s-palette-primary-mainChannel) / 0.1)",
              fontWeight: 600,
            },
          }}
        >
          <Icon path={icon} />
          {label}
        </Box>
      ))}
      <Box sx={{ flex: 1 }} />
      <Box
        component="a"
        href="/docs/"
        sx={{
          px: 1.25,
          py: 0.75,
          fontSize: "0.75rem",
          color: "text.secondary",
          "&:hover": { color: "text.primary" },
        }}
      >
        API documentation
      </Box>
    </Box>
  );
}

/** Under the page, on phones: within reach of a thumb. */
export function BottomNav() {
  return (
    <Box
      component="nav"
      aria-label="Main, below"
      sx={{
        display: { xs: "flex", md: "none" },
        position: "fixed",
        zIndex: 1150,
        bottom: 0,
        left: 0,
        right: 0,
        height: 56,
        pb: "env(safe-area-inset-bottom)",
        bgcolor: "background.paper",
        borderTop: 1,
        borderColor: "line",
      }}
    >
      {PLACES.filter(({ small }) => small).map(({ to, label, icon, end }) => (
        <Box
          key={to}
          component={NavLink}
          to={to}
          end={end}
          sx={{
            flex: 1,
            display: "grid",
            placeItems: "center",
            alignContent: "center",
            gap: "2px",
            fontSize: "0.6875rem",
            color: "text.secondary",
            textDecoration: "none",
            "&.active": { color: "primary.main", fontWeight: 600 },
          }}
        >
          <Icon path={icon} size={20} />
          {label}
        </Box>
      ))}
    </Box>
  );
}
