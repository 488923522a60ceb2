// Pictures of the main screens from seeded data: node scripts/screens.mjs DIRECTORY [WIDTH,…] [THEME,…] [NAME,…]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openPage, startBrowser } from "../e2e/browser.mjs";
import { seed } from "../e2e/seed.mjs";
import { startService } from "../e2e/service.mjs";

const [directory = "screens", widths = "390,1280", themes = "light,dark", names = ""] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });

const service = await startService();
const browser = await startBrowser();
try {
  const jobs = await seed(service);
  await new Promise((done) => setTimeout(done, Number(process.env.SEED_SECONDS ?? 40) * 1000));
  const failed = (await service.api("GET", "/runs?status=failed&limit=1")).data[0];
  const screens = {
    overview: "/",
    timeline: "/timeline?span=1h",
    jobs: "/jobs",
    job: `/jobs/${jobs["sync-orders"].id}`,
    create: "/jobs/new",
    edit: `/jobs/${jobs["nightly-report"].id}/edit`,
    run: `/runs/${failed.id}`,
    runs: "/runs",
    settings: "/settings",
  };
  for (const width of widths.split(",").map(Number)) {
    for (const theme of themes.split(",")) {
      const { page, wrong, close } = await openPage(browser, service.url, {
        width,
        height: width < 600 ? 844 : 760,
        theme,
      });
      const suffix = widths.includes(",") ? `-${width}` : "";
      for (const [name, path] of Object.entries(screens)) {
        if (names && !names.split(",").includes(name)) continue;
        await page.goto(service.url + path);
        await page.waitForLoadState("networkidle");
        await page.waitForTimeout(700);
        await page.screenshot({
          path: join(directory, `${name}${suffix}-${theme}.png`),
          fullPage: process.env.FULL === "1",
        });
      }
      if (wrong.length > 0) console.error(width, theme, wrong);
      await close();
    }
  }
} finally {
  await browser.close();
  await service.end();
}
