//! One of the two databases, chosen by URL.

use std::sync::Arc;

use engine::{Calendars, Events, Idempotency, Insights, Records, Reports, RunLogs, Store, StoreError};

use crate::postgres::PostgresStore;
use crate::schema::Migration;
use crate::sqlite::SqliteStore;

/// The database the service keeps its jobs in.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub enum Database {
    /// Shared by any number of processes.
    Postgres(PostgresStore),
    /// A file, for one machine.
    Sqlite(SqliteStore),
}

/// Connections to a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Those that somebody works with.
    pub used: u64,
    /// Those that wait for somebody.
    pub idle: u64,
}

impl Connections {
    /// Of these pools together.
    pub(crate) fn of<'a, D: sqlx::Database>(pools: impl IntoIterator<Item = &'a sqlx::Pool<D>>) -> Self {
        pools.into_iter().fold(Self::default(), |sum, pool| {
            let (size, idle) = (u64::from(pool.size()), pool.num_idle() as u64);
            Self { used: sum.used + size.saturating_sub(idle), idle: sum.idle + idle }
        })
    }
}

/// Why a URL leads to no database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It names none.
    #[error("a database URL begins with sqlite: or postgres://")]
    Scheme,
    /// It cannot be understood.
    #[error("the database URL cannot be understood")]
    Url(#[source] sqlx::Error),
    /// The file's folder cannot be created.
    #[error("the folder of the database file cannot be created")]
    Folder(#[source] std::io::Error),
    /// The file cannot be opened.
    #[error("the database file cannot be opened")]
    Open(#[source] sqlx::Error),
}

impl Database {
    /// Opens `sqlite:path` (also `sqlite://path`, and `sqlite::memory:` for trying things out), or prepares to
    /// connect to `postgres://…` (or `postgresql://…`), which need not be up yet.
    ///
    /// Nothing is migrated: see [`Database::migrate`].
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let scheme = url.split_once(':').map(|(scheme, _)| scheme);
        match scheme {
            Some("postgres" | "postgresql") => PostgresStore::connect(url).map(Self::Postgres),
            Some("sqlite") => SqliteStore::open(url).await.map(Self::Sqlite),
            _ => Err(ConnectError::Scheme),
        }
    }

    /// How many connections there are at the moment.
    pub fn connections(&self) -> Connections {
        match self {
            Self::Postgres(store) => store.connections(),
            Self::Sqlite(store) => store.connections(),
        }
    }

    /// The port for jobs and runs.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// The port for calendars.
    pub fn calendars(&self) -> Arc<dyn Calendars> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// The port for overviews.
    pub fn insights(&self) -> Arc<dyn Insights> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// The port for answers to repeated requests.
    pub fn idempotency(&self) -> Arc<dyn Idempotency> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// The port for the logs of runs.
    pub fn run_logs(&self) -> Arc<dyn RunLogs> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// The port for small records.
    pub fn records(&self) -> Arc<dyn Records> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// The port for what targets report.
    pub fn reports(&self) -> Arc<dyn Reports> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// The port for what is told.
    pub fn events(&self) -> Arc<dyn Events> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// Brings the schema up to date; returns what was done. Safe to call from many processes at once.
    pub async fn migrate(&self) -> Result<Vec<Migration>, StoreError> {
        match self {
            Self::Postgres(store) => store.migrate().await,
            Self::Sqlite(store) => store.migrate().await,
        }
    }

    /// The program's migrations, and which of them the database has.
    pub async fn migrations(&self) -> Result<Vec<Migration>, StoreError> {
        match self {
            Self::Postgres(store) => store.migrations().await,
            Self::Sqlite(store) => store.migrations().await,
        }
    }

    /// Closes all connections, after what is under way on them.
    pub async fn close(&self) {
        match self {
            Self::Postgres(store) => store.close().await,
            Self::Sqlite(store) => store.close().await,
        }
    }
}
