import createCache from "@emotion/cache";
import { CacheProvider } from "@emotion/react";
import { ThemeProvider } from "@mui/material/styles";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { MemoryRouter, useLocation } from "react-router";
import { queryClient } from "../api/queries";
import { AppRoutes } from "../app/routes";
import { Shell } from "../app/Shell";
import { theme } from "../theme/theme";

// jsdom computes every rule for every element that a test asks for; behaviour does not depend on styles.
const unstyled = createCache({ key: "test" });
unstyled.sheet.insert = () => undefined;

let address = "";

function Watch() {
  const { pathname, search } = useLocation();
  address = pathname + search;
  return null;
}

/** The whole UI at an address; `address()` tells where it is now. */
export function open(path: string, state?: unknown) {
  const queries = queryClient();
  queries.setDefaultOptions({ queries: { ...queries.getDefaultOptions().queries, retry: false } });
  const [pathname = "/", search = ""] = path.split("?");
  const rendered = render(
    <CacheProvider value={unstyled}>
      <ThemeProvider theme={theme} noSsr>
        <QueryClientProvider client={queries}>
          <MemoryRouter initialEntries={[{ pathname, search: search && `?${search}`, state }]}>
            <Shell>
              <AppRoutes />
            </Shell>
            <Watch />
          </MemoryRouter>
        </QueryClientProvider>
      </ThemeProvider>
    </CacheProvider>,
  );
  return { ...rendered, address: () => decodeURIComponent(address), queries };
}
