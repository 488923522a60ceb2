// Several hosts on one machine: NGINX and each replica in a network namespace of its own, joined by a bridge, on a
// PostgreSQL that all of them reach through a socket file. Linux, root; see scripts/nginx.sh.

import { execFileSync, spawn } from "node:child_process";
import { closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADMIN_KEY, client, SECRET_KEY, until } from "./client.mjs";

const TOP = new URL("../..", import.meta.url).pathname;
const ROOT = process.env.TEST_NGINX_ROOT;
const id = process.pid;
const NET = `10.98.${id % 250}`;
const WEB = `${NET}.10`;

const run = (...words) => execFileSync(words[0], words.slice(1), { stdio: ["ignore", "pipe", "pipe"] }).toString();
const ip = (words) => run("ip", ...words.split(" "));

/** A database of one's own on the server of TEST_DATABASE_URL. */
function freshDatabase() {
  const server = new URL(process.env.TEST_DATABASE_URL.replace(/^postgres(ql)?:/, "http:"));
  const name = `nginx_${id}`;
  const psql = join(process.env.TEST_POSTGRES_BIN, "psql");
  run(psql, process.env.TEST_DATABASE_URL, "-qc", `create database ${name}`);
  server.pathname = `/${name}`;
  return { url: server.href.replace(/^http:/, "postgres:"), psql };
}

export async function startWorld({ replicas = 2, dist } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "scheduler-nginx-"));
  const database = freshDatabase();
  const children = [];
  const names = [];
  const logFile = (label) => join(directory, `${label}.log`);
  /** What each has said so far, by its name. */
  const logs = new Proxy({}, {
    get: (_, label) => (existsSync(logFile(label)) ? readFileSync(logFile(label), "utf8") : ""),
  });
  const hosts = join(directory, "hosts.json");
  const members = new Map();
  const bridge = `sn${id}b`;

  // With an address of its own: it would take that of another port as ports come and go, and nobody would find it.
  ip(`link add ${bridge} address 02:98:00:00:00:01 type bridge`);
  ip(`link set ${bridge} up`);
  // One address for each test, as what a client may do is counted by address.
  for (let it = 1; it <= 9; it += 1) ip(`addr add ${NET}.${it}/24 dev ${bridge}`);

  function host(short, address) {
    const name = `sn${id}${short}`;
    ip(`netns add ${name}`);
    names.push(name);
    ip(`link add ${name}v type veth peer name eth0 netns ${name}`);
    ip(`link set ${name}v master ${bridge} up`);
    ip(`-n ${name} addr add ${address}/24 dev eth0`);
    ip(`-n ${name} link set eth0 up`);
    ip(`-n ${name} link set lo up`);
    return name;
  }

  function start(label, namespace, words, env = {}) {
    // Into a file: NGINX opens its standard output by name, which no pipe of Node's can be.
    const log = openSync(logFile(label), "a");
    const child = spawn("ip", ["netns", "exec", namespace, ...words], {
      cwd: directory,
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    children.push(child);
    return child;
  }

  const publish = () => {
    const addresses = [...members.values()].filter((it) => it.known).map((it) => it.address);
    writeFileSync(hosts, JSON.stringify({ backend: addresses }));
  };

  /** Lets a replica see the database, or not: each knows its socket by a name of its own. */
  function see(short, seen) {
    const link = join(directory, `${short}.socket`);
    rmSync(link, { force: true });
    if (seen) symlinkSync(new URL(database.url.replace(/^postgres:/, "http:")).searchParams.get("host"), link);
    else run(database.psql, database.url, "-qc", `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${short}'`);
  }

  /** Starts a replica, and waits until it is ready and known by its name. */
  async function addReplica(short, env = {}) {
    const number = members.size + 1;
    const address = `${NET}.${20 + number}`;
    const namespace = host(short, address);
    see(short, true);
    const url = new URL(database.url.replace(/^postgres:/, "http:"));
    url.searchParams.set("host", join(directory, `${short}.socket`));
    // A user for each, too, by whom its connections are known.
    run(database.psql, database.url, "-qc", `drop role if exists ${short}`, "-c", `create role ${short} superuser login`);
    url.username = short;
    const child = start(short, namespace, [process.env.SCHEDULER_BIN, "serve"], {
      DATABASE_URL: url.href.replace(/^http:/, "postgres:"),
      SCHEDULER_LISTEN: `${address}:8000`,
      SCHEDULER_LOG_FORMAT: "json",
      SCHEDULER_LEASE: "5s",
      SCHEDULER_ENABLE_COMMAND: "true",
      SECRET_KEY,
      SCHEDULER_ADMIN_KEY: ADMIN_KEY,
      ...env,
    });
    const direct = client(`http://${address}:8000`);
    const member = { short, address, namespace, child, direct, known: true };
    members.set(short, member);
    await until(async () => (await direct.call("GET", "/readyz")).status === 200, { why: `${short} is ready: ${logs[short]}` });
    publish();
    return member;
  }

  const world = {
    url: `http://${WEB}:8000`,
    logs,
    database,
    members,
    addReplica,
    /** A client with the `n`-th address. */
    client: (n, options = {}) => client(`http://${WEB}:8000`, { localAddress: `${NET}.${n}`, ...options }),
    /** Ends a replica as a crash does; with `gone` its address vanishes as well, as that of a killed container. */
    kill(short, { gone = true, known = false } = {}) {
      const member = members.get(short);
      member.known = known;
      member.child.kill("SIGKILL");
      if (gone) ip(`-n ${member.namespace} link set eth0 down`);
      publish();
    },
    /** Takes the database from a replica, or gives it back. */
    blind: (short, blind) => see(short, !blind),
    signal: (short, signal) => members.get(short).child.kill(signal),
    /** Ends every replica but these, and takes their names away. */
    only(...kept) {
      for (const [short, member] of members) {
        if (kept.includes(short)) continue;
        member.child.kill("SIGCONT");
        member.child.kill("SIGKILL");
        member.known = false;
      }
      publish();
    },
    /** Pulls a replica's cable; it stays known. */
    cut: (short, cut) => ip(`link set sn${id}${short}v ${cut ? "down" : "up"}`),
    /** NGINX's access log, understood. */
    accesses: () => logs.nginx.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it)),
    /** The last lines of its error log. */
    complaints: () => logs.nginx.split("\n").filter((it) => !it.startsWith("{")).slice(-20).join("\n"),
    sql: (statement) => run(database.psql, database.url, "-Atqc", statement).trim(),
    reload: () => run("sh", "-c", `kill -HUP ${readFileSync(join(ROOT, "tmp/nginx.pid"), "utf8").trim()}`),
    async end() {
      for (const child of children) child.kill("SIGKILL");
      for (const name of names) {
        for (const pid of ip(`netns pids ${name}`).split("\n").filter(Boolean)) {
          try {
            process.kill(Number(pid), "SIGKILL");
          } catch {}
        }
        ip(`netns del ${name}`);
      }
      ip(`link del ${bridge}`);
      rmSync(directory, { recursive: true, force: true });
    },
  };

  try {
    const web = host("w", WEB);
    publish();
    start("dns", web, [process.execPath, join(TOP, "infra/tests/dns.mjs"), "127.0.0.11", hosts]);
    for (let it = 1; it <= replicas; it += 1) await addReplica(`r${it}`);

    // The namespace's own view of the file system: what is mounted here is seen by NGINX only, and gone with it.
    const html = join(ROOT, "usr/share/nginx/html");
    mkdirSync(html, { recursive: true });
    const config = ROOT === "/" ? join(TOP, "nginx.conf") : join(ROOT, "etc/nginx/nginx.conf");
    if (ROOT !== "/") copyFileSync(join(TOP, "nginx.conf"), config);
    const inside = ROOT === "/" ? "" : `mount --rbind /dev ${ROOT}/dev; mount -t proc proc ${ROOT}/proc; exec chroot ${ROOT}`;
    const mounts = dist && existsSync(dist) ? `mount --bind ${dist} ${html};` : "";
    const nginx = `${inside || "exec"} ${ROOT === "/" ? "nginx" : "/usr/sbin/nginx"} -g 'daemon off;' -c ${ROOT === "/" ? config : "/etc/nginx/nginx.conf"}`;
    start("nginx", web, ["sh", "-ec", `${mounts} ${nginx}`]);
    const any = world.client(9);
    await until(async () => (await any.call("GET", "/healthz")).status === 200, { why: `NGINX serves` });
    any.close();
  } catch (error) {
    const said = ["nginx", "dns", ...members.keys()].map((name) => `--- ${name}\n${logs[name].slice(-3000)}`).join("\n");
    await world.end();
    throw new Error(`${error.message}\n${said}`);
  }
  return world;
}
