//! Fresh databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::JobId;
use sql::{PostgresStore, SqliteStore};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor};
use testkit::{Backdoor, Fixture};

/// A migrated file in a folder of its own.
pub(crate) async fn sqlite() -> Option<Fixture> {
    let SqliteFile { store, raw, folder } = SqliteFile::new().await;
    let backdoor = Arc::new(SqliteBackdoor(raw));
    let store = Arc::new(store);
    Some(Fixture {
        store: store.clone(),
        calendars: store.clone(),
        insights: store.clone(),
        idempotency: store.clone(),
        logs: store.clone(),
        records: store.clone(),
        reports: store.clone(),
        events: Some(store),
        backdoor,
        guard: Box::new(folder),
    })
}

/// A migrated database of its own on the server at `TEST_DATABASE_URL`.
pub(crate) async fn postgres() -> Option<Fixture> {
    let PgDatabase { store, raw, guard } = PgDatabase::new().await?;
    let backdoor = Arc::new(PgBackdoor(raw));
    let store = Arc::new(store);
    Some(Fixture {
        store: store.clone(),
        calendars: store.clone(),
        insights: store.clone(),
        idempotency: store.clone(),
        logs: store.clone(),
        records: store.clone(),
        reports: store.clone(),
        events: Some(store),
        backdoor,
        guard: Box::new(guard),
    })
}

pub(crate) struct SqliteFile {
    pub(crate) store: SqliteStore,
    /// Another connection, for looking behind the store.
    pub(crate) raw: SqlitePool,
    pub(crate) folder: tempfile::TempDir,
}

impl SqliteFile {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("not/there/yet/scheduler.db");
        let store = SqliteStore::open(&format!("sqlite:{}", file.display())).await.unwrap();
        store.migrate().await.unwrap();
        let options = SqliteConnectOptions::new().filename(file);
        let raw = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        Self { store, raw, folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("not/there/yet/scheduler.db").display())
    }
}

pub(crate) struct PgDatabase {
    pub(crate) store: PostgresStore,
    /// Other connections, for looking behind the store.
    pub(crate) raw: PgPool,
    pub(crate) guard: PgGuard,
}

impl PgDatabase {
    pub(crate) async fn new() -> Option<Self> {
        let database = Self::empty().await?;
        database.store.migrate().await.unwrap();
        Some(database)
    }

    pub(crate) async fn empty() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server: PgConnectOptions = server_url()?.parse().unwrap();
        let name = format!("sql_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect_with(&server).await.unwrap();
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        connection.execute(AssertSqlSafe(create)).await.unwrap();
        let options = server.clone().database(&name);
        let raw = PgPoolOptions::new().max_connections(3).connect_lazy_with(options.clone());
        let store = PostgresStore::connect_with(options.clone());
        Some(Self { store, raw, guard: PgGuard { server, options, name } })
    }
}

/// Drops the database with itself.
pub(crate) struct PgGuard {
    server: PgConnectOptions,
    /// How to connect to the database.
    pub(crate) options: PgConnectOptions,
    name: String,
}

impl Drop for PgGuard {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // Nothing can be awaited here, and the test's runtime may be going away.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect_with(&server).await?;
                connection.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await
            })
        });
        if !std::thread::panicking() {
            dropped.join().unwrap().unwrap();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "where the server is, only the environment can tell")]
fn server_url() -> Option<String> {
    static SAID: std::sync::Once = std::sync::Once::new();
    let url = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let ci = std::env::var("CI").is_ok_and(|ci| !ci.is_empty());
        assert!(!ci, "TEST_DATABASE_URL is not set: no PostgreSQL to test on");
        SAID.call_once(|| {
            eprintln!("SKIPPED: everything about PostgreSQL, for TEST_DATABASE_URL is not set");
        });
    }
    url
}

const CORRUPT_CALENDAR: &str = "UPDATE calendars SET document = '{\"v\":1}', version = version + 1
WHERE project = $1 AND name = $2";

struct SqliteBackdoor(SqlitePool);

#[async_trait]
impl Backdoor for SqliteBackdoor {
    async fn corrupt(&self, job: JobId) {
        let corrupt = "UPDATE jobs SET document = '{\"v\":1}' WHERE id = $1";
        sqlx::query(corrupt).bind(job.0).execute(&self.0).await.unwrap();
        let touch = "UPDATE job_state SET version = version + 1 WHERE job_id = $1";
        sqlx::query(touch).bind(job.0).execute(&self.0).await.unwrap();
    }

    async fn corrupt_calendar(&self, project: &str, name: &str) {
        sqlx::query(CORRUPT_CALENDAR).bind(project).bind(name).execute(&self.0).await.unwrap();
    }

    async fn reset(&self) {
        for table in [
            "slots",
            "job_state",
            "jobs",
            "runs",
            "run_logs",
            "run_reports",
            "calendars",
            "backfills",
            "backfill_runs",
            "chores",
            "idempotency_keys",
            "records",
        ] {
            self.0.execute(AssertSqlSafe(format!("DELETE FROM {table}"))).await.unwrap();
        }
    }
}

struct PgBackdoor(PgPool);

#[async_trait]
impl Backdoor for PgBackdoor {
    async fn corrupt(&self, job: JobId) {
        let corrupt = "UPDATE jobs SET document = '{\"v\":1}' WHERE id = $1";
        sqlx::query(corrupt).bind(job.0).execute(&self.0).await.unwrap();
        let touch = "UPDATE job_state SET version = version + 1 WHERE job_id = $1";
        sqlx::query(touch).bind(job.0).execute(&self.0).await.unwrap();
    }

    async fn corrupt_calendar(&self, project: &str, name: &str) {
        sqlx::query(CORRUPT_CALENDAR).bind(project).bind(name).execute(&self.0).await.unwrap();
    }

    async fn reset(&self) {
        self.0
            .execute("TRUNCATE slots, job_state, jobs, runs, leases, run_logs, run_reports, calendars, backfills, backfill_runs, chores, idempotency_keys, records")
            .await
            .unwrap();
    }
}
