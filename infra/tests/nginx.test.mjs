// nginx.conf, byte for byte, in front of real replicas on a real PostgreSQL. `make test-nginx` starts this.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { sleep, until } from "./client.mjs";
import { startWorld } from "./world.mjs";

const DIST = new URL("../../frontend/dist", import.meta.url).pathname;
const SECURITY = ["x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy", "cache-control"];
const noop = (name, schedule = { type: "interval", every: "1h" }) => ({ name, schedule, target: { type: "noop" } });

let world;
before(async () => {
  world = await startWorld({ dist: DIST });
});
after(() => world?.end());

/** Reads from `api` for `seconds`, `lanes` at a time, while `meanwhile` happens. */
async function read(api, seconds, meanwhile = async () => {}, { lanes = 3, paths = ["/api/v1/jobs", "/healthz", "/"] } = {}) {
  const seen = { reads: 0, wrong: [], slowest: 0 };
  const end = Date.now() + seconds * 1000;
  let happened = false;
  const lane = async (number) => {
    for (let turn = number; Date.now() < end || !happened; turn += 1) {
      const path = paths[turn % paths.length];
      const answer = await api.call("GET", path);
      seen.reads += 1;
      seen.slowest = Math.max(seen.slowest, answer.ms);
      if (answer.status !== 200) seen.wrong.push(`${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
      await sleep(30);
    }
  };
  const happening = sleep(500).then(meanwhile).finally(() => (happened = true));
  await Promise.all([happening, ...Array.from({ length: lanes }, (_, number) => lane(number))]);
  return seen;
}

/** How often each replica was tried since `from`, by its address. */
function tries(from) {
  const counts = {};
  for (const { replica } of world.accesses().slice(from)) {
    for (const address of replica.split(", ").filter(Boolean)) counts[address] = (counts[address] ?? 0) + 1;
  }
  return counts;
}

function problem(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  const json = answer.json();
  assert.deepEqual([json.status, json.code], [status, code]);
  assert.equal(json.request_id, answer.headers["x-request-id"]);
  for (const field of ["type", "title", "detail", "errors"]) assert.ok(field in json, field);
}

function hardened(answer, what) {
  for (const name of [...SECURITY, "x-request-id"]) {
    assert.equal(answer.raw.filter((it) => it === name).length, 1, `${name} of ${what}, once: ${answer.raw}`);
  }
}

describe("answers", () => {
  it("have the headers of the service once, whoever answers", async () => {
    const api = world.client(1);
    const script = readdirSync(`${DIST}/assets`).find((name) => name.endsWith(".js"));
    for (const path of ["/api/v1/jobs", "/api/v1/jobs/none", "/api/v1/nothing", "/", "/docs/", "/healthz", "/metrics", "/.env", `/assets/${script}`, "/assets/none.js"]) {
      hardened(await api.call("GET", path), path);
    }
    hardened(await api.call("POST", "/api/v1/jobs", { body: "{" }), "a refused write");
    const { headers } = await api.call("GET", "/");
    assert.equal(headers.server, "nginx");
  });

  it("name the request by the id it came with, or by a new one", async () => {
    const api = world.client(1);
    const given = await api.call("GET", "/api/v1/jobs/none", { headers: { "x-request-id": "trace-1.A_b7890" } });
    assert.deepEqual([given.headers["x-request-id"], given.json().request_id], ["trace-1.A_b7890", "trace-1.A_b7890"]);
    for (const bad of ["short", "a b c d e f g h", 'x"y"z"12345', "x".repeat(129)]) {
      const answer = await api.call("GET", "/api/v1/jobs/none", { headers: { "x-request-id": bad } });
      assert.match(answer.headers["x-request-id"], /^[0-9a-f]{32}$/, bad);
      assert.equal(answer.json().request_id, answer.headers["x-request-id"]);
    }
  });

  it("are problems in the service's own form where NGINX itself refuses", async () => {
    const api = world.client(1);
    problem(await api.call("GET", "/metrics"), 404, "not_found");
    problem(await api.call("GET", "/.env"), 404, "not_found");
    problem(await api.call("POST", "/api/v1/jobs", { body: "x".repeat(1_100_000) }), 413, "content_too_large");
    problem(await api.call("GET", `/api/v1/jobs?q=${"x".repeat(20_000)}`), 400, "bad_request");
    problem(await api.call("GET", "/api/v1/jobs", { headers: { "x-long": "x".repeat(20_000) } }), 400, "bad_request");
    const trace = await api.call("TRACE", "/api/v1/jobs");
    problem(trace, 405, "method_not_allowed");
    assert.equal(trace.headers.allow, "GET, HEAD, OPTIONS");
  });

  it("reach the service with what NGINX says about the client, and nothing the client made up", async () => {
    const api = world.client(1);
    const forged = {
      "x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9", forwarded: "for=203.0.113.9", "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example", proxy: "http://evil.example", te: "trailers", upgrade: "h2c", connection: "upgrade",
    };
    const { headers } = (await api.call("POST", "/echo", { body: "{}", headers: forged })).json();
    const address = headers["x-real-ip"];
    assert.match(address, /^10\.98\.\d+\.1$/);
    assert.equal(headers["x-forwarded-for"], address);
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers["x-forwarded-host"], headers.host);
    for (const name of ["forwarded", "proxy", "te", "upgrade", "connection", "keep-alive", "trailer"]) {
      assert.ok(!(name in headers), `${name} reached the service: ${headers[name]}`);
    }
  });

  it("leave a line each in the log, of JSON and without what is secret", async () => {
    const api = world.client(1, { key: "very-secret-key" });
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await api.call("GET", "/api/v1/jobs?token=very-secret-query", { headers: { "x-request-id": "logged-request", traceparent: trace } });
    const [line] = await until(() => {
      const found = world.accesses().filter((it) => it.request_id === "logged-request");
      return found.length > 0 && found;
    });
    assert.deepEqual([line.method, line.path, line.trace_id], ["GET", "/api/v1/jobs", "0af7651916cd43dd8448eb211c80319c"]);
    assert.ok(Number(line.seconds) >= 0 && line.replica.endsWith(":8000"));
    assert.ok(!world.logs.nginx.includes("very-secret"), "neither keys nor queries are logged");
  });
});

describe("the web UI", () => {
  const files = readdirSync(`${DIST}/assets`);

  it("comes packed as each client can take it, with its own type, and is kept for ever", async () => {
    const api = world.client(2);
    for (const [end, type] of [[".js", "javascript"], [".css", "css"]]) {
      const name = files.find((it) => it.endsWith(end) && files.includes(`${it}.br`) && files.includes(`${it}.gz`));
      if (!name) continue;
      const ask = (encoding) => api.call("GET", `/assets/${name}`, { headers: { "accept-encoding": encoding } });
      const plain = await ask("identity");
      for (const [encoding, expected, unpack] of [
        ["br, gzip", "br", brotliDecompressSync], ["gzip", "gzip", gunzipSync], ["br;q=0, gzip", "gzip", gunzipSync], ["identity", undefined, (it) => it],
      ]) {
        const answer = await ask(encoding);
        assert.deepEqual([answer.status, answer.headers["content-encoding"]], [200, expected], `${name} for ${encoding}`);
        assert.match(answer.headers["content-type"], new RegExp(type));
        assert.equal(answer.headers["cache-control"], "public, max-age=31536000, immutable");
        assert.equal(answer.headers.vary, "Accept-Encoding");
        assert.deepEqual(unpack(answer.bytes), plain.bytes);
      }
      problem(await api.call("GET", `/assets/${name}.br`), 404, "not_found");
      problem(await api.call("GET", `/assets/${name}.gz`), 404, "not_found");
    }
  });

  it("has a page for each of its own addresses, which is never kept", async () => {
    const api = world.client(2);
    const page = { headers: { accept: "text/html,application/xhtml+xml" } };
    for (const path of ["/", "/jobs", "/jobs/job_123", "/runs?status=failed", "/settings"]) {
      const answer = await api.call("GET", path, page);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers["content-type"], /^text\/html/);
      assert.equal(answer.headers["cache-control"], "no-cache");
      assert.match(answer.text, /<div id="root">/);
    }
    problem(await api.call("GET", "/jobs"), 404, "not_found");
    problem(await api.call("GET", "/api/v1/nothing", page), 404, "not_found");
    problem(await api.call("GET", "/assets/gone-1a2b.js", page), 404, "not_found");
  });
});

describe("what is not HTTP as it should be", () => {
  const inner = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const attempts = {
    "two lengths": `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    "a list of lengths": `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0, ${inner.length}\r\n\r\n${inner}`,
    "length and chunks": `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${inner.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    "chunks and length": `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${inner}`,
    "chunks twice": `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    "an unknown coding": `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`,
    "identity and chunks": `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n${inner}`,
    "chunks in HTTP/1.0": `POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    "a space before the colon": `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : ${inner.length}\r\nContent-Length: 0\r\n\r\n${inner}`,
    "a length with a sign": `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n${inner}`,
    "a negative length": `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n${inner}`,
    "a length that overflows": `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n${inner}`,
    "a chunk that overflows": `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n${inner}`,
    "a chunk that is no number": `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${inner}`,
    "two hosts": `GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n`,
    "no host": `GET /healthz HTTP/1.1\r\n\r\n`,
    "a null byte": `GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n`,
    "a null byte in the address": `GET /health\0z HTTP/1.1\r\nHost: x\r\n\r\n`,
    "a method of nobody's": `G\x01T /healthz HTTP/1.1\r\nHost: x\r\n\r\n`,
    "no version": "GET /healthz X\r\nHost: x\r\n\r\n",
    "a new version": "GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n",
    "a tunnel": "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "an address that leaves": "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/2 without being asked": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  };
  for (const [what, bytes] of Object.entries(attempts)) {
    it(`is refused: ${what}`, async () => {
      const text = await world.client(3).raw(bytes);
      const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map((it) => it[1]);
      // Refused and closed, or closed without a word; never a second answer.
      assert.ok(statuses.length <= 1 && statuses.every((it) => /^(400|405|501|505)$/.test(it)), `${what}: ${text}`);
    });
  }

  it("brings nothing to the service", async () => {
    await sleep(300);
    assert.ok(!world.accesses().some((it) => it.path === "/smuggled"), "NGINX saw a request inside another");
    for (const short of ["r1", "r2"]) assert.ok(!world.logs[short].includes("smuggled"));
  });

  it("switches no protocol, though it is asked to", async () => {
    const text = await world.client(3).raw(
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    );
    assert.match(text, /^HTTP\/1\.1 200/);
  });
});

describe("limits", () => {
  it("are for each address: 429 with Retry-After and a problem, and nobody else is kept out", async () => {
    const [loud, quiet] = [world.client(4), world.client(5)];
    const storm = Promise.all(Array.from({ length: 600 }, () => loud.call("GET", "/healthz")));
    const others = await Promise.all(Array.from({ length: 20 }, () => quiet.call("GET", "/healthz")));
    const answers = await storm;
    const refused = answers.filter((it) => it.status === 429);
    const served = answers.filter((it) => it.status === 200);
    assert.equal(refused.length + served.length, 600, "nothing but 200 and 429");
    assert.ok(served.length >= 200 && refused.length >= 50, `${served.length} served, ${refused.length} refused`);
    problem(refused[0], 429, "rate_limited");
    assert.equal(refused[0].headers["retry-after"], "1");
    hardened(refused[0], "a refusal");
    assert.ok(others.every((it) => it.status === 200));
    await sleep(3000);
    assert.equal((await loud.call("GET", "/healthz")).status, 200, "it passes");
  });
});

describe("streams", () => {
  it("pass through as they are written, and go on from where they broke off", async () => {
    const api = world.client(2);
    const shell = "for i in 1 2 3 4 5 6; do echo line $i; sleep 1; done";
    const job = { name: "talks", schedule: { type: "interval", every: "1h" }, target: { type: "command", argv: ["/bin/sh", "-c", shell] } };
    assert.equal((await api.call("POST", "/api/v1/jobs", { body: job })).status, 201);
    const { id } = await api.ok("POST", "/api/v1/jobs/talks/run", {});
    const path = `/api/v1/runs/${id}/log`;
    await until(async () => (await api.ok("GET", path)).data?.length > 0, { why: "the first line is written" });
    const first = api.stream(path);
    const lines = (stream) => stream.events.filter((it) => it.data.includes("line "));
    await until(() => lines(first).length >= 3, { why: "lines come as they are written" });
    const [, second, third] = lines(first);
    assert.ok(third.at - second.at > 400, "not all at once at the end");
    assert.match(first.state.headers["content-type"], /event-stream/);
    first.close();
    const last = lines(first).at(-1);
    const resumed = api.stream(path, { headers: { "last-event-id": last.id } });
    await until(() => lines(resumed).some((it) => it.data.includes("line 6")), { why: "the rest comes" });
    const texts = [...lines(first), ...lines(resumed)].map((it) => /line \d/.exec(it.data)[0]);
    assert.deepEqual(texts, [1, 2, 3, 4, 5, 6].map((it) => `line ${it}`));
    resumed.close();
  });

  it("are limited in number for each address", async () => {
    const api = world.client(3);
    const runs = await api.ok("GET", "/api/v1/runs?limit=1");
    // A job whose log stays open.
    const job = { name: "stays", schedule: { type: "interval", every: "1h" }, target: { type: "command", argv: ["/bin/sleep", "25"] } };
    assert.equal((await api.call("POST", "/api/v1/jobs", { body: job })).status, 201, JSON.stringify(runs));
    const { id } = await api.ok("POST", "/api/v1/jobs/stays/run", {});
    const streams = Array.from({ length: 53 }, () => api.stream(`/api/v1/runs/${id}/log`));
    await until(() => streams.filter((it) => it.state.status).length === 53, { why: "all are answered" });
    const statuses = streams.map((it) => it.state.status).sort();
    assert.deepEqual([statuses.filter((it) => it === 200).length, statuses.filter((it) => it === 429).length], [50, 3]);
    assert.equal((await api.call("GET", "/healthz")).status, 200, "other requests of the same address are served");
    for (const it of streams) it.close();
  });
});

describe("replicas", () => {
  afterEach(() => world.only("r1", "r2"));

  it("share the requests", async () => {
    const from = world.accesses().length;
    const api = world.client(6);
    for (let it = 0; it < 40; it += 1) assert.equal((await api.call("GET", "/api/v1/jobs")).status, 200);
    await sleep(300);
    const counts = Object.values(tries(from));
    assert.equal(counts.length, 2);
    assert.ok(counts.every((it) => it >= 12), `${counts}`);
  });

  it("that are new serve without a reload, and those that are killed cost no reader an error", async () => {
    const report = [];
    for (const round of [3, 4, 5]) {
      const short = `r${round}`;
      await world.addReplica(short);
      const { address } = world.members.get(short);
      const from = world.accesses().length;
      const api = world.client(round + 1);
      const seen = await read(api, 7, async () => {
        await until(() => tries(from)[`${address}:8000`] > 3, { why: () => `${short} gets its share: ${JSON.stringify(tries(from))}\n${world.complaints()}` });
        // The address vanishes with the process; its name goes in two of three rounds, as Docker's does a moment later.
        world.kill(short, { gone: round !== 4, known: round === 5 });
      });
      report.push({ round: short, ...seen, slowest: Math.round(seen.slowest) });
      assert.deepEqual(seen.wrong, [], JSON.stringify(report));
    }
    console.log("killed replicas, as readers saw it:", JSON.stringify(report));
  });

  it("that are cut off lose no write, and double none", async () => {
    await world.addReplica("r6");
    const api = world.client(7);
    const acknowledged = [];
    const lane = async (number) => {
      for (let turn = 0; turn < 40; turn += 1) {
        const name = `cut-${number}-${turn}`;
        const headers = { "idempotency-key": `"${name}"` };
        const answer = await until(
          async () => {
            const sent = await api.call("POST", "/api/v1/jobs", { body: noop(name), headers });
            return [201, 422].includes(sent.status) && sent;
          },
          { why: `${name} is taken` },
        );
        assert.equal(answer.status, 201, answer.text);
        acknowledged.push(name);
      }
    };
    const cutting = sleep(700).then(async () => {
      world.cut("r6", true);
      await sleep(4000);
      world.cut("r6", false);
    });
    await Promise.all([lane(1), lane(2), cutting]);
    const stored = world.sql("select count(*), count(distinct document->'draft'->>'name') from jobs where document->'draft'->>'name' like 'cut-%'");
    assert.equal(acknowledged.length, 80);
    assert.equal(stored, "80|80");
  });

  it("that are frozen cost readers patience, not an answer", async () => {
    await world.addReplica("r7");
    const api = world.client(8);
    world.signal("r7", "SIGSTOP");
    const answers = await Promise.all(Array.from({ length: 9 }, () => api.call("GET", "/api/v1/jobs")));
    assert.deepEqual(answers.map((it) => it.status), Array(9).fill(200));
  });

  it("that are not ready leave the pool until they are", async () => {
    await world.addReplica("r8");
    const { address, direct } = world.members.get("r8");
    world.blind("r8", true);
    await until(async () => (await direct.call("GET", "/api/v1/jobs")).status === 503, { why: "r8 has lost its database" });
    const api = world.client(6);
    // It is tried now and then; all the rest goes to the others, where a third would be its share.
    const from = world.accesses().length;
    const seen = await read(api, 9);
    assert.deepEqual(seen.wrong, []);
    const tried = tries(from)[`${address}:8000`] ?? 0;
    assert.ok(tried <= seen.reads / 20, `the replica without a database was tried ${tried} times for ${seen.reads} reads`);
    world.blind("r8", false);
    await until(async () => (await direct.call("GET", "/readyz")).status === 200, { why: "r8 is ready again" });
    const back = world.accesses().length;
    await read(api, 7);
    await until(() => tries(back)[`${address}:8000`] > 3, { why: "r8 serves again" });
  });

  it("lose no reader when NGINX is reloaded under load", async () => {
    const api = world.client(1);
    const seen = await read(api, 5, async () => {
      for (let turn = 0; turn < 4; turn += 1) {
        world.reload();
        await sleep(700);
      }
    });
    assert.deepEqual(seen.wrong, []);
    console.log("reloaded four times:", JSON.stringify(seen));
  });

  it("may all be away: a problem that says so, the UI is still there, and the first that is back serves once it is found", async () => {
    world.only();
    const api = world.client(9);
    // NGINX asks for addresses every two seconds, give or take one: its clock of whole seconds, and the time an answer takes.
    const asks = (status) => async () => (await api.call("GET", "/api/v1/jobs")).status === status;
    await until(asks(503), { within: 10_000, why: "NGINX has heard that nobody is left" });
    for (let turn = 0; turn < 6; turn += 1) {
      const refused = await api.call("GET", "/api/v1/jobs");
      problem(refused, 503, "unavailable");
      assert.equal(refused.headers["retry-after"], "1");
      problem(await api.call("POST", "/api/v1/jobs", { body: noop("nobody-there") }), 503, "unavailable");
    }
    const page = await api.call("GET", "/jobs", { headers: { accept: "text/html" } });
    assert.equal(page.status, 200);
    await world.addReplica("r9");
    await until(asks(200), { within: 10_000, why: "NGINX has found the first that is back" });
    assert.equal((await api.call("POST", "/api/v1/jobs", { body: noop("somebody-there") })).status, 201);
  });
});
