//! The oracle: jobs, runs and calendars in maps under one mutex, in the plainest way that keeps the contract.
//!
//! Nothing here is fast. Where the port leaves a choice (ties), ids decide.

mod backfills;
mod calendars;
mod events;
mod faults;
mod insights;
mod keys;
mod listing;
mod logs;
mod purge;
mod records;
mod reports;
mod slots;
mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{Backfill, BackfillId, Instant, Job, JobId, Run, RunId};
use engine::{Bell, InvalidJob, Record, RecordKind, Reported, StoreError};

pub use self::faults::Fault;
use self::faults::{Plan, Torn};
use crate::conformance::{Backdoor, Fixture};

/// A store in memory, and the measure of all others. Clones share what they hold.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    faults: Arc<Mutex<Plan>>,
    /// Rung when something was told.
    bell: Bell,
}

#[derive(Clone, Default)]
struct State {
    jobs: BTreeMap<JobId, Row>,
    runs: BTreeMap<RunId, Run>,
    backfills: BTreeMap<BackfillId, Backfill>,
    next_purge: Option<Instant>,
    /// Which runs have taken a slot, with which token.
    slots: BTreeMap<RunId, u64>,
    keys: BTreeMap<(String, String), keys::Reserved>,
    calendars: BTreeMap<(String, String), calendars::Row>,
    logs: BTreeMap<RunId, Vec<logs::Chunk>>,
    records: BTreeMap<(RecordKind, String), Record>,
    reports: BTreeMap<(RunId, u64), Reported>,
    secret: Option<[u8; 32]>,
    told: events::Told,
}

/// A stored job.
#[derive(Clone)]
struct Row {
    /// Its columns, and its document while that can be read.
    job: Arc<Job>,
    corrupt: bool,
}

impl Row {
    fn readable(&self) -> Option<Arc<Job>> {
        (!self.corrupt).then(|| self.job.clone())
    }

    #[expect(clippy::result_large_err, reason = "the form `StoredJob` has")]
    fn read(&self) -> Result<Job, InvalidJob> {
        let job = &self.job;
        if !self.corrupt {
            return Ok(Job::clone(job));
        }
        Err(InvalidJob {
            id: job.id,
            project: job.project.clone(),
            name: job.draft.name.clone(),
            version: job.version,
            next_fire_at: job.next_fire_at,
            runs_started: job.runs_started,
            created_at: job.created_at,
            updated_at: job.updated_at,
            error: "the document was overwritten by a test".to_owned(),
        })
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store, ready for [`crate::conformance!`].
    pub fn fixture() -> Fixture {
        Self::fixture_of(&Self::new())
    }

    /// The same store as a fixture.
    pub fn fixture_of(store: &Self) -> Fixture {
        let store = Arc::new(store.clone());
        Fixture {
            store: store.clone(),
            calendars: store.clone(),
            insights: store.clone(),
            idempotency: store.clone(),
            logs: store.clone(),
            records: store.clone(),
            reports: store.clone(),
            events: Some(store.clone()),
            backdoor: store,
            guard: Box::new(()),
        }
    }

    /// From now on asks `plan`, at every call of a port, what is to go wrong with it. It is given the name of the
    /// method and how many calls there were before, so it may follow a script or draw from a seed.
    pub fn fail_by(&self, plan: impl FnMut(&'static str, u64) -> Fault + Send + 'static) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = Plan::new(plan);
    }

    /// Lets every call succeed again.
    pub fn heal(&self) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = Plan::default();
    }

    /// Overwrites the job's document with something that is no job; its version grows.
    pub fn corrupt(&self, job: JobId) {
        if let Some(row) = self.lock().jobs.get_mut(&job) {
            row.corrupt = true;
            Arc::make_mut(&mut row.job).version += 1;
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    /// Every run there is, in the order of their ids: what a judge reads after a simulation.
    pub fn all_runs(&self) -> Vec<Run> {
        self.lock().runs.values().cloned().collect()
    }

    /// The job's columns, and its document as it last could be read.
    pub fn peek(&self, job: JobId) -> Option<Job> {
        self.lock().jobs.get(&job).map(|row| Job::clone(&row.job))
    }

    /// The run as it is kept.
    pub fn peek_run(&self, run: RunId) -> Option<Run> {
        self.lock().runs.get(&run).cloned()
    }

    /// Whether this key has an answer.
    pub fn is_answered(&self, project: &str, key: &str) -> bool {
        self.lock().keys.get(&(project.to_owned(), key.to_owned())).is_some_and(keys::Reserved::is_answered)
    }

    /// The earliest instant after `now` at which a job or a run becomes due.
    pub fn next_due_after(&self, now: Instant) -> Option<Instant> {
        let state = self.lock();
        let jobs = state.jobs.values().filter_map(|row| row.job.next_fire_at);
        jobs.chain(state.runs.values().filter_map(|run| run.due_at)).filter(|at| *at > now).min()
    }

    /// What a look at `now` would find due, the longest due first: jobs with their next occurrence.
    pub fn due_jobs(&self, now: Instant) -> Vec<(Instant, JobId)> {
        self.lock().due_jobs(now)
    }

    /// What a look at `now` would find due, the longest due first: unfinished runs.
    pub fn due_runs(&self, now: Instant) -> Vec<(Instant, RunId)> {
        self.lock().due_runs(now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked inside a decider has left the maps as they were: effects are written at the end.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out one call of a port, with the fault that is planned for it.
    ///
    /// It yields before and after, so that on one thread, too, calls of different tasks interleave.
    async fn perform<T>(
        &self,
        call: &'static str,
        effect: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        tokio::task::yield_now().await;
        let told = self.lock().told.last();
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).next(call);
        let done = match fault {
            Fault::Before => Err(Torn::before(call)),
            Fault::Undone => {
                let mut copy = self.lock().clone();
                let _ = effect(&mut copy);
                Err(Torn::undone(call))
            }
            Fault::After => {
                let _ = effect(&mut self.lock());
                Err(Torn::after(call))
            }
            Fault::None => effect(&mut self.lock()),
        };
        if self.lock().told.last() != told {
            self.bell.ring();
        }
        tokio::task::yield_now().await;
        done
    }
}

impl State {
    fn due_jobs(&self, now: Instant) -> Vec<(Instant, JobId)> {
        let due = self.jobs.values().filter_map(|row| Some((row.job.next_fire_at?, row.job.id)));
        sorted(due.filter(|(at, _)| *at <= now))
    }

    fn due_runs(&self, now: Instant) -> Vec<(Instant, RunId)> {
        let due = self.runs.values().filter_map(|run| Some((run.due_at?, run.id)));
        sorted(due.filter(|(at, _)| *at <= now))
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

#[async_trait]
impl Backdoor for MemoryStore {
    async fn corrupt(&self, job: JobId) {
        Self::corrupt(self, job);
    }

    async fn corrupt_calendar(&self, project: &str, name: &str) {
        Self::corrupt_calendar(self, project, name);
    }

    async fn reset(&self) {
        self.clear();
    }
}
