//! Backfills: the part of a store that keeps them, and the looks that carry them on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::settle::cancelled;
use domain::{Backfill, BackfillId, Instant, JobId, Reason, Run, RunStatus};

use crate::error::StoreError;
use crate::ports::{Settled, Store, StoredJob};
use crate::query::Page;

/// Keeps backfills. Every store does; it decides nothing here either.
#[async_trait]
pub trait Backfills: Send + Sync {
    /// Adds a backfill of a job that still exists. False where it does not.
    async fn insert_backfill(&self, backfill: &Backfill) -> Result<bool, StoreError>;

    /// Looks a backfill up.
    async fn backfill(&self, project: &str, id: BackfillId) -> Result<Option<Backfill>, StoreError>;

    /// Lists a job's backfills, newest first.
    async fn backfills(&self, query: &BackfillQuery) -> Result<Page<Backfill>, StoreError>;

    /// Up to `limit` backfills due at `now`, the longest due first.
    async fn due_backfills(&self, now: Instant, limit: u32) -> Result<Vec<Backfill>, StoreError>;

    /// Puts `backfill` in place of what there is where that has the version before, together with `runs`, which are its.
    /// False, and nothing is changed, otherwise. Runs that exist already are left as they are.
    async fn replace_backfill(&self, backfill: &Backfill, runs: &[Run]) -> Result<bool, StoreError>;

    /// How many of its runs there are by status; statuses without runs may be left out.
    async fn backfill_counts(&self, id: BackfillId) -> Result<Vec<(RunStatus, u64)>, StoreError>;
}

/// Which backfills.
#[derive(Clone, Debug)]
pub struct BackfillQuery {
    /// Whose.
    pub project: String,
    /// Of this job.
    pub job: JobId,
    /// The last of the page before.
    pub after: Option<BackfillId>,
    /// At most so many.
    pub limit: u32,
}

/// At most so many are looked at at a time.
const BATCH: u32 = 100;
/// Somebody else may look at the same backfill at the same time; more races mean that he does the work.
const MAX_RACES: u32 = 10;
/// More runs of a job than are ever unfinished by its backfills.
const MOST_UNFINISHED: u32 = 2_000;

/// Backfills whose runs have ended in this process, with their projects: the next look carries them on. What is lost with
/// a process is made good by the look that every backfill is due for in a few seconds.
#[derive(Clone, Default)]
pub(crate) struct Touched(Arc<Mutex<BTreeMap<BackfillId, String>>>);

impl Touched {
    /// Notes the backfill that `run`, which has ended, is part of; false where it is of none.
    pub(crate) fn add(&self, run: &Run) -> bool {
        let Some(backfill) = run.backfill() else { return false };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(backfill, run.project.clone());
        true
    }

    fn take(&self) -> BTreeMap<BackfillId, String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Carries on what is `touched`, and, where it is time to ask for it, what is due at `now`.
pub(crate) async fn look(
    store: &dyn Store,
    touched: &Touched,
    ask: bool,
    now: Instant,
) -> Result<(), StoreError> {
    let mut touched = touched.take();
    if ask {
        for backfill in store.due_backfills(now, BATCH).await? {
            touched.remove(&backfill.id);
            carry_on(store, backfill, now).await?;
        }
    }
    for (id, project) in touched {
        if let Some(backfill) = store.backfill(&project, id).await? {
            carry_on(store, backfill, now).await?;
        }
    }
    Ok(())
}

/// Creates the runs that there is room for, and ends the backfill after the last of them.
pub(crate) async fn carry_on(
    store: &dyn Store,
    mut backfill: Backfill,
    now: Instant,
) -> Result<Backfill, StoreError> {
    for _ in 0..MAX_RACES {
        let stored = store.job(&backfill.project, &backfill.job_id.into()).await?;
        let next = match stored {
            None => backfill.cancelled(Reason::Deleted, now).map(|next| (next, Vec::new())),
            Some(StoredJob { job: Err(_unreadable), .. }) => {
                backfill.postponed(now).map(|next| (next, Vec::new()))
            }
            Some(StoredJob { job: Ok(job), .. }) => {
                let unfinished = unfinished(store, &backfill).await?;
                backfill.advanced(&job, unfinished.len(), now)
            }
        };
        let Some((next, runs)) = next else { break };
        if store.replace_backfill(&next, &runs).await? {
            return Ok(next);
        }
        let Some(read) = store.backfill(&backfill.project, backfill.id).await? else { break };
        backfill = read;
    }
    Ok(backfill)
}

/// Cancels those of its runs that wait.
pub(crate) async fn cancel_waiting(
    store: &dyn Store,
    backfill: &Backfill,
    now: Instant,
) -> Result<(), StoreError> {
    let waiting =
        unfinished(store, backfill).await?.into_iter().filter(|run| run.status == RunStatus::Pending);
    let ended: Vec<_> = waiting
        .map(|run| Settled { token: run.token, run: cancelled(&run, Reason::Requested, now) })
        .collect();
    if !ended.is_empty() {
        store.commit_settled(&ended).await?;
    }
    Ok(())
}

async fn unfinished(store: &dyn Store, backfill: &Backfill) -> Result<Vec<Run>, StoreError> {
    let mut runs = store.unfinished_runs(backfill.job_id, MOST_UNFINISHED).await?;
    runs.retain(|run| run.backfill() == Some(backfill.id));
    Ok(runs)
}
