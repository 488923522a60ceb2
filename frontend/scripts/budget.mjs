// What people download, held to a budget: kB gzipped of the start, and of what each page brings beside it.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = { start: 180, page: 40, kit: 60, styles: 5, all: 350 };
const dist = new URL("../dist/", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, "utf8"));
const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(dist + file), { level: 9 }).length / 1000);
  return sizes.get(file);
};
const reach = (key, seen = new Set()) => {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) reach(next, seen);
  return seen;
};
const files = (keys) =>
  new Set([...keys].map((key) => manifest[key].file).filter((file) => file.endsWith(".js")));
const sum = (set) => [...set].reduce((total, file) => total + size(file), 0);

const entries = Object.keys(manifest);
const entry = entries.find((key) => manifest[key].isEntry);
const start = files(reach(entry));
const pages = entries.filter((key) => manifest[key].isDynamicEntry);
// Parts that every page shares (fields, menus, dialogs) are loaded once, by whichever comes first.
const shared = new Map();
for (const page of pages)
  for (const file of files(reach(page))) shared.set(file, (shared.get(file) ?? 0) + 1);

let failed = false;
const check = (name, is, budget) => {
  const over = is > budget;
  failed ||= over;
  console.log(
    `${over ? "OVER  " : "      "}${name.padEnd(34)} ${is.toFixed(1).padStart(7)} of ${budget} kB gz`,
  );
};
check("start", sum(start), BUDGET.start);
const kit = new Set(
  [...shared].filter(([file, count]) => count >= 3 && !start.has(file)).map(([file]) => file),
);
for (const page of pages) {
  const own = [...files(reach(page))].filter((file) => !start.has(file) && !kit.has(file));
  check(page.replace("src/", ""), sum(own), BUDGET.page);
}
check("what pages share, loaded once", sum(kit), BUDGET.kit);
const all = new Set(
  Object.values(manifest)
    .map(({ file }) => file)
    .filter((file) => file.endsWith(".js")),
);
check("all scripts", sum(all), BUDGET.all);
const styles = new Set(
  Object.values(manifest).flatMap(({ css = [], file }) => [...css, ...(file.endsWith(".css") ? [file] : [])]),
);
check("styles", sum(styles), BUDGET.styles);
const big = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 8);
console.log(
  `      largest: ${big.map(([file, kb]) => `${file.replace("assets/", "")} ${kb.toFixed(1)}`).join(", ")}`,
);
process.exit(failed ? 1 : 0);
