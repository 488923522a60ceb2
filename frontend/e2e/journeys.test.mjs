// What people do, in a real browser, with the real service on SQLite.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { onPage, openPage, startBrowser, visible } from "./browser.mjs";

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.close());

const withPage = (...what) => onPage(browser, ...what);

describe("journeys", { concurrency: false }, () => {
  it("the first five minutes: a fired job from an empty service, four fields, twenty seconds in the form", async () => {
    await withPage("/", async (page, { target }) => {
      await visible(page.getByText("Begin with a job"));
      const began = Date.now();
      await page.getByRole("link", { name: "Create job" }).click();
      await page.getByLabel("Name", { exact: true }).fill("hello");
      await page.getByLabel("Every", { exact: true }).fill("2s");
      await page.getByLabel("URL", { exact: true }).fill(`${target.url}/ok`);
      await visible(page.getByRole("table", { name: "Next occurrences" }));
      await page.getByRole("button", { name: "Create job" }).click();
      await visible(page.getByRole("heading", { name: "hello" }));
      assert.ok(Date.now() - began < 20_000, `${Date.now() - began} ms in the form`);
      await page.getByRole("tab", { name: "Runs" }).click();
      await visible(page.getByRole("link", { name: /Run of hello, succeeded/ }));
    });
  });

  it("by keyboard only: create, preview, run, pause, delete; the focus is never lost", async () => {
    await withPage("/", async (page, { target, api }) => {
      const press = (...keys) =>
        keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
      /** Tabs on until the focus is on something with that name. */
      const tabTo = async (name, most = 60) => {
        for (let step = 0; step < most; step += 1) {
          const at = await page.evaluate(() => {
            const it = document.activeElement;
            const own = it?.id && document.querySelector(`label[for="${it.id}"]`)?.textContent;
            const label = it?.getAttribute("aria-label") || own || it?.textContent || "";
            return label.trim();
          });
          if (at === name) return;
          await press("Tab");
        }
        assert.fail(`${name} cannot be reached by Tab`);
      };
      await visible(page.getByText("Begin with a job"));
      await press("c");
      await visible(page.getByRole("heading", { name: "Create job" }));
      await page.keyboard.type("by-keyboard");
      await tabTo("Every");
      await press("Control+a");
      await page.keyboard.type("1h");
      await tabTo("URL");
      await page.keyboard.type(`${target.url}/ok`);
      await visible(page.getByText(/About 24 runs a day/));
      await press("Control+Enter");
      await visible(page.getByRole("heading", { name: "by-keyboard" }));

      await tabTo("Run now");
      await press("Enter");
      await visible(page.getByText("“by-keyboard” runs now"));
      assert.equal((await api("GET", "/jobs/by-keyboard/runs")).data[0].kind, "manual");

      await tabTo("Actions for by-keyboard");
      await press("Enter");
      await visible(page.getByRole("menuitem", { name: "Pause until…" }));
      await press("Enter");
      await visible(page.getByRole("dialog"));
      await page.keyboard.type("the ledger is being moved");
      await press("Enter");
      await visible(page.getByText("the ledger is being moved"));
      assert.equal((await api("GET", "/jobs/by-keyboard")).state, "paused");
      const focused = await page.evaluate(() => document.activeElement?.tagName);
      assert.notEqual(focused, "BODY");

      await tabTo("Actions for by-keyboard");
      await press("Enter", "End", "Enter");
      await visible(page.getByRole("dialog"));
      await tabTo("Delete");
      await press("Enter");
      await visible(page.getByText("Deleted “by-keyboard”"));
      assert.equal((await api("GET", "/jobs")).data.length, 0);
    });
  });

  it("a failing job is found, understood and retried", async () => {
    await withPage("/", async (page, { target, api }) => {
      const job = {
        name: "books",
        schedule: { type: "interval", every: "1h" },
        target: { type: "http", url: `${target.url}/switch` },
        retry: { max_attempts: 1 },
      };
      await api("POST", "/jobs", job);
      await api("POST", "/jobs/books/run");
      await page.getByRole("link", { name: "Runs", exact: true }).first().click();
      await page.getByRole("button", { name: "Status" }).click();
      await page.getByRole("menuitemcheckbox", { name: "Failed" }).click();
      await page.keyboard.press("Escape");
      assert.match(page.url(), /status=failed/);
      await page.getByRole("link", { name: /Run of books, failed/ }).click();
      await visible(page.getByText("the target answered 503", { exact: false }));
      await visible(page.getByText("The target itself failed.", { exact: false }));
      await visible(page.getByText("down for maintenance"));
      target.work(true);
      await page.getByRole("button", { name: "Retry" }).click();
      await visible(page.getByText("Attempt 2"));
      await visible(page.getByText("Succeeded"));
    });
  });

  it("errors land on their fields, and what was typed outlives a reload", async () => {
    await withPage("/jobs/new", async (page, { api, target }) => {
      await api("POST", "/jobs", {
        name: "taken",
        schedule: { type: "interval", every: "1h" },
        target: { type: "noop" },
      });
      await page.getByLabel("Name", { exact: true }).fill("taken");
      await page.getByRole("button", { name: "Cron", exact: true }).click();
      await page.getByLabel("Cron expression").fill("0 25 * * *");
      await visible(page.getByText(/hour 25 is outside 0–23/));
      await page.reload();
      await visible(page.getByText("What you had typed is here again."));
      assert.equal(await page.getByLabel("Cron expression").inputValue(), "0 25 * * *");
      await page.getByLabel("Cron expression").fill("30 2 * * *");
      await page.getByLabel("Time zone").fill("America/New_York");
      await page.getByLabel("URL", { exact: true }).fill(`${target.url}/ok`);
      await page.getByRole("button", { name: "Create job" }).click();
      await visible(page.getByText("another job has this name"));
      assert.equal(await page.evaluate(() => document.activeElement?.id), "field-name");
      await page.getByLabel("Name", { exact: true }).fill('a/b.c?d#e "f" <g> %2F');
      await page.getByRole("button", { name: "Create job" }).click();
      await visible(page.getByRole("heading", { name: 'a/b.c?d#e "f" <g> %2F' }));
      await page.reload();
      await visible(page.getByRole("heading", { name: 'a/b.c?d#e "f" <g> %2F' }));
    });
  });

  it("two people change one job: both changes are kept", async () => {
    await withPage("/", async (page, { api }) => {
      const job = await api("POST", "/jobs", {
        name: "shared",
        schedule: { type: "interval", every: "1h" },
        target: { type: "http", url: "http://127.0.0.1:1/", body: { id: 1 } },
      });
      await api("PATCH", "/jobs/shared", '{"target": {"body": {"id": 12345678901234567890}}}');
      await page.goto(`${new URL(page.url()).origin}/jobs/${job.id}/edit`);
      await page.getByLabel("Every", { exact: true }).fill("2h");
      await api("PATCH", "/jobs/shared", { timeout: "7s" });
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await visible(page.getByText("Somebody changed this job meanwhile"));
      await visible(page.getByText("/timeout"));
      await page.getByRole("button", { name: "Save the merge" }).click();
      await visible(page.getByRole("heading", { name: "shared" }));
      await page.getByRole("tab", { name: "Configuration" }).click();
      await visible(page.getByText("12345678901234567890"));
      const saved = await api("GET", "/jobs/shared");
      assert.deepEqual([saved.schedule.every, saved.timeout], ["2h", "7s"]);
    });
  });

  it("two tabs: what happens in one is seen in the other", async () => {
    await withPage("/jobs", async (page, { api, url }) => {
      await api("POST", "/jobs", {
        name: "seen",
        schedule: { type: "interval", every: "1h" },
        target: { type: "noop" },
      });
      const other = await openPage(browser, url);
      await other.page.goto(`${url}/jobs`);
      await visible(other.page.getByRole("link", { name: "seen" }));
      await visible(page.getByRole("link", { name: "seen" }));
      // Looking is slow: what is seen soon has been told.
      const live = page.getByRole("button", { name: /^(Live|Polling|Paused)$/ });
      await live.click();
      await page.getByRole("menuitem", { name: "Every 30 s" }).click();
      await visible(page.getByRole("status").getByText("Live"));
      await other.page.getByRole("button", { name: "Actions for seen" }).click();
      await other.page.getByRole("menuitem", { name: "Pause", exact: true }).click();
      await page.getByRole("row", { name: /Paused/ }).waitFor({ timeout: 5_000 });
      // A page that is paused stays as it is, and catches up when it goes on.
      await live.click();
      await page.getByRole("menuitem", { name: "Pause updates" }).click();
      await visible(page.getByRole("status").getByText("Paused"));
      await api("POST", "/jobs/seen/resume");
      await visible(other.page.getByRole("row", { name: /Active/ }));
      assert.equal(await page.getByRole("row", { name: /Active/ }).count(), 0);
      await live.click();
      await page.getByRole("menuitem", { name: "Resume updates" }).click();
      await page.getByRole("row", { name: /Active/ }).waitFor({ timeout: 5_000 });
      await other.close();
    });
  });

  it("the service goes away and comes back: the page keeps what it shows, says so, and recovers", async () => {
    await withPage("/jobs", async (page, { api, stop, start }) => {
      await api("POST", "/jobs", {
        name: "stays",
        schedule: { type: "interval", every: "1h" },
        target: { type: "noop" },
      });
      await visible(page.getByRole("link", { name: "stays" }));
      await stop();
      await visible(page.getByText("The service does not answer"));
      await visible(page.getByRole("link", { name: "stays" }));
      // A page that was never opened before comes once the service is back.
      await page.getByRole("link", { name: "Timeline" }).first().click();
      await visible(page.getByRole("progressbar", { name: "Loading the page" }));
      await visible(page.getByRole("link", { name: "stays" }));
      await start();
      await page.getByText("The service does not answer").waitFor({ state: "hidden" });
      await visible(page.getByRole("heading", { name: "Timeline" }));
      await page.goBack();
      await api("POST", "/jobs/stays/pause");
      await visible(page.getByRole("row", { name: /Paused/ }));
    });
  });
});
