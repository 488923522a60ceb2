import Box from "@mui/material/Box";
import { type ReactNode, useEffect } from "react";

type Props = {
  /** For the tab of the browser. */
  title: string;
  heading?: ReactNode;
  /** The way back up. */
  above?: ReactNode;
  beside?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  wide?: boolean;
};

/** A page: its heading, what can be done, and its content. */
export function Page({ title, heading, above, beside, actions, children, wide = true }: Props) {
  useEffect(() => {
    document.title = `${title} · Scheduler`;
  }, [title]);
  return (
    <Box sx={{ px: { xs: 2, sm: 3 }, py: { xs: 2, sm: 2.5 }, maxWidth: wide ? 1680 : 1080, mx: "auto" }}>
      {above && <Box sx={{ mb: 0.5, fontSize: "0.8125rem", color: "text.secondary" }}>{above}</Box>}
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1.5, mb: 2, minHeight: 32 }}>
        <Box component="h1" sx={{ m: 0, typography: "h1", minWidth: 0, overflowWrap: "anywhere" }}>
          {heading ?? title}
        </Box>
        {beside}
        <Box sx={{ ml: "auto", display: "flex", gap: 1, flexWrap: "wrap" }}>{actions}</Box>
      </Box>
      {children}
    </Box>
  );
}
