import { CacheProvider } from "@emotion/react";
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { BrowserRouter } from "react-router";
import { styleCache } from "../theme/sheet";
import { theme } from "../theme/theme";
import { AppRoutes } from "./routes";
import { Shell } from "./Shell";

const styles = styleCache();

export function App({ queries }: { queries: QueryClient }) {
  return (
    <CacheProvider value={styles}>
      <ThemeProvider
        theme={theme}
        defaultMode="system"
        modeStorageKey="scheduler.theme"
        noSsr
        disableTransitionOnChange={false}
      >
        <CssBaseline />
        <QueryClientProvider client={queries}>
          <BrowserRouter>
            <Shell>
              <AppRoutes />
            </Shell>
          </BrowserRouter>
        </QueryClientProvider>
      </ThemeProvider>
    </CacheProvider>
  );
}
