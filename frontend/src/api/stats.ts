// Overviews.

import { useQuery } from "@tanstack/react-query";
import { call, client, type Schemas } from "./client";
import { refreshed } from "./live";

export type Stats = Schemas["Stats"];
export type Timeline = Schemas["Timeline"];
export type TimelineRow = Schemas["TimelineRow"];
export type Attention = Schemas["Attention"];

/** Numbers are dear to compute: they are looked at at most every ten seconds. */
const slowly = () => {
  const every = refreshed();
  return every && Math.max(every, 10_000);
};

export function useStats(
  query: { window: string; buckets?: number; to?: string },
  options: { live?: boolean } = {},
) {
  return useQuery({
    queryKey: ["stats", query],
    queryFn: ({ signal }) => call(client.GET("/api/v1/stats", { params: { query }, signal })),
    placeholderData: (before) => before,
    refetchInterval: options.live === false ? false : slowly,
  });
}

export type TimelineQuery = {
  from: string;
  to: string;
  q?: string;
  label?: string[];
  cursor?: string;
  limit?: number;
};

export function useTimeline(query: TimelineQuery, options: { live?: boolean } = {}) {
  return useQuery({
    queryKey: ["timeline", query],
    queryFn: ({ signal }) => call(client.GET("/api/v1/timeline", { params: { query }, signal })),
    placeholderData: (before) => before,
    refetchInterval: options.live === false ? false : refreshed,
  });
}
