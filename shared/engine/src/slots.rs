//! How many runs of one job are carried out at a time, over all processes.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{Instant, Job, JobId, Run, RunId, RunStatus};

use crate::aftermath::{LONGEST_QUEUE, Turn};
use crate::error::StoreError;
use crate::ports::Store;

/// The part of a store that counts. A slot is held by a run for as long as it has the lease it took the slot under: nobody
/// needs to give one back, and a worker that disappears holds its slots no longer than its leases.
#[async_trait]
pub trait Slots: Send + Sync {
    /// The runs of a job that hold a slot.
    async fn slots(&self, job: JobId) -> Result<Vec<RunId>, StoreError>;

    /// Takes a slot for `run`, as it is leased, unless `limit` other runs of its job hold one. False also where the job is
    /// gone.
    async fn take_slot(&self, run: &Run, limit: u32) -> Result<bool, StoreError>;
}

/// How often a run that waits for a slot looks for itself, for each one before it; whoever ends one wakes the next.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// Whether `run`, which is leased and would otherwise start, has one of its job's `limit` slots. Those before it have
/// the first claim to what is free.
pub(crate) async fn turn(
    store: &dyn Store,
    run: &Run,
    job: &Job,
    limit: u32,
    now: Instant,
) -> Result<Turn, StoreError> {
    let unfinished = store.unfinished_runs(job.id, LONGEST_QUEUE).await?;
    let holders: BTreeSet<RunId> = store.slots(job.id).await?.into_iter().collect();
    let before =
        |other: &&Run| other.rank() < run.rank() && !holders.contains(&other.id) && wants_slot(other);
    let before = i32::try_from(unfinished.iter().filter(before).count()).unwrap_or(i32::MAX);
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    // Never more than the limit, whatever happens between looking and taking; only the order may suffer.
    let free = u32::try_from(limit.saturating_sub(before)).unwrap_or(0);
    if free > 0 && store.take_slot(run, free).await? {
        return Ok(Turn::Now);
    }
    Ok(Turn::Later(now + LOOK_AGAIN * before.saturating_add(1)))
}

/// Whether an unfinished run without a slot waits for one. One that waits for its next attempt does not yet.
fn wants_slot(run: &Run) -> bool {
    run.attempts.is_empty() || run.status == RunStatus::Running
}
