// The real service on SQLite in a directory of its own, and something for its jobs to call.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("../..", import.meta.url).pathname;

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const found = [
    process.env.SCHEDULER_BIN,
    join(target, "debug/scheduler"),
    join(target, "release/scheduler"),
  ].find((path) => path && existsSync(path));
  if (!found) throw new Error("there is no binary: cargo build -p local");
  return found;
}

/** A port that is free at the moment. */
async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a service; `stop()` ends it and keeps its data, `start()` brings it back, `end()` removes everything. */
export async function startService(env = {}) {
  const [port, directory, target] = [
    await freePort(),
    mkdtempSync(join(tmpdir(), "scheduler-ui-")),
    await startTarget(),
  ];
  const url = `http://127.0.0.1:${port}`;
  let child;
  let log = "";

  async function start() {
    child = spawn(binary(), ["serve"], {
      cwd: directory,
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        DATABASE_URL: `sqlite:${join(directory, "scheduler.db")}`,
        SCHEDULER_LISTEN: `127.0.0.1:${port}`,
        SCHEDULER_ALLOW_TARGETS: `127.0.0.1:${port},127.0.0.1:${target.port}`,
        ...env,
      },
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
    for (let tries = 0; tries < 300; tries += 1) {
      try {
        if ((await fetch(`${url}/readyz`)).ok) return;
      } catch {}
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`the service did not start:\n${log}`);
  }

  async function stop() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    await ended;
  }

  async function api(method, path, body) {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: body ? { "content-type": "application/json" } : {},
      body: body && (typeof body === "string" ? body : JSON.stringify(body)),
    });
    const text = await response.text();
    const value = text ? JSON.parse(text) : undefined;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return value;
  }

  await start();
  return {
    url,
    target,
    api,
    start,
    stop,
    log: () => log,
    async end() {
      await stop();
      target.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What jobs call: `/ok`, `/fail`, `/slow`; `/switch` fails until it is told to work. */
async function startTarget() {
  let working = false;
  const server = createServer((request, response) => {
    const answer = (status, body, wait = 0) =>
      setTimeout(() => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      }, wait);
    request.resume();
    const path = request.url?.split("?")[0];
    if (path === "/fail") answer(500, { error: "the ledger is locked by migration 42", order: 1 });
    else if (path === "/slow") answer(200, { ok: true }, 1500 + Math.random() * 1500);
    else if (path === "/switch")
      answer(working ? 200 : 503, working ? { ok: true } : { error: "down for maintenance" });
    else answer(200, { ok: true }, Math.random() * 120);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    work: (value) => (working = value),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
