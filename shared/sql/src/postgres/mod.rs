//! The Store on PostgreSQL, for any number of processes.

mod alarm;
mod backfills;
mod calendars;
mod clock;
#[macro_use]
mod events;
mod firing;
mod idempotency;
mod insights;
mod jobs;
#[macro_use]
mod leases;
mod leasing;
mod listen;
mod listing;
mod logs;
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
    Bell, Clock, Counts, DueJob, JobKey, JobQuery, LeasedRun, Page, Renewal, RunQuery, Settled, Store,
    StoreError, StoredJob,
};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{Connection as _, PgConnection, Postgres};

pub use self::alarm::PostgresAlarm;
pub use self::clock::DatabaseClock;
use self::leases::Leases;
use crate::database::{ConnectError, Connections};
use crate::definitions::Definitions;
use crate::error::store_error;

/// Two claim while two complete; more gain nothing, one spare for renewals.
const HOT_CONNECTIONS: u32 = 5;
/// For requests.
const CONNECTIONS: u32 = 10;
/// How long a caller waits for a connection before the store counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the server's own limit for a statement, so that this one strikes only where the server is silent.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);
/// A connection that has not been used for so long is tried before it is handed out: the server may have gone
/// since, and the caller should not be the one to find out.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Jobs and runs in a PostgreSQL database. Cheap to clone: all clones share their connections.
#[derive(Clone)]
pub struct PostgresStore {
    /// For firing, leasing and settling: statements whose plans must not depend on statistics.
    hot: PgPool,
    /// For everything else.
    pool: PgPool,
    options: PgConnectOptions,
    definitions: Arc<Definitions>,
    leases: Arc<Leases>,
    /// Rung when something was told.
    told: Bell,
}

impl std::fmt::Debug for PostgresStore {
    /// Nothing of the connection's options: they hold the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Prepares to connect. Connections are made when they are needed, so the server need not be up yet.
    pub fn connect(url: &str) -> Result<Self, ConnectError> {
        PgConnectOptions::from_str(url).map(Self::connect_with).map_err(ConnectError::Url)
    }

    /// The same, from options instead of a URL.
    pub fn connect_with(options: PgConnectOptions) -> Self {
        let options = options.application_name("scheduler").options([
            // Nothing here takes seconds; what does is stuck, and must not hold locks for ever.
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("jit", "off"),
        ]);
        // The planner must not turn to scanning whole tables once most of a table is due, nor keep a plan it
        // made while the table was empty: both cost a factor of 6 to 15.
        let pinned = options.clone().options([
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_seqscan", "off"),
        ]);
        Self {
            hot: pool_options(HOT_CONNECTIONS).connect_lazy_with(pinned),
            pool: pool_options(CONNECTIONS).connect_lazy_with(options.clone()),
            options,
            definitions: Arc::default(),
            leases: Arc::default(),
            told: Bell::default(),
        }
    }

    /// Waits for the answer to what tells something, and wakes those who follow it.
    async fn told<T>(&self, answer: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
        let answer = answered(answer).await?;
        self.told.ring();
        Ok(answer)
    }

    /// The database's clock, read once already.
    pub async fn clock(&self) -> Result<DatabaseClock, StoreError> {
        DatabaseClock::start(self.pool.clone()).await.map_err(store_error)
    }

    /// Wakes the loops of all processes when something becomes due sooner than `poll_floor`, within which they
    /// look anyway.
    pub fn alarm(&self, clock: Arc<dyn Clock>, poll_floor: Duration) -> PostgresAlarm {
        PostgresAlarm::start(self.pool.clone(), clock, poll_floor)
    }

    /// Calls `bell` whenever some process's [`PostgresAlarm`] rings, and whenever a ring may have been missed.
    /// Goes on until the task is aborted.
    pub fn listen(&self, bell: impl FnMut() + Send + 'static) -> tokio::task::JoinHandle<()> {
        tokio::spawn(listen::listen(self.options.clone(), bell))
    }

    /// How many connections there are at the moment.
    pub fn connections(&self) -> Connections {
        Connections::of([&self.hot, &self.pool])
    }

    /// Closes all connections, after what is under way on them.
    pub async fn close(&self) {
        self.hot.close().await;
        self.pool.close().await;
    }
}

fn pool_options(connections: u32) -> PoolOptions<Postgres> {
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(Duration::from_mins(5))
        .max_lifetime(Duration::from_mins(30))
        .test_before_acquire(false)
        .before_acquire(|connection: &mut PgConnection, used| {
            Box::pin(async move {
                if TRUSTED_FOR < used.idle_for {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// PostgreSQL's texts hold every character but this one: nothing of such a name is stored, and asking the server
/// for it is an error.
fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

/// Waits for the server's answer, but not for ever: one that hangs without closing its connections would hold
/// the caller until the network gives up, which takes minutes.
async fn answered<T>(answer: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(store_error),
        Err(late) => Err(StoreError::Unavailable(Box::new(late))),
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn insert_job(&self, job: &Job) -> Result<(), StoreError> {
        self.told(jobs::insert(&self.pool, job)).await
    }

    async fn job(&self, project: &str, key: &JobKey) -> Result<Option<StoredJob>, StoreError> {
        answered(jobs::find(&self.pool, project, key)).await
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Page<StoredJob>, StoreError> {
        answered(listing::jobs(&self.pool, query)).await
    }

    async fn replace_job(&self, job: &Job, expected: Expected, runs: &[Run]) -> Result<bool, StoreError> {
        self.told(jobs::replace(&self.pool, job, expected, runs)).await
    }

    async fn delete_job(
        &self,
        project: &str,
        id: JobId,
        expected: u64,
        now: Instant,
    ) -> Result<bool, StoreError> {
        self.told(jobs::delete(&self.pool, project, id, expected, now)).await
    }

    async fn fire_due(
        &self,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Result<Vec<Firing>, StoreError> {
        self.told(firing::fire_due(&self.hot, &self.definitions, &self.leases, now, limit, decide)).await
    }

    async fn next_due(&self) -> Result<Option<Instant>, StoreError> {
        answered(firing::next_due(&self.hot)).await
    }

    async fn count_due(&self, from: Instant, until: Instant, limit: u32) -> Result<u64, StoreError> {
        answered(listing::count_due(&self.pool, from, until, limit)).await
    }

    async fn insert_run(&self, run: &Run) -> Result<bool, StoreError> {
        self.told(runs::insert(&self.pool, run)).await
    }

    async fn lease_runs(
        &self,
        now: Instant,
        lease: &Lease,
        limit: u32,
    ) -> Result<Vec<LeasedRun>, StoreError> {
        self.told(leasing::lease(&self.hot, &self.definitions, now, lease, limit)).await
    }

    async fn renew(&self, held: &[(RunId, u64)], until: Instant) -> Result<Vec<Renewal>, StoreError> {
        answered(leasing::renew(&self.hot, &self.leases, held, until)).await
    }

    async fn commit_settled(&self, settled: &[Settled]) -> Result<Vec<bool>, StoreError> {
        self.told(leasing::commit(&self.hot, &self.leases, settled)).await
    }

    async fn request_cancel(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError> {
        self.told(runs::request_cancel(&self.pool, project, id)).await
    }

    async fn reopen_run(&self, run: &Run) -> Result<bool, StoreError> {
        self.told(runs::reopen(&self.pool, run)).await
    }

    async fn run(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError> {
        answered(runs::find(&self.pool, project, id)).await
    }

    async fn runs(&self, query: &RunQuery) -> Result<Page<Run>, StoreError> {
        answered(listing::runs(&self.pool, query)).await
    }

    async fn unfinished_runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>, StoreError> {
        answered(runs::unfinished(&self.pool, job, limit)).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        answered(listing::counts(&self.pool)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.check_schema().await
    }
}
