//! PostgreSQL for the end-to-end tests: a database of one's own, or a whole server to stop and start.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

/// The URL of a fresh database on the server of `TEST_DATABASE_URL`; `None`, said loudly, where there is no server.
pub(crate) async fn fresh_database(name: &str) -> Option<String> {
    let server = variable("TEST_DATABASE_URL")?;
    let name = format!("e2e_{name}_{}", std::process::id());
    let admin = connect(&server).await;
    for statement in
        [format!("drop database if exists {name} with (force)"), format!("create database {name}")]
    {
        sqlx::query(AssertSqlSafe(statement)).execute(&admin).await.unwrap();
    }
    let (base, query) = server
        .split_once('?')
        .map_or((server.as_str(), String::new()), |(base, query)| (base, format!("?{query}")));
    let (host, _) = base.rsplit_once('/').unwrap();
    Some(format!("{host}/{name}{query}"))
}

pub(crate) async fn connect(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(2).connect(url).await.unwrap()
}

/// What the test script sets; missing, it skips the test, but never under CI.
#[expect(clippy::disallowed_methods, reason = "tests are told by the script where PostgreSQL is")]
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        skip(&format!("{name} is not set"), "`make test` runs this on a real PostgreSQL");
    }
    value
}

/// Says that a test is left out; under CI it fails.
#[expect(clippy::disallowed_methods, reason = "CI leaves nothing out")]
pub(crate) fn skip(why: &str, remedy: &str) {
    assert!(std::env::var("CI").is_err(), "{why}: {remedy}");
    eprintln!("SKIPPED: {why}; {remedy}");
}

/// A PostgreSQL server of one's own.
pub(crate) struct Cluster {
    bin: PathBuf,
    directory: tempfile::TempDir,
    addresses: &'static str,
    port: u16,
}

impl Cluster {
    /// A new, running server that admits this machine.
    pub(crate) fn start() -> Option<Self> {
        Self::open_to(None)
    }

    /// A new, running server that admits a network as well.
    pub(crate) fn open_to(network: Option<&str>) -> Option<Self> {
        let bin = PathBuf::from(variable("TEST_POSTGRES_BIN")?);
        let directory = tempfile::tempdir().unwrap();
        let addresses = if network.is_some() { "*" } else { "127.0.0.1" };
        let cluster = Self { bin, directory, addresses, port: super::service::free_port() };
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(cluster.path()));
        }
        run(cluster.tool("initdb").args([
            "-U",
            "postgres",
            "--auth",
            "trust",
            "-E",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]));
        if let Some(network) = network {
            let rule = format!("host all all {network} trust\n");
            let rules = cluster.path().join("data/pg_hba.conf");
            let mut file = std::fs::File::options().append(true).open(rules).unwrap();
            file.write_all(rule.as_bytes()).unwrap();
        }
        cluster.up();
        Some(cluster)
    }

    pub(crate) fn url(&self) -> String {
        self.url_at("127.0.0.1")
    }

    /// Its URL where it is reached under another address.
    pub(crate) fn url_at(&self, host: &str) -> String {
        format!("postgres://postgres@{host}:{}/postgres", self.port)
    }

    /// Starts the server again.
    pub(crate) fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses={} -k '' -c fsync=off -c max_connections=200",
            self.port, self.addresses
        );
        let log = self.path().join("log");
        run(self.tool("pg_ctl").arg("-l").arg(log).args(["-w", "-t", "60", "-o", &options, "start"]));
    }

    /// Stops it the hard way, as a crash would.
    pub(crate) fn down(&self) {
        run(self.tool("pg_ctl").args(["-m", "immediate", "-w", "stop"]));
    }

    /// Stops every process of the server where it stands: its connections stay open and silent.
    pub(crate) fn freeze(&self, frozen: bool) {
        let pid = std::fs::read_to_string(self.path().join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap();
        let signal = if frozen { "-STOP" } else { "-CONT" };
        run(Command::new("kill").args([signal, pid]));
        run(Command::new("pkill").args([signal, "-P", pid]));
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// One of PostgreSQL's programs, as a user it accepts: it refuses root.
    fn tool(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.path()).env("PGDATA", self.path().join("data"));
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.freeze(false);
        let _ = self.tool("pg_ctl").args(["-m", "immediate", "stop"]).output();
    }
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

fn run(command: &mut Command) {
    // pg_ctl's server inherits its output; only a file or nothing may be inherited for ever.
    let status =
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}
