// Lighthouse on the main screens: accessibility and best practices 100, performance at least 95 (the median of RUNS).
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumPath } from "../e2e/browser.mjs";
import { seed } from "../e2e/seed.mjs";
import { startService } from "../e2e/service.mjs";

const VERSION = "12.8.2";
const GOALS = { accessibility: 100, "best-practices": 100, performance: 95 };
const RUNS = Number(process.env.RUNS ?? 3);
const pages = process.argv.length > 2 ? process.argv.slice(2) : ["/", "/jobs", "/jobs/new", "/timeline"];

const service = await startService();
const directory = mkdtempSync(join(tmpdir(), "lighthouse-"));
let failed = false;
try {
  await seed(service);
  for (const page of pages) {
    const scores = {};
    for (let run = 0; run < RUNS; run += 1) {
      const path = join(directory, "report.json");
      const { status, stderr } = spawnSync(
        "npx",
        [
          "--yes",
          `lighthouse@${VERSION}`,
          service.url + page,
          "--preset=desktop",
          "--quiet",
          "--output=json",
          `--output-path=${path}`,
          `--only-categories=${Object.keys(GOALS)}`,
          "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        ],
        { encoding: "utf8", env: { ...process.env, CHROME_PATH: chromiumPath() } },
      );
      if (status !== 0) throw new Error(stderr);
      const { categories, audits } = JSON.parse(readFileSync(path, "utf8"));
      for (const [name, { score, auditRefs }] of Object.entries(categories)) {
        scores[name] = [...(scores[name] ?? []), Math.round(score * 100)];
        if (name === "performance") continue;
        for (const { id, weight } of auditRefs)
          if (weight > 0 && audits[id].score !== null && audits[id].score < 1)
            console.log(`      ${page} ${id}: ${audits[id].title}`);
      }
    }
    for (const [name, goal] of Object.entries(GOALS)) {
      const median = scores[name].sort((a, b) => a - b)[Math.floor(RUNS / 2)];
      failed ||= median < goal;
      console.log(
        `${median < goal ? "UNDER " : "      "}${page.padEnd(12)} ${name.padEnd(15)} ${median} of ${goal} (${scores[name]}; load ${loadavg()[0].toFixed(1)})`,
      );
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
  await service.end();
}
process.exit(failed ? 1 : 0);
