// Backfills from the job's page, and runs with another body, in a real browser with the real service.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { onPage, startBrowser, visible } from "./browser.mjs";

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.close());

/** Opens the job's page and one of its dialogs. */
async function ask(page, origin, job, item) {
  await page.goto(`${origin}/jobs/${job.id}`);
  await page.getByRole("button", { name: `Actions for ${job.name}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
  const dialog = page.getByRole("dialog");
  await visible(dialog);
  return dialog;
}

describe("backfills", { concurrency: false }, () => {
  it("a stretch of the past: counted before it starts, followed to its end", async () => {
    await onPage(browser, "/", async (page, { api, url }) => {
      const job = await api("POST", "/jobs", {
        name: "every-minute",
        schedule: { type: "cron", expression: "* * * * *", timezone: "Asia/Kathmandu" },
        target: { type: "noop" },
      });
      const dialog = await ask(page, url, job, "Backfill…");
      await dialog.getByRole("button", { name: "Yesterday" }).click();
      await visible(dialog.getByText("1 440 runs"));
      await dialog.getByRole("button", { name: "Last hour" }).click();
      await dialog.getByRole("button", { name: "Start 60 runs" }).click();
      await dialog.waitFor({ state: "hidden" });
      await visible(page.getByText("Completed, 60 runs"));
      const { data } = await api("GET", "/runs?kind=backfill&limit=200");
      assert.equal(data.filter(({ status }) => status === "succeeded").length, 60);
      await page.getByRole("link", { name: "Their runs" }).click();
      await visible(page.getByRole("link", { name: /Run of every-minute, succeeded/ }));
      assert.match(page.url(), /kind=backfill/);
    });
  });

  it("one that goes on is cancelled", async () => {
    await onPage(browser, "/", async (page, { api, url, target }) => {
      const job = await api("POST", "/jobs", {
        name: "slow",
        schedule: { type: "cron", expression: "* * * * *" },
        target: { type: "http", url: `${target.url}/slow` },
      });
      const dialog = await ask(page, url, job, "Backfill…");
      await dialog.getByRole("button", { name: "Last hour" }).click();
      await dialog.getByRole("button", { name: "Start 60 runs" }).click();
      await visible(page.getByText(/^Running, \d+ of 60$/));
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await visible(page.getByText(/^Cancelled, \d+ of 60$/));
      assert.equal((await api("GET", "/jobs/slow/backfills")).data[0].state, "cancelled");
    });
  });

  it("a run with another body sends it as it was typed", async () => {
    await onPage(browser, "/", async (page, { api, url, target }) => {
      const job = await api("POST", "/jobs", {
        name: "orders",
        schedule: { type: "interval", every: "1h" },
        target: { type: "http", url: `${target.url}/ok`, body: { since: 0 } },
      });
      const dialog = await ask(page, url, job, "Run with…");
      await dialog.getByLabel("Body of this run").fill('{"id": 12345678901234567890}');
      await dialog.getByRole("button", { name: "Run", exact: true }).click();
      await page.getByRole("button", { name: "Show the run" }).click();
      await visible(page.getByRole("group", { name: "request body" }));
      assert.match(
        await page.getByRole("group", { name: "request body" }).textContent(),
        /12345678901234567890/,
      );
    });
  });
});
