// Debian's Chromium, driven by playwright-core.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { startService } from "./service.mjs";

const PLACES = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

export function chromiumPath() {
  const found = PLACES.find((path) => path && existsSync(path));
  if (!found) throw new Error("Chromium is missing: apt-get install chromium");
  return found;
}

export async function startBrowser() {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--force-color-profile=srgb",
    ],
  });
}

/** A page that remembers what went wrong on it: exceptions, violations of its policy, requests to elsewhere. */
export async function openPage(browser, url, options = {}) {
  const { width = 1280, height = 900, theme = "light", zone = "Europe/Paris" } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    timezoneId: zone,
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // The browser itself reports every answer that is an error; those are told to people by the page.
    if (message.type() === "error" && !/Failed to load resource/.test(text)) wrong.push(`console: ${text}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob|about):/.test(request.url()))
      wrong.push(`elsewhere: ${request.url()}`);
  });
  return { page, wrong, close: () => context.close() };
}

/** A service and a page on it, gone at the end. */
export async function onPage(browser, path, act, options) {
  const service = await startService();
  const opened = await openPage(browser, service.url, options);
  try {
    await opened.page.goto(service.url + path);
    await act(opened.page, service, opened.wrong);
    assert.deepEqual(opened.wrong, []);
  } catch (error) {
    await opened.page
      .screenshot({ path: join(process.env.FAILURES ?? tmpdir(), "ui-failure.png") })
      .catch(() => undefined);
    if (opened.wrong.length > 0) error.message += `\n${opened.wrong.join("\n")}`;
    throw error;
  } finally {
    await opened.close();
    await service.end();
  }
}

export const visible = (locator) => locator.first().waitFor({ state: "visible" });
