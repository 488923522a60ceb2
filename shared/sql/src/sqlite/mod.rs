//! The Store in an SQLite file, for one machine.
//!
//! There is one connection that writes: SQLite lets no second one in anyway, and a queue in this process is fair
//! and cheap where retries against a lock are neither. Other processes on the same file (the command line, a
//! second server) wait for their turn with `BEGIN IMMEDIATE`.

mod backfills;
mod batch;
mod calendars;
mod events;
mod firing;
mod idempotency;
mod insights;
mod jobs;
mod leasing;
mod listing;
mod logs;
#[cfg(test)]
mod plans;
mod purge;
mod records;
mod reports;
mod rows;
mod runs;
mod schema;
mod slots;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::run::Lease;
use domain::{Firing, Instant, Job, JobId, Run, RunId};
use engine::ports::Expected;
use engine::{
    Bell, Counts, DueJob, JobKey, JobQuery, LeasedRun, Page, Renewal, RunQuery, Settled, Store, StoreError,
    StoredJob,
};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
use tokio::time::Instant as Monotonic;

use crate::database::{ConnectError, Connections};
use crate::definitions::Definitions;
use crate::error::store_error;

const READERS: u32 = 4;
/// How long to wait: for a connection, for another process's lock.
const PATIENCE: Duration = Duration::from_secs(5);
const MEMORY: &str = ":memory:";

/// Jobs and runs in an SQLite file. Cheap to clone: all clones share their connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    definitions: Arc<Definitions>,
    /// Rung when something was told.
    told: Bell,
}

impl SqliteStore {
    /// Opens the file, and creates it and its folder where they do not exist.
    pub async fn open(url: &str) -> Result<Self, ConnectError> {
        let options = SqliteConnectOptions::from_str(url).map_err(ConnectError::Url)?;
        if let Some(folder) = options.get_filename().parent().filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(ConnectError::Folder)?;
        }
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL this loses no consistency, and after a power cut at most the last moments.
            .synchronous(SqliteSynchronous::Normal)
            // The default cache of 2 MB does not hold the indexes of 100 000 jobs. It fills only as it is needed.
            .pragma("cache_size", "-32000")
            .pragma("mmap_size", "268435456")
            // In pages: hot ones are copied back into the file once in 16 MB of writing instead of four times.
            .pragma("wal_autocheckpoint", "4000")
            .busy_timeout(PATIENCE)
            .foreign_keys(true);
        let writer = open_patiently(&options).await.map_err(ConnectError::Open)?;
        let in_memory = url.contains(MEMORY) || url.contains("mode=memory");
        let readers = if in_memory {
            // Another connection would wait for the writer's locks on shared tables; it may as well be the same.
            writer.clone()
        } else {
            pool_options(READERS).connect_lazy_with(options.pragma("query_only", "on"))
        };
        Ok(Self { writer, readers, definitions: Arc::default(), told: Bell::default() })
    }

    /// How many connections there are at the moment.
    pub fn connections(&self) -> Connections {
        Connections::of([&self.readers, &self.writer])
    }

    /// Closes all connections, after what is under way on them.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Commits what has told something, and wakes those who follow it.
    async fn commit(&self, transaction: Transaction<'static, Sqlite>) -> sqlx::Result<()> {
        transaction.commit().await?;
        self.told.ring();
        Ok(())
    }

    async fn begin(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }
}

fn pool_options(connections: u32) -> SqlitePoolOptions {
    // A connection to a file does not break, and a database in memory ends with its last one.
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Two processes that open a new file at once both switch it to WAL, and the busy timeout does not cover that.
async fn open_patiently(options: &SqliteConnectOptions) -> sqlx::Result<SqlitePool> {
    let give_up = Monotonic::now() + PATIENCE;
    loop {
        match pool_options(1).connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && Monotonic::now() < give_up => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            opened => return opened,
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == BUSY)
}

#[async_trait]
impl Store for SqliteStore {
    async fn insert_job(&self, job: &Job) -> Result<(), StoreError> {
        jobs::insert(self, job).await.map_err(store_error)
    }

    async fn job(&self, project: &str, key: &JobKey) -> Result<Option<StoredJob>, StoreError> {
        jobs::find(&self.readers, project, key).await.map_err(store_error)
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Page<StoredJob>, StoreError> {
        listing::jobs(&self.readers, query).await.map_err(store_error)
    }

    async fn replace_job(&self, job: &Job, expected: Expected, runs: &[Run]) -> Result<bool, StoreError> {
        jobs::replace(self, job, expected, runs).await.map_err(store_error)
    }

    async fn delete_job(
        &self,
        project: &str,
        id: JobId,
        expected: u64,
        now: Instant,
    ) -> Result<bool, StoreError> {
        jobs::delete(self, project, id, expected, now).await.map_err(store_error)
    }

    async fn fire_due(
        &self,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Result<Vec<Firing>, StoreError> {
        firing::fire_due(self, now, limit, decide).await.map_err(store_error)
    }

    async fn next_due(&self) -> Result<Option<Instant>, StoreError> {
        firing::next_due(&self.readers).await.map_err(store_error)
    }

    async fn count_due(&self, from: Instant, until: Instant, limit: u32) -> Result<u64, StoreError> {
        listing::count_due(&self.readers, from, until, limit).await.map_err(store_error)
    }

    async fn insert_run(&self, run: &Run) -> Result<bool, StoreError> {
        runs::insert(self, run).await.map_err(store_error)
    }

    async fn lease_runs(
        &self,
        now: Instant,
        lease: &Lease,
        limit: u32,
    ) -> Result<Vec<LeasedRun>, StoreError> {
        leasing::lease(self, now, lease, limit).await.map_err(store_error)
    }

    async fn renew(&self, held: &[(RunId, u64)], until: Instant) -> Result<Vec<Renewal>, StoreError> {
        leasing::renew(&self.writer, held, until).await.map_err(store_error)
    }

    async fn commit_settled(&self, settled: &[Settled]) -> Result<Vec<bool>, StoreError> {
        leasing::commit(self, settled).await.map_err(store_error)
    }

    async fn request_cancel(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError> {
        runs::request_cancel(self, project, id).await.map_err(store_error)
    }

    async fn reopen_run(&self, run: &Run) -> Result<bool, StoreError> {
        runs::reopen(self, run).await.map_err(store_error)
    }

    async fn run(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError> {
        runs::find(&self.readers, project, id).await.map_err(store_error)
    }

    async fn runs(&self, query: &RunQuery) -> Result<Page<Run>, StoreError> {
        listing::runs(&self.readers, query).await.map_err(store_error)
    }

    async fn unfinished_runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>, StoreError> {
        runs::unfinished(&self.readers, job, limit).await.map_err(store_error)
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        listing::counts(&self.readers).await.map_err(store_error)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.check_schema().await
    }
}
