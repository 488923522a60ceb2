// Jobs as a small company might have them, with a few minutes of history made on the spot.

/** Stores the jobs; those that run every few seconds make history by themselves. */
export async function seed({ api, target, url }) {
  const http = (path, method = "POST", body) => ({
    type: "http",
    method,
    url: `${target.url}${path}`,
    ...(body && { body }),
  });
  const every = (every) => ({ type: "interval", every });
  const cron = (expression, timezone = "Europe/Paris") => ({ type: "cron", expression, timezone });
  const jobs = [
    {
      name: "heartbeat",
      labels: { team: "platform" },
      schedule: every("2s"),
      target: { type: "http", url: `${url}/echo`, body: { hello: "{{scheduled_for}}" } },
    },
    {
      name: "sync-orders",
      labels: { team: "shop", tier: "1" },
      schedule: every("3s"),
      target: http("/slow", "POST", { since: "{{scheduled_for}}", cursor: 0 }),
      overlap: "skip",
    },
    {
      name: "charge-invoices",
      labels: { team: "billing", tier: "1" },
      schedule: every("5s"),
      target: http("/fail", "POST", { batch: 200 }),
      retry: { max_attempts: 2, initial: "1s", jitter: false },
    },
    { name: "refresh-prices", labels: { team: "shop" }, schedule: every("4s"), target: http("/ok", "GET") },
    {
      name: "nightly-report",
      description: "Figures for finance, before they come in.",
      labels: { team: "billing" },
      schedule: cron("0 2 * * 1-5"),
      target: http("/ok", "POST", { full: true }),
      retry: { max_attempts: 5, initial: "30s" },
    },
    {
      name: "warehouse-export",
      labels: { team: "data" },
      schedule: cron("30 2 * * *", "America/New_York"),
      target: http("/ok"),
    },
    {
      name: "weekly-digest",
      labels: { team: "marketing" },
      schedule: cron("0 9 * * MON"),
      target: { type: "log", message: "digest" },
    },
    {
      name: "close-the-month",
      labels: { team: "billing" },
      schedule: {
        type: "calendar_interval",
        every: { months: 1 },
        time: "23:30",
        start_date: "2026-12-31",
        timezone: "Europe/Paris",
      },
      target: http("/ok"),
    },
    {
      name: "renew-certificates",
      labels: { team: "platform" },
      schedule: every("6h"),
      target: { type: "noop" },
      jitter: "10m",
    },
    {
      name: "reindex-search",
      labels: { team: "shop" },
      schedule: cron("*/15 * * * *", "UTC"),
      target: http("/slow"),
    },
  ];
  const made = {};
  for (const job of jobs) made[job.name] = await api("POST", "/jobs", job);
  await api("POST", "/jobs/warehouse-export/pause", { reason: "the warehouse moves until Thursday" });
  for (const name of ["nightly-report", "reindex-search", "renew-certificates", "weekly-digest"])
    await api("POST", `/jobs/${name}/run`);
  return made;
}

/** What a job's schedule had in the last hours, run now: history without waiting for it. */
export function backfill(api, name, hours) {
  const to = Math.floor(Date.now() / 60_000) * 60_000;
  return api("POST", `/jobs/${name}/backfill`, {
    from: new Date(to - hours * 3_600_000).toISOString(),
    to: new Date(to).toISOString(),
    overlap: "allow_all",
  });
}
