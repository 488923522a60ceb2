//! A database for one bench and nothing else, beside the configured one.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use domain::Instant;
use engine::record::JobRecord;
use engine::{Clock, Entropy, Store};
use serde_json::Value;
use sql::Database;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor};
use uuid::Uuid;

use super::proc::postmaster_of;
use super::progress;
use crate::commands::config::without_password;
use crate::system::{OsEntropy, SystemClock};

pub(super) struct Scratch {
    url: String,
    database: Database,
    clock: Arc<dyn Clock>,
    home: Home,
}

enum Home {
    Postgres { server: Box<PgConnectOptions>, name: String, pool: PgPool, postmaster: Option<u32> },
    Sqlite { file: PathBuf, pool: SqlitePool },
}

impl Scratch {
    /// Makes an empty database of the kind `url` is of, with the schema of this program.
    pub(super) async fn create(url: &str, processes: usize) -> anyhow::Result<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "any 64 of the random bits will do")]
        let name = format!("scheduler_bench_{:016x}", OsEntropy.random() as u64);
        if url.starts_with("sqlite:") {
            ensure!(
                processes == 1,
                "--processes: SQLite serves one process; name a PostgreSQL in --database-url"
            );
            return Self::file(&name).await;
        }
        let server = PgConnectOptions::from_str(url)?;
        let place = without_password(url);
        let mut admin = PgConnection::connect_with(&server).await.with_context(|| place.clone())?;
        admin
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .with_context(|| format!("{place}: a bench needs a user who may create a database"))?;
        admin.close().await?;
        progress(format_args!("made the database {name} on {place}"));
        let made = Self::on_server(url, &name, &server).await;
        if made.is_err() {
            drop_database(&server, &name).await?;
        }
        made
    }

    async fn on_server(url: &str, name: &str, server: &PgConnectOptions) -> anyhow::Result<Self> {
        let url = format!("{url}{}dbname={name}", if url.contains('?') { '&' } else { '?' });
        let database = Database::connect(&url).await?;
        database.migrate().await?;
        let clock: Arc<dyn Clock> = match &database {
            Database::Postgres(store) => Arc::new(store.clock().await?),
            Database::Sqlite(_) => Arc::new(SystemClock),
        };
        let options = PgConnectOptions::from_str(&url)?;
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await?;
        let postmaster = u32::try_from(backend).ok().and_then(postmaster_of);
        let home =
            Home::Postgres { server: Box::new(server.clone()), name: name.to_owned(), pool, postmaster };
        Ok(Self { url, database, clock, home })
    }

    async fn file(name: &str) -> anyhow::Result<Self> {
        let file = std::env::temp_dir().join(format!("{name}.db"));
        progress(format_args!("made the file {}", file.display()));
        let url = format!("sqlite:{}", file.display());
        let database = Database::connect(&url).await?;
        database.migrate().await?;
        let options =
            SqliteConnectOptions::new().filename(&file).busy_timeout(std::time::Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Self { url, database, clock: Arc::new(SystemClock), home: Home::Sqlite { file, pool } })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.home {
            Home::Postgres { .. } => "postgres",
            Home::Sqlite { .. } => "sqlite",
        }
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.database.store()
    }

    /// The time by the clock that the workers go by.
    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// PostgreSQL's first process, where it runs on this machine.
    pub(super) fn postmaster(&self) -> Option<u32> {
        match self.home {
            Home::Postgres { postmaster, .. } => postmaster,
            Home::Sqlite { .. } => None,
        }
    }

    /// Bytes of log the server has written so far.
    pub(super) async fn wal_position(&self) -> anyhow::Result<Option<u64>> {
        let Home::Postgres { pool, .. } = &self.home else { return Ok(None) };
        let position: i64 = sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
            .fetch_one(pool)
            .await?;
        Ok(u64::try_from(position).ok())
    }

    /// Stores jobs, many per statement.
    pub(super) async fn insert(&self, records: Vec<JobRecord>) -> anyhow::Result<()> {
        match &self.home {
            Home::Postgres { pool, .. } => insert_postgres(pool, records).await?,
            Home::Sqlite { pool, .. } => insert_sqlite(pool, records).await?,
        }
        Ok(())
    }

    /// Leaves no work behind that the database would do while it is measured.
    pub(super) async fn tidy(&self) -> anyhow::Result<()> {
        match &self.home {
            Home::Postgres { pool, .. } => pool.execute("VACUUM ANALYZE").await.map(drop)?,
            Home::Sqlite { pool, .. } => {
                pool.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.map(drop)?;
            }
        }
        Ok(())
    }

    pub(super) async fn remove(self) -> anyhow::Result<()> {
        self.database.close().await;
        match self.home {
            Home::Postgres { server, name, pool, .. } => {
                pool.close().await;
                drop_database(&server, &name).await
            }
            Home::Sqlite { file, pool } => {
                pool.close().await;
                for end in ["", "-wal", "-shm"] {
                    let mut path = file.clone().into_os_string();
                    path.push(end);
                    let _ = std::fs::remove_file(path);
                }
                Ok(())
            }
        }
    }
}

async fn drop_database(server: &PgConnectOptions, name: &str) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect_with(server).await?;
    let dropped = admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await;
    dropped.with_context(|| format!("the database {name} is left over"))?;
    Ok(admin.close().await?)
}

async fn insert_postgres(pool: &PgPool, records: Vec<JobRecord>) -> sqlx::Result<()> {
    const INSERT: &str = "WITH n AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[],
        $7::smallint[], $8::timestamptz[]) AS n (id, project, name, document, at, version, state, next_fire_at)
), j AS (
    INSERT INTO jobs (id, project, name, name_lower, labels, document, created_at, updated_at)
    SELECT id, project, name, name, '{}', document::json, at, at FROM n
)
INSERT INTO job_state (job_id, version, state, next_fire_at) SELECT id, version, state, next_fire_at FROM n";
    let (mut ids, mut projects, mut names, mut documents) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut versions, mut states, mut next) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for record in records {
        ids.push(record.id);
        projects.push(record.project);
        names.push(record.name);
        documents.push(record.document);
        at.push(record.created_at);
        versions.push(record.version);
        states.push(record.state);
        next.push(record.next_fire_at);
    }
    let query = sqlx::query(INSERT).bind(ids).bind(projects).bind(names).bind(documents).bind(at);
    query.bind(versions).bind(states).bind(next).execute(pool).await?;
    Ok(())
}

async fn insert_sqlite(pool: &SqlitePool, records: Vec<JobRecord>) -> sqlx::Result<()> {
    const JOBS: &str =
        "INSERT INTO jobs (id, project, name, name_lower, labels, document, created_at, updated_at)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 2, '{}', value ->> 3, value ->> 4, value ->> 4
FROM json_each($1)";
    const STATES: &str = "INSERT INTO job_state (job_id, version, state, next_fire_at)
SELECT unhex(value ->> 0), value ->> 5, value ->> 6, value ->> 7 FROM json_each($1)";
    let hex = |id: Uuid| id.simple().to_string();
    let rows: Vec<Value> = records
        .into_iter()
        .map(|it| {
            let next = it.next_fire_at.map(|at| at.timestamp_millis());
            let at = it.created_at.timestamp_millis();
            serde_json::json!([hex(it.id), it.project, it.name, it.document, at, it.version, it.state, next])
        })
        .collect();
    let rows = Value::Array(rows).to_string();
    let mut tx = pool.begin().await?;
    for statement in [JOBS, STATES] {
        sqlx::query(statement).bind(&rows).execute(&mut *tx).await?;
    }
    tx.commit().await
}
