// What the tests ask the service with: HTTP from an address of one's own, raw bytes, and streams.

import http from "node:http";
import net from "node:net";

/** The operator's key and the secret of the services that tests start: good for nothing else. */
export const ADMIN_KEY = "test-admin-key-0123456789abcdef0123456789abcdef";
export const SECRET_KEY = "test-secret-key-0123456789abcdef0123456789abcde";

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until `what` answers something true; says what it answered last if it never does. */
export async function until(what, { within = 30_000, every = 100, why = String(what) } = {}) {
  const end = Date.now() + within;
  let last;
  for (;;) {
    try {
      last = await what();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${typeof why === "function" ? why() : why}; last: ${last}`);
    await sleep(every);
  }
}

/** A client that calls `base`, from `localAddress` where that is given. */
export function client(base, { localAddress, key = ADMIN_KEY } = {}) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const { hostname, port } = new URL(base);

  /** Resolves to status 0 where there is no answer: what a browser calls a network error. */
  function call(method, path, { headers = {}, body, timeout = 35_000 } = {}) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const sent = { accept: "application/json", ...headers };
    if (key) sent.authorization = `Bearer ${key}`;
    if (text !== undefined) {
      sent["content-type"] ??= "application/json";
      sent["content-length"] = Buffer.byteLength(text);
    }
    const began = performance.now();
    return new Promise((done) => {
      const request = http.request({ agent, hostname, port, path, method, headers: sent, localAddress, timeout });
      const ended = (status, more = {}) =>
        done({ status, ms: performance.now() - began, headers: {}, text: "", ...more, json: () => JSON.parse(more.text) });
      request.on("timeout", () => request.destroy(new Error("no answer in time")));
      request.on("error", (error) => ended(0, { text: error.message }));
      request.on("response", (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("error", (error) => ended(0, { text: error.message }));
        response.on("end", () => {
          const bytes = Buffer.concat(parts);
          ended(response.statusCode, {
            headers: response.headers,
            raw: response.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()),
            bytes,
            text: bytes.toString(),
          });
        });
      });
      request.end(text);
    });
  }

  /** Sends a request that must succeed, and gives its JSON. */
  async function ok(method, path, body, headers) {
    const answer = await call(method, path, { body, headers });
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text ? JSON.parse(answer.text) : undefined;
  }

  /** Follows a stream of server-sent events, until `close()`. Each comes with the time at which it came. */
  function stream(path, { headers = {} } = {}) {
    const events = [];
    const state = { status: 0, headers: {}, ended: false };
    const request = http.request({
      hostname, port, path, localAddress,
      headers: { accept: "text/event-stream", ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
    });
    request.on("error", () => (state.ended = true));
    request.on("response", (response) => {
      Object.assign(state, { status: response.statusCode, headers: response.headers });
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        text += part;
        const whole = text.split("\n\n");
        text = whole.pop();
        for (const block of whole) {
          const event = { at: Date.now(), data: "" };
          for (const line of block.split("\n")) {
            const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
            if (name === "data") event.data += value;
            else if (name) event[name] = value;
          }
          events.push(event);
        }
      });
      for (const it of ["end", "error", "close"]) response.on(it, () => (state.ended = true));
    });
    request.end();
    return { events, state, close: () => request.destroy() };
  }

  /** Sends bytes as they are, and gives all that comes back until the other side closes or is silent for a while. */
  function raw(bytes, { silence = 1500 } = {}) {
    return new Promise((done) => {
      const socket = net.connect({ host: hostname, port: Number(port), localAddress });
      let text = "";
      const end = () => {
        socket.destroy();
        done(text);
      };
      socket.setTimeout(silence, end);
      socket.on("data", (part) => (text += part.toString("latin1")));
      socket.on("error", end);
      socket.on("close", end);
      socket.write(bytes);
    });
  }

  return { base, call, ok, stream, raw, close: () => agent.destroy() };
}
