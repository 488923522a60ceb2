// Every route of the router, light and dark, on a phone and on a desk: no violation of WCAG 2.2 AA and best practice.
// Routes are read from the router itself; a new one is looked at without anybody adding it here.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, it } from "node:test";
import { openPage, startBrowser } from "./browser.mjs";
import { backfill, seed } from "./seed.mjs";
import { startService } from "./service.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const router = readFileSync(new URL("../src/app/routes.tsx", import.meta.url), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let browser;
let service;
/** What is looked at: `[address, text that is there once it is complete, what to do first]`. */
let visits;

/** The addresses of all routes, `:id` filled in with one that exists. */
function addresses(jobs, run) {
  const ids = { "/jobs/:id": jobs["sync-orders"].id, "/runs/:id": run.id };
  const paths = [...router.matchAll(/<Route\s+path="([^"]+)"/g)].map(([, path]) => path);
  assert.equal(paths.length, router.match(/<Route\b/g).length, "every route has its path written out");
  return paths.map((path) => {
    if (path === "*") return "/nowhere";
    return path.replace(/^(.*?\/:\w+)/, (start) => {
      assert.ok(ids[start], `${path}: this test does not know what to fill in; add it to ids`);
      return start.replace(/:\w+$/, ids[start]);
    });
  });
}

before(async () => {
  browser = await startBrowser();
  service = await startService();
  const jobs = await seed(service);
  await backfill(service.api, "reindex-search", 6);
  await new Promise((done) => setTimeout(done, 8000));
  const failed = (await service.api("GET", "/runs?status=failed&limit=1")).data[0];
  assert.ok(failed, "the seed has a failing job");
  const job = `/jobs/${jobs["sync-orders"].id}`;
  const menu = (item) => async (page) => {
    await page.getByRole("button", { name: "Actions for sync-orders" }).click();
    await page.getByRole("menuitem", { name: item }).click();
    await page.getByRole("dialog").waitFor();
  };
  const keys = (pressed) => async (page) => {
    await page.keyboard.press(pressed);
    await page.getByRole("dialog").waitFor();
  };
  visits = [
    ...addresses(jobs, failed).map((address) => [address]),
    ["/", "Needs attention"],
    ["/jobs", "heartbeat"],
    ["/jobs?q=nothing-like-it", "No job matches"],
    [
      "/jobs",
      "heartbeat",
      (page) => page.getByLabel("Select all jobs on this page").check({ force: true }),
      600,
    ],
    ["/jobs", "heartbeat", (page) => page.getByRole("button", { name: "State" }).click()],
    ["/jobs/new", "Next occurrences"],
    [job, "How it went"],
    [`${job}?tab=runs`, "Scheduled for"],
    [`${job}?tab=config`, "max_attempts"],
    [job, "How it went", menu("Pause until…")],
    [job, "How it went", menu("Delete…")],
    [job, "How it went", menu("Run with…")],
    [job, "How it went", menu("Backfill…")],
    [`/jobs/${jobs["nightly-report"].id}/edit`, "Cron expression"],
    [`/jobs/${jobs["reindex-search"].id}`, "Their runs"],
    ["/runs", "charge-invoices"],
    [`/runs/${failed.id}`, "What happened"],
    ["/timeline?span=1h", "Due together"],
    ["/timeline?view=table", "Usually takes"],
    ["/settings", "Appearance", keys("Control+k")],
    ["/settings", "Appearance", keys("?")],
  ];
});
after(async () => {
  await browser.close();
  await service.end();
});

async function look(page, [route, content, act, narrowest = 0]) {
  if (page.viewportSize().width < narrowest) return [];
  await page.goto(service.url + route);
  await page.locator("main h1").waitFor();
  await page.waitForFunction(
    (text) =>
      !document.querySelector('[aria-busy="true"]') &&
      (!text ||
        document.body.textContent?.includes(text) ||
        document.querySelector(`[aria-label="${text}"]`) ||
        document.querySelector("main")?.innerHTML.includes(text)),
    content,
  );
  await act?.(page);
  await page.evaluate(() => {
    for (const it of document.querySelectorAll("details")) it.setAttribute("open", "");
  });
  await page.waitForTimeout(150);
  await page.evaluate(axe);
  const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), TAGS);
  const found = violations.map(
    ({ id, nodes }) =>
      `${route} ${id}: ${nodes
        .slice(0, 3)
        .map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`)
        .join(" | ")}`,
  );
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  return wide > 0 ? [...found, `${route} is ${wide} px wider than the window`] : found;
}

for (const theme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    it(`${theme} at ${width} px`, async () => {
      const { page, wrong, close } = await openPage(browser, service.url, { theme, width, height: 844 });
      const found = [];
      for (const visit of visits) found.push(...(await look(page, visit)));
      await close();
      assert.deepEqual([...found, ...wrong], []);
    });
  }
}
