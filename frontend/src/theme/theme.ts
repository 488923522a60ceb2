import { createTheme, type Theme } from "@mui/material/styles";
import { dark, light, type Status } from "./palette";

declare module "@mui/material/styles" {
  interface Palette {
    status: Record<Status, string>;
    raised: string;
    sunken: string;
    line: string;
    lineStrong: string;
  }
  interface PaletteOptions {
    status?: Record<Status, string>;
    raised?: string;
    sunken?: string;
    line?: string;
    lineStrong?: string;
  }
}

export const MONO = 'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, monospace';
const SANS =
  '"Inter", "SF Pro Text", system-ui, -apple-system, "Segoe UI", "Roboto", "Noto Sans", sans-serif';

/** Smaller than MUI's own: people look at hundreds of rows here, not at five. */
export const theme: Theme = createTheme({
  cssVariables: { colorSchemeSelector: "data-theme", cssVarPrefix: "s" },
  colorSchemes: { light: { palette: light }, dark: { palette: dark } },
  shape: { borderRadius: 7 },
  spacing: 8,
  breakpoints: { values: { xs: 0, sm: 600, md: 900, lg: 1200, xl: 1680 } },
  typography: {
    fontFamily: SANS,
    fontSize: 13,
    htmlFontSize: 16,
    h1: { fontSize: "1.25rem", fontWeight: 650, letterSpacing: "-0.012em", lineHeight: 1.3 },
    h2: { fontSize: "0.9375rem", fontWeight: 650, letterSpacing: "-0.005em", lineHeight: 1.4 },
    h3: { fontSize: "0.8125rem", fontWeight: 650, lineHeight: 1.4 },
    body1: { fontSize: "0.875rem", lineHeight: 1.5 },
    body2: { fontSize: "0.8125rem", lineHeight: 1.45 },
    caption: { fontSize: "0.75rem", lineHeight: 1.4 },
    button: { fontSize: "0.8125rem", textTransform: "none", fontWeight: 550, letterSpacing: 0 },
  },
  transitions: { duration: { shortest: 80, shorter: 100, short: 120, standard: 140, complex: 180 } },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        body: { fontFeatureSettings: '"tnum" 1, "cv11" 1', WebkitFontSmoothing: "antialiased" },
        "*:focus-visible": { outline: "2px solid var(--s-palette-primary-main)", outlineOffset: 2 },
        "code, kbd, pre": { fontFamily: MONO },
        "@media (prefers-reduced-motion: reduce)": {
          "*, *::before, *::after": { animation: "none !important", transition: "none !important" },
        },
        '[data-motion="reduced"] *, [data-motion="reduced"] *::before, [data-motion="reduced"] *::after': {
          animation: "none !important",
          transition: "none !important",
        },
      },
    },
    MuiButtonBase: { defaultProps: { disableRipple: true } },
    MuiButton: {
      defaultProps: { size: "small", disableElevation: true },
      styleOverrides: {
        root: { minHeight: 30, paddingInline: 12, lineHeight: 1.4 },
        outlined: {
          borderColor: "var(--s-palette-lineStrong)",
          color: "var(--s-palette-text-primary)",
          "&:hover": {
            borderColor: "var(--s-palette-text-secondary)",
            background: "var(--s-palette-sunken)",
          },
        },
      },
      variants: [
        {
          props: { variant: "outlined", color: "error" },
          style: { color: "var(--s-palette-error-main)", borderColor: "var(--s-palette-lineStrong)" },
        },
      ],
    },
    MuiIconButton: {
      defaultProps: { size: "small" },
      styleOverrides: { root: { borderRadius: 7, minWidth: 28, minHeight: 28 } },
    },
    MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: "none" } } },
    MuiMenu: {
      // Menus are shown outside of the page's landmarks; this makes one of them.
      defaultProps: { transitionDuration: 80, slotProps: { root: { role: "region", "aria-label": "Menu" } } },
      styleOverrides: {
        paper: { border: "1px solid var(--s-palette-line)", boxShadow: "0 8px 28px rgb(0 0 0 / 0.16)" },
        list: { paddingBlock: 4 },
      },
    },
    MuiMenuItem: {
      styleOverrides: {
        root: {
          fontSize: "0.8125rem",
          minHeight: 32,
          paddingInline: 12,
          "@media (min-width: 600px)": { minHeight: 30 },
        },
      },
    },
    MuiDialog: {
      defaultProps: { transitionDuration: 100 },
      styleOverrides: {
        paper: {
          border: "1px solid var(--s-palette-line)",
          backgroundColor: "var(--s-palette-background-paper)",
        },
      },
    },
    MuiDialogTitle: { styleOverrides: { root: { fontSize: "1rem", fontWeight: 650, paddingBlock: 16 } } },
    MuiDialogActions: { styleOverrides: { root: { padding: "12px 24px 16px" } } },
    MuiTextField: { defaultProps: { size: "small", fullWidth: true } },
    MuiOutlinedInput: {
      styleOverrides: {
        root: { fontSize: "0.8125rem", background: "var(--s-palette-background-paper)" },
        notchedOutline: { borderColor: "var(--s-palette-lineStrong)" },
      },
    },
    MuiFormHelperText: { styleOverrides: { root: { marginInline: 2, fontSize: "0.75rem" } } },
    MuiTooltip: {
      defaultProps: { enterDelay: 250, disableInteractive: false },
      styleOverrides: {
        tooltip: {
          fontSize: "0.75rem",
          fontWeight: 450,
          backgroundColor: "#26292f",
          color: "#f2f3f5",
          maxWidth: 360,
          padding: "6px 9px",
        },
      },
    },
    MuiTableCell: {
      styleOverrides: {
        root: {
          padding: "7px 10px",
          borderBottomColor: "var(--s-palette-line)",
          fontSize: "0.8125rem",
          lineHeight: 1.4,
        },
        head: {
          color: "var(--s-palette-text-secondary)",
          fontWeight: 550,
          fontSize: "0.75rem",
          paddingBlock: 6,
          whiteSpace: "nowrap",
        },
      },
    },
    MuiTabs: { styleOverrides: { root: { minHeight: 36 }, indicator: { height: 2 } } },
    MuiTab: {
      styleOverrides: { root: { minHeight: 36, minWidth: 0, padding: "6px 12px", fontSize: "0.8125rem" } },
    },
    MuiChip: { styleOverrides: { root: { height: 22, fontSize: "0.75rem", borderRadius: 6 } } },
    MuiToggleButtonGroup: {
      styleOverrides: {
        // Where the buttons wrap, each has its own edge.
        root: { gap: 4, flexWrap: "wrap" },
        grouped: {
          margin: "0 !important",
          borderRadius: "7px !important",
          border: "1px solid var(--s-palette-lineStrong) !important",
          background: "var(--s-palette-background-paper)",
          "&.Mui-selected": {
            borderColor: "var(--s-palette-primary-main) !important",
            background: "rgb(var(--s-palette-primary-mainChannel) / 0.1)",
          },
        },
      },
    },
    MuiToggleButton: {
      styleOverrides: {
        root: {
          textTransform: "none",
          padding: "4px 11px",
          fontSize: "0.8125rem",
          lineHeight: 1.5,
          borderColor: "var(--s-palette-lineStrong)",
          color: "var(--s-palette-text-secondary)",
          "&.Mui-selected": { color: "var(--s-palette-primary-main)" },
        },
      },
    },
    MuiCheckbox: { defaultProps: { size: "small" }, styleOverrides: { root: { padding: 4 } } },
    MuiSwitch: { defaultProps: { size: "small" } },
  },
});
