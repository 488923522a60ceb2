// The real docker-compose.yml, with everything done to it that happens to a stack in its life, under load.
// `make test-compose` starts this; it prints what readers and writers saw, phase by phase.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { after, before, it } from "node:test";
import { client, sleep, until } from "./client.mjs";
import { judgeTicks, judgeWrites, startLoad, startTicking } from "./load.mjs";

const TOP = new URL("../..", import.meta.url).pathname;
const PORT = process.env.TEST_COMPOSE_PORT ?? "18000";
const TICKING = 20;
const env = {
  ...process.env,
  COMPOSE_PROJECT_NAME: `scheduler-test-${process.pid}`,
  HTTP_PORT: PORT,
  TAG: process.env.TAG ?? "test",
  SCHEDULER_LEASE: "5s",
  // Nothing of a .env that lies here.
  COMPOSE_DISABLE_ENV_FILE: "1",
};
const started = [];

/** Runs a command; its output, or an error that holds it. */
function run(...words) {
  try {
    return execFileSync(words[0], words.slice(1), { cwd: TOP, env, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 }).toString();
  } catch (error) {
    throw new Error(`${words.join(" ")}:\n${error.stdout}\n${error.stderr}`);
  }
}
/** The same, without standing still meanwhile. */
function running(...words) {
  return new Promise((done, fail) => {
    const child = spawn(words[0], words.slice(1), { cwd: TOP, env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
    child.on("close", (code) => (code === 0 ? done(text) : fail(new Error(`${words.join(" ")}:\n${text}`))));
  });
}
const compose = (...words) => run("docker", "compose", ...words);
const composing = (...words) => running("docker", "compose", ...words);
const replicas = () => compose("ps", "-q", "backend").split("\n").filter(Boolean);
const sql = (statement) => compose("exec", "-T", "db", "psql", "-U", "scheduler", "-d", "scheduler", "-Atqc", statement);

let api;
before(async () => {
  const began = Date.now();
  if (!process.env.TEST_COMPOSE_NO_BUILD) await composing("build");
  const built = Date.now();
  await composing("up", "-d", "--wait", "--wait-timeout", "180");
  started.push(`built in ${((built - began) / 1000).toFixed(1)} s, up in ${((Date.now() - built) / 1000).toFixed(1)} s`);
  const key = compose("exec", "-T", "db", "cat", "/run/scheduler/admin-key").trim();
  api = client(`http://127.0.0.1:${PORT}`, { key });
});
after(async () => {
  if (api) compose("down", "-v", "--timeout", "5");
});

it("gives a UI, an API and its documentation on one port, by two replicas", async () => {
  console.log(started.join("\n"));
  assert.equal(replicas().length, 2);
  const page = await api.call("GET", "/", { headers: { accept: "text/html" } });
  assert.equal(page.status, 200);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.text)[1];
  for (const path of [script, "/docs/", "/openapi.json", "/healthz", "/readyz", "/version", "/api/v1/jobs"]) {
    assert.equal((await api.call("GET", path)).status, 200, path);
  }
  assert.equal((await client(api.base, { key: null }).call("GET", "/api/v1/jobs")).status, 401, "only with the key");
  const job = { name: "first", schedule: { type: "interval", every: "1s" }, target: { type: "noop" } };
  assert.equal((await api.call("POST", "/api/v1/jobs", { body: job })).status, 201);
  await until(async () => (await api.ok("GET", "/api/v1/jobs/first/runs?limit=5")).data.filter((it) => it.status === "succeeded").length >= 3);
});

it("runs as nobody, on a root that cannot be written, without a shell, in images that are small", () => {
  const [id] = replicas();
  const [{ Config, HostConfig, State }] = JSON.parse(run("docker", "inspect", id));
  assert.deepEqual([Config.User, HostConfig.ReadonlyRootfs, State.Health.Status], ["65532:65532", true, "healthy"]);
  assert.deepEqual(HostConfig.CapDrop, ["ALL"]);
  assert.ok(!Config.Env.some((it) => /^(DATABASE_URL|SECRET_KEY|SCHEDULER_ADMIN_KEY)=/.test(it)), "no secret in the environment");
  assert.throws(() => run("docker", "exec", id, "sh", "-c", "true"));
  const [image] = JSON.parse(run("docker", "image", "inspect", Config.Image));
  const megabytes = image.Size / 1e6;
  console.log(`image of the service: ${megabytes.toFixed(1)} MB`);
  assert.ok(megabytes < 60, `${megabytes} MB`);
  for (const label of ["title", "description", "licenses", "version", "revision"]) assert.ok(`org.opencontainers.image.${label}` in Config.Labels);
});

it("refuses floods with 429 and Retry-After", async () => {
  const answers = await Promise.all(Array.from({ length: 700 }, () => api.call("GET", "/healthz")));
  const refused = answers.filter((it) => it.status === 429);
  assert.ok(refused.length > 50, `${refused.length} of 700 refused`);
  assert.equal(refused[0].headers["retry-after"], "1");
  assert.equal(refused[0].json().code, "rate_limited");
  await sleep(4000);
});

it("loses nothing and fails no reader, whatever is done to it", async () => {
  await startTicking(api, TICKING);
  const load = startLoad(api);
  /** Does something, and lets the stack be for a while. */
  async function phase(name, act, rest = 4000) {
    load.phase(name);
    const began = Date.now();
    await act();
    console.log(`${new Date().toISOString()} ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
    load.phases.at(-1).seconds = ((Date.now() - began) / 1000).toFixed(1);
    await sleep(rest);
  }
  await sleep(5000);
  await phase("scale 2 → 4", () => composing("up", "-d", "--no-recreate", "--wait", "--scale", "backend=4"), 6000);
  assert.equal(replicas().length, 4);
  await phase("kill -9 of one of 4", () => running("docker", "kill", replicas()[0]), 8000);
  await phase("and of another", () => running("docker", "kill", replicas()[0]), 8000);
  await phase("scale → 4 again", () => composing("up", "-d", "--no-recreate", "--wait", "--scale", "backend=4"));
  await phase("scale 4 → 1", () => composing("up", "-d", "--no-recreate", "--scale", "backend=1"), 6000);
  assert.equal(replicas().length, 1);
  await phase("scale 1 → 2", () => composing("up", "-d", "--no-recreate", "--wait", "--scale", "backend=2"));
  const before = replicas();
  await phase("rolling rebuild", () => running("scripts/compose-rollout.sh", ...(process.env.TEST_COMPOSE_NO_BUILD ? ["--no-build"] : [])), 5000);
  const now = replicas();
  assert.equal(now.length, 2);
  assert.ok(now.every((id) => !before.includes(id)), "every replica is a new one");
  for (let turn = 1; turn <= 3; turn += 1) {
    await phase(`NGINX reloaded (${turn})`, () => composing("kill", "-s", "HUP", "nginx"), 1500);
  }
  await phase("PostgreSQL restarted", () => composing("restart", "db"), 12_000);
  load.phase("quiet again");
  await sleep(8000);
  await load.stop();
  // What waits for the lease of a killed replica is taken over by now.
  await sleep(12_000);

  const writes = judgeWrites(sql, load.acknowledged);
  const ticks = judgeTicks(sql);
  const examples = load.phases.flatMap((it) => it.examples.slice(0, 3).map((text) => `${it.phase}: ${text}`));
  console.table(load.phases.map(({ examples: _, ...line }) => line));
  console.table([writes]);
  console.table([ticks]);
  for (const example of examples) console.log(example);
  assert.deepEqual({ ...writes, acknowledged: 0 }, { acknowledged: 0, lost: 0, double: 0 });
  assert.equal(ticks.jobs, TICKING);
  for (const rule of ["missing or double", "unfinished", "early", "carried out twice"]) assert.equal(ticks[rule], 0, rule);
  const errors = load.phases.reduce((sum, it) => sum + it["read errors"], 0);
  assert.equal(errors, 0, `${errors} reads failed`);
});
