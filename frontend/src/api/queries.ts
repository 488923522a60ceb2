import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./problem";

/** Keeps what was shown while the service is away; asks again where that may help, and not where it cannot. */
export function queryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2000,
        gcTime: 10 * 60_000,
        retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 2,
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4000),
        networkMode: "always",
        refetchOnWindowFocus: true,
      },
      mutations: { networkMode: "always" },
    },
  });
}
