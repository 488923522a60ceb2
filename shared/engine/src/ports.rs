//! The only traits: what the engine needs of the world.

use std::sync::Arc;

use async_trait::async_trait;
use domain::run::Lease;
use domain::{
    Firing, HumanDuration, Instant, Job, JobId, JobState, Outcome, Run, RunId, RunKind, RunStatus, Target,
};
use tokio_util::sync::CancellationToken;

use crate::backfills::Backfills;
use crate::callbacks::RunToken;
use crate::error::StoreError;
use crate::logs::Journal;
use crate::query::{JobKey, JobQuery, Page, RunQuery};
use crate::retention::Purge;
use crate::slots::Slots;

/// Where jobs and runs are kept.
///
/// A store decides nothing. It compares and sets, it leases, it lists; what a due job becomes and what an
/// outcome means it is told. All stores pass `testkit::conformance`, which is the full contract.
///
/// Every `now` is the service's one idea of the time, see [`Clock`].
#[async_trait]
pub trait Store: Backfills + Purge + Slots + Send + Sync {
    /// Adds a job.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] where the project has a job of that name.
    async fn insert_job(&self, job: &Job) -> Result<(), StoreError>;

    /// Looks a job up.
    async fn job(&self, project: &str, key: &JobKey) -> Result<Option<StoredJob>, StoreError>;

    /// Lists jobs.
    async fn jobs(&self, query: &JobQuery) -> Result<Page<StoredJob>, StoreError>;

    /// Puts `job` in place of what was read as `expected`, together with `runs`, or does nothing at all.
    ///
    /// Compares version *and* next occurrence: a job that fired in between is read again by the caller, so no
    /// edit turns the clock back. Runs that exist already are left as they are.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] where another job of the project has the new name.
    async fn replace_job(&self, job: &Job, expected: Expected, runs: &[Run]) -> Result<bool, StoreError>;

    /// Removes a job whose version is `expected`. Its runs stay; those that wait become due at `now`, so that
    /// a worker closes them.
    async fn delete_job(
        &self,
        project: &str,
        id: JobId,
        expected: u64,
        now: Instant,
    ) -> Result<bool, StoreError>;

    /// Fires up to `limit` jobs due at `now`, the longest due first, all in one transaction.
    ///
    /// Takes each due job no other caller holds, asks `decide` what becomes of it, then advances the jobs and
    /// inserts the runs. `decide` is called under the store's locks: it must be quick and pure. Returns the
    /// firings with those of their runs that did not exist before.
    async fn fire_due(
        &self,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Result<Vec<Firing>, StoreError>;

    /// The earliest instant at which a job or a run is due, past ones included.
    async fn next_due(&self) -> Result<Option<Instant>, StoreError>;

    /// How many jobs of all projects are due next in `[from, until]`; counts no further than `limit`.
    async fn count_due(&self, from: Instant, until: Instant, limit: u32) -> Result<u64, StoreError>;

    /// Adds a run of a job that still exists. False where the run exists already or the job no longer does.
    async fn insert_run(&self, run: &Run) -> Result<bool, StoreError>;

    /// Leases up to `limit` runs due at `now`, the longest due first, each to one caller only.
    ///
    /// Waiting runs and runs whose lease ran out alike: [`LeasedRun::was`] tells which. Their token has grown.
    async fn lease_runs(&self, now: Instant, lease: &Lease, limit: u32)
    -> Result<Vec<LeasedRun>, StoreError>;

    /// Prolongs leases that are still held; answers in the order asked. None becomes shorter: a request that was long on
    /// its way may arrive after later ones.
    async fn renew(&self, held: &[(RunId, u64)], until: Instant) -> Result<Vec<Renewal>, StoreError>;

    /// Writes runs whose token is still the one leased and which are not finished; answers in the order given
    /// whether each was.
    async fn commit_settled(&self, settled: &[Settled]) -> Result<Vec<bool>, StoreError>;

    /// Marks an unfinished run as to be cancelled, and returns it as it then is. `None` where there is no
    /// unfinished run of that id.
    async fn request_cancel(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError>;

    /// Makes a finished run wait again, as `run` says, if its token is still `run.token`. The token grows,
    /// so that a write of its first life that is still under way comes too late; a cancel request is forgotten. False where it is not finished or has changed.
    async fn reopen_run(&self, run: &Run) -> Result<bool, StoreError>;

    /// Looks a run up.
    async fn run(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError>;

    /// Lists runs.
    async fn runs(&self, query: &RunQuery) -> Result<Page<Run>, StoreError>;

    /// Up to `limit` of a job's runs that are not finished, the oldest nominal time first.
    async fn unfinished_runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>, StoreError>;

    /// How much there is, for gauges.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Whether the store answers and its schema is the one this program needs.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// A job as it was read: what must still be true when it is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its version.
    pub version: u64,
    /// Its next occurrence.
    pub next_fire_at: Option<Instant>,
}

/// A job as it is kept, with its latest finished run.
#[derive(Clone, Debug)]
pub struct StoredJob {
    /// The job, or what is left of one that cannot be read.
    pub job: Result<Job, InvalidJob>,
    /// The finished run of the newest nominal time.
    pub last_run: Option<LastRun>,
}

/// What is known of a job whose stored document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidJob {
    /// Its id.
    pub id: JobId,
    /// The project it belongs to.
    pub project: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// Its next occurrence, while nobody has noticed yet.
    pub next_fire_at: Option<Instant>,
    /// How many runs of its schedule have been started.
    pub runs_started: u64,
    /// When it was stored first.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// What is wrong with the document.
    pub error: String,
}

/// The gist of a job's latest finished run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// Its id.
    pub id: RunId,
    /// How it ended.
    pub status: RunStatus,
    /// When it ended.
    pub finished_at: Instant,
}

/// A due job, as [`Store::fire_due`] hands it to its decider.
#[derive(Clone, Debug)]
pub struct DueJob {
    /// Its id.
    pub id: JobId,
    /// The occurrence it is due for.
    pub next_fire_at: Instant,
    /// Its definition; `None` where the stored document cannot be read. State and next occurrence in it may be
    /// older than the ones here: definitions are cached by version.
    pub job: Option<Arc<Job>>,
    /// How many of its runs are not finished, apart from those of backfills.
    pub active: u64,
    /// How many runs of its schedule have been started so far; [`Firing::started`] are added as it is advanced.
    pub runs_started: u64,
}

/// A run that has just been leased.
#[derive(Clone, Debug)]
pub struct LeasedRun {
    /// The run, leased.
    pub run: Run,
    /// Its status before: `Running` means that another worker let its lease run out.
    pub was: RunStatus,
    /// Its job's definition; `None` where the job was deleted or cannot be read.
    pub job: Option<Arc<Job>>,
}

/// A run's next state, with the token that gives the right to write it.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The run as it will be.
    pub run: Run,
    /// The token it was leased with.
    pub token: u64,
}

/// What became of a lease that was to be prolonged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It is ours still.
    Kept,
    /// It is ours still, and the run is to be cancelled.
    CancelRequested,
    /// Somebody else has taken the run over, or it is finished.
    Lost,
}

/// How much a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs by state; states without jobs may be left out.
    pub jobs: Vec<(JobState, u64)>,
    /// Runs waiting or running, by status.
    pub runs: Vec<(RunStatus, u64)>,
}

/// The service's one idea of the time, in whole milliseconds.
///
/// With a shared database this is the *database's* time, so that replicas whose clocks differ agree on what is due
/// and whose lease has run out.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Instant;
}

/// Sees to it that somebody looks when a job becomes due.
///
/// Locally this wakes the tick loops; on AWS it sets one EventBridge schedule per job. It is called after the
/// store has committed, and losing it costs punctuality, never an occurrence: loops poll, sweeps repair.
#[async_trait]
pub trait Alarm: Send + Sync {
    /// Something of `job` is due at `at`; `None` means nothing is any more.
    async fn arm(&self, job: JobId, at: Option<Instant>);
}

/// Randomness.
pub trait Entropy: Send + Sync {
    /// 128 random bits.
    fn random(&self) -> u128;
}

/// Calls targets.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Carries out one attempt. Ends early, with what it has, when `cancel` fires.
    async fn execute(&self, call: &Call, cancel: CancellationToken) -> Outcome;

    /// Whether attempts at `target` end as soon as they begin, waiting for nothing. Such attempts take no part in
    /// the limit of concurrency, and many of them share a task.
    fn ends_at_once(&self, target: &Target) -> bool {
        let _ = target;
        false
    }
}

/// One attempt to be made.
#[derive(Clone, Debug)]
pub struct Call {
    /// The run, the same for all of its attempts.
    pub run_id: RunId,
    /// Its job.
    pub job_id: JobId,
    /// Its job's name.
    pub job_name: String,
    /// The nominal time.
    pub scheduled_for: Instant,
    /// What made the run.
    pub kind: RunKind,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// What to call.
    pub target: Target,
    /// How long the attempt may take.
    pub timeout: HumanDuration,
    /// What the target writes while it works goes here.
    pub journal: Journal,
    /// What the target reports with, if it may.
    pub token: Option<RunToken>,
}
