// Load on a service that must not notice what is done to it: readers, writers, and jobs that fire every second; and the
// judgement afterwards.

import { sleep } from "./client.mjs";

const second = (anchor) => ({ type: "interval", every: "1s", anchor });

/** Reads and writes through `api` until `stop()`. `phase(name)` begins a line of the table. */
export function startLoad(api, { readers = 3, writers = 2, pause = 60, paths = ["/api/v1/jobs?limit=20", "/api/v1/runs?limit=20", "/", "/version"] } = {}) {
  const acknowledged = [];
  const phases = [];
  let stopped = false;
  const now = () => phases.at(-1);

  const phase = (name) => {
    phases.push({ phase: name, reads: 0, "read errors": 0, "slowest read ms": 0, writes: 0, "write retries": 0, examples: [] });
  };

  async function reader(turn) {
    for (; !stopped; turn += 1) {
      const path = paths[turn % paths.length];
      const line = now();
      const answer = await api.call("GET", path, path === "/" ? { headers: { accept: "text/html" } } : {});
      line.reads += 1;
      line["slowest read ms"] = Math.max(line["slowest read ms"], Math.round(answer.ms));
      if (answer.status !== 200) {
        line["read errors"] += 1;
        line.examples.push(`${path}: ${answer.status} ${answer.text.slice(0, 160)}`);
      }
      await sleep(pause);
    }
  }

  // A careful client: the same key until there is an answer that says what became of it.
  async function writer(number) {
    for (let turn = 0; !stopped; turn += 1) {
      const name = `write-${number}-${turn}`;
      const body = { name, schedule: { type: "interval", every: "1h" }, target: { type: "noop" } };
      for (;;) {
        const line = now();
        const answer = await api.call("POST", "/api/v1/jobs", { body, headers: { "idempotency-key": `"${name}"` } });
        if (answer.status === 201) {
          line.writes += 1;
          acknowledged.push(name);
          break;
        }
        if (answer.status !== 0 && answer.status < 500 && ![409, 429].includes(answer.status)) {
          line.examples.push(`${name}: ${answer.status} ${answer.text.slice(0, 160)}`);
          break;
        }
        line["write retries"] += 1;
        if (stopped && line["write retries"] > 100) return;
        await sleep(300);
      }
      await sleep(pause * 2);
    }
  }

  phase("quiet");
  const lanes = [
    ...Array.from({ length: readers }, (_, number) => reader(number)),
    ...Array.from({ length: writers }, (_, number) => writer(number)),
  ];
  return {
    acknowledged,
    phases,
    phase,
    async stop() {
      stopped = true;
      await Promise.all(lanes);
    },
  };
}

/** Jobs that are due each second, spread over it. */
export async function startTicking(api, count) {
  for (let it = 0; it < count; it += 1) {
    const anchor = `2026-01-01T00:00:00.${String((it * 1000) / count).padStart(3, "0").slice(0, 3)}Z`;
    await api.ok("POST", "/api/v1/jobs", { name: `tick-${it}`, schedule: second(anchor), target: { type: "noop" } });
  }
}

/** What holds of all records of the ticking jobs, asked of the database itself: `sql(statement)` gives rows as text. */
export function judgeTicks(sql) {
  const rows = sql(`
    with records as (
      select r.job_id, r.scheduled_for as at,
             coalesce((r.document->>'scheduled_until')::timestamptz, r.scheduled_for) as until,
             coalesce((r.document->>'count')::bigint, 1) as count,
             r.finished_at, (r.document->>'started_at')::timestamptz as started_at,
             (select count(*) from json_array_elements(r.document->'attempts') a where a->>'outcome' = 'succeeded') as successes
        from runs r join jobs j on j.id = r.job_id where j.document->'draft'->>'name' like 'tick-%'),
    gaps as (
      select at - lag(until) over (partition by job_id order by at) as step, * from records)
    select count(*), coalesce(sum(count), 0), count(*) filter (where step is not null and step <> interval '1 second'),
           count(*) filter (where finished_at is null and at < now() - interval '20 seconds'),
           count(*) filter (where started_at < at), count(*) filter (where successes > 1), count(distinct job_id)
      from gaps`);
  const [records, occurrences, broken, unfinished, early, twice, jobs] = rows.trim().split("|").map(Number);
  return { jobs, records, occurrences, "missing or double": broken, unfinished, early, "carried out twice": twice };
}

/** How many of the acknowledged writes are stored, and how many more than once. */
export function judgeWrites(sql, acknowledged) {
  const rows = sql(`select j.document->'draft'->>'name' from jobs j where j.document->'draft'->>'name' like 'write-%'`);
  const stored = new Map();
  for (const name of rows.split("\n").filter(Boolean)) stored.set(name, (stored.get(name) ?? 0) + 1);
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((name) => !stored.has(name)).length,
    double: [...stored.values()].filter((count) => count > 1).length,
  };
}
