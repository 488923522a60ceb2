import { mdiMagnify, mdiThemeLightDark } from "@mdi/js";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import { useColorScheme } from "@mui/material/styles";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, Suspense, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { follow } from "../api/events";
import { useSettings } from "../settings/settings";
import { Icon } from "../ui/Icon";
import { useStore } from "../ui/store";
import { Tips } from "../ui/Tips";
import { Toasts } from "../ui/Toasts";
import { Away } from "./Away";
import { LiveControl } from "./LiveControl";
import { lazy } from "./lazy";
import { Mishap } from "./Mishap";
import { BottomNav, Mark, SideNav } from "./Nav";
import { overlay } from "./overlay";
import { MODIFIER, useShortcuts } from "./shortcuts";
import { Underway } from "./Underway";
import { ZoneSwitch } from "./ZoneSwitch";

const Palette = lazy(() => import("../palette/Palette"));
const Help = lazy(() => import("../palette/Help"));

export function Shell({ children }: { children: ReactNode }) {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const settings = useSettings();
  const open = useStore(overlay);
  const toggleTheme = useThemeToggle();
  useShortcuts(toggleTheme);
  const queries = useQueryClient();
  useEffect(() => follow(queries), [queries]);

  // A new page begins at its top, for eyes and for screen readers.
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address is the trigger
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    if (!document.activeElement || document.activeElement === document.body) main.current?.focus();
  }, [pathname]);

  useEffect(() => {
    document.documentElement.dataset.motion = settings.reducedMotion ? "reduced" : "";
    document.documentElement.dataset.density = settings.density;
  }, [settings.reducedMotion, settings.density]);

  return (
    <Box sx={{ display: "flex", minHeight: "100vh" }}>
      <Box
        component="a"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
        sx={{
          position: "fixed",
          zIndex: 2000,
          left: 8,
          top: -60,
          p: "8px 14px",
          bgcolor: "primary.main",
          color: "primary.contrastText",
          borderRadius: 1,
          "&:focus": { top: 8 },
        }}
      >
        Skip to content
      </Box>
      <SideNav />
      <Box sx={{ flex: 1, minWidth: 0, display: "flex", flexDirection: "column" }}>
        <Box
          component="header"
          sx={{
            position: "sticky",
            top: 0,
            zIndex: 1100,
            height: 48,
            px: { xs: 1.5, sm: 3 },
            display: "flex",
            alignItems: "center",
            gap: { xs: 0.5, sm: 1 },
            bgcolor: "background.default",
            borderBottom: 1,
            borderColor: "line",
          }}
        >
          <Underway />
          <Mark sx={{ display: { md: "none" } }} />
          <JumpButton />
          <Box sx={{ flex: 1 }} />
          <LiveControl />
          <ZoneSwitch />
          <IconButton aria-label="Light or dark theme" data-tip="Light or dark (t)" onClick={toggleTheme}>
            <Icon path={mdiThemeLightDark} />
          </IconButton>
        </Box>
        <Away />
        <Box
          component="main"
          id="content"
          ref={main}
          tabIndex={-1}
          sx={{ flex: 1, outline: "none !important", pb: { xs: 8, md: 2 } }}
        >
          <Mishap page={pathname}>{children}</Mishap>
        </Box>
      </Box>
      <BottomNav />
      <Toasts />
      <Tips />
      <Suspense fallback={null}>
        {open === "palette" && <Palette toggleTheme={toggleTheme} />}
        {open === "help" && <Help />}
      </Suspense>
    </Box>
  );
}

function JumpButton() {
  return (
    <Box
      component="button"
      type="button"
      onClick={() => overlay.set("palette")}
      aria-keyshortcuts="Control+K Meta+K"
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        height: 30,
        px: 1,
        minWidth: 30,
        width: { sm: 240 },
        font: "inherit",
        fontSize: "0.8125rem",
        color: "text.secondary",
        bgcolor: "background.paper",
        border: 1,
        borderColor: "lineStrong",
        borderRadius: 1,
        cursor: "pointer",
        "&:hover": { borderColor: "text.secondary" },
      }}
    >
      <Icon path={mdiMagnify} size={16} />
      <Box
        component="span"
        sx={{
          flex: { sm: 1 },
          textAlign: "left",
          // On phones there is room for the icon only; its name is still said.
          position: { xs: "absolute", sm: "static" },
          clipPath: { xs: "inset(50%)", sm: "none" },
        }}
      >
        Jump to…
      </Box>
      <Box component="kbd" sx={{ display: { xs: "none", sm: "block" }, fontSize: "0.6875rem" }}>
        {MODIFIER} K
      </Box>
    </Box>
  );
}

function useThemeToggle() {
  const { mode, systemMode, setMode } = useColorScheme();
  const shown = (mode === "system" ? systemMode : mode) ?? "light";
  return () => setMode(shown === "dark" ? "light" : "dark");
}
