// Every route, light and dark, on a phone and on a desk: no violation of WCAG 2.2 AA and best practice.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, it } from "node:test";
import { openPage, startBrowser } from "./browser.mjs";
import { seed } from "./seed.mjs";
import { startService } from "./service.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let browser;
let service;
let routes;

before(async () => {
  browser = await startBrowser();
  service = await startService();
  const jobs = await seed(service);
  await new Promise((done) => setTimeout(done, 8000));
  const failed = (await service.api("GET", "/runs?status=failed&limit=1")).data[0];
  assert.ok(failed, "the seed has a failing job");
  routes = {
    "/": "Needs attention",
    "/jobs": "heartbeat",
    "/jobs?q=nothing-like-it": "No job matches",
    "/jobs/new": "Next occurrences",
    [`/jobs/${jobs["sync-orders"].id}`]: "How it went",
    [`/jobs/${jobs["sync-orders"].id}?tab=runs`]: "Scheduled for",
    [`/jobs/${jobs["sync-orders"].id}?tab=config`]: "max_attempts",
    [`/jobs/${jobs["nightly-report"].id}/edit`]: "Cron expression",
    "/runs": "charge-invoices",
    [`/runs/${failed.id}`]: "What happened",
    "/timeline?span=1h": "Due together",
    "/timeline?view=table": "Usually takes",
    "/settings": "Appearance",
    "/nowhere": "There is no such page",
  };
});
after(async () => {
  await browser.close();
  await service.end();
});

for (const theme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    it(`${theme} at ${width} px`, async () => {
      const { page, wrong, close } = await openPage(browser, service.url, { theme, width, height: 844 });
      const found = [];
      for (const [route, content] of Object.entries(routes)) {
        await page.goto(service.url + route);
        await page.waitForFunction(
          (text) =>
            document.body.textContent?.includes(text) ||
            document.querySelector(`[aria-label="${text}"]`) ||
            document.querySelector("main")?.innerHTML.includes(text),
          content,
        );
        await page.evaluate(() => {
          for (const it of document.querySelectorAll("details")) it.setAttribute("open", "");
        });
        await page.waitForTimeout(150);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(
          (tags) => window.axe.run(document, { runOnly: tags }),
          TAGS,
        );
        for (const { id, nodes } of violations)
          found.push(
            `${route} ${id}: ${nodes
              .slice(0, 3)
              .map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`)
              .join(" | ")}`,
          );
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) found.push(`${route} is ${wide} px wider than the window`);
      }
      await close();
      assert.deepEqual([...found, ...wrong], []);
    });
  }
}
