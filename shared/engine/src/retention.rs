//! Removing the records of runs that ended long ago: by age, and by number for each job.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{HumanDuration, Instant, JobId, RunId};
use metrics::counter;
use tokio::time::sleep;

use crate::error::StoreError;
use crate::ports::{Clock, Entropy, Store};

/// The part of a store that forgets. No call removes a run that is not finished, nor the finished run of the newest
/// nominal time of a job that exists. Every call may be repeated.
#[async_trait]
pub trait Purge: Send + Sync {
    /// Takes on the next round, which is due at `now`, and puts the one after it off to `next`. True for one caller only.
    async fn claim_purge(&self, now: Instant, next: Instant) -> Result<bool, StoreError>;

    /// Looks at the `limit` runs after `after`, in the order of their ids, whose nominal time is before `before`, and
    /// removes those that ended before `before`.
    async fn purge_old(
        &self,
        before: Instant,
        after: Option<RunId>,
        limit: u32,
    ) -> Result<Purged<RunId>, StoreError>;

    /// Looks at the `limit` jobs after `after`, in the order of their ids, and removes of each up to a thousand finished
    /// runs beyond the newest `keep` (at least one), the oldest first, as far as they ended before `before`.
    async fn purge_excess(
        &self,
        keep: u32,
        before: Instant,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Purged<JobId>, StoreError>;

    /// Removes up to `limit` backfills that were asked for before `before` and have ended. Their runs go by themselves.
    async fn purge_backfills(&self, before: Instant, limit: u32) -> Result<u64, StoreError>;

    /// Removes up to `limit` of the oldest events, as far as they were told before `before`, but never the last one:
    /// who reads on from where he stopped finds it there. A store that tells nothing has nothing to remove.
    async fn purge_events(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        let _ = (before, limit);
        Ok(0)
    }
}

/// What a look has removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged<K> {
    /// So many runs.
    pub removed: u64,
    /// The last key looked at: where the next look goes on. `None` where there is nothing after it.
    pub next: Option<K>,
}

impl<K: Copy> Purged<K> {
    /// After a look at `keys` for up to `limit` of them.
    pub fn of(removed: u64, keys: &[K], limit: u32) -> Self {
        let full = keys.len() >= limit as usize;
        Self { removed, next: keys.last().copied().filter(|_| full) }
    }
}

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Runs that ended no longer ago than this; `None` for all.
    pub age: Option<HumanDuration>,
    /// So many finished runs of each job; `None` for all.
    pub runs: Option<u32>,
}

/// How often one of all processes makes a round.
const ROUND: TimeDelta = TimeDelta::hours(1);
/// At most so many runs or jobs are looked at in one call, which bounds how long it holds locks.
const BATCH: u32 = 1_000;
/// Between two calls: the database has better things to do.
const PAUSE: Duration = Duration::from_millis(50);
/// A run is kept at least so long, however many there are: somebody may be about to look at it.
const LEAST: TimeDelta = TimeDelta::hours(1);
/// How long it can be read what was told.
const TOLD: TimeDelta = TimeDelta::hours(1);

/// Makes rounds for ever. Any number of processes may: each round is made by one of them.
pub async fn run(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    retention: Retention,
) {
    // Not in step with others, nor with a start.
    const FIRST: u64 = 60;
    let phase = u64::try_from(entropy.random() % u128::from(FIRST)).unwrap_or(0);
    sleep(Duration::from_secs(FIRST / 2 + phase)).await;
    loop {
        let now = clock.now();
        // More often than the rest, and by everybody: there may be many, and no two of them get in each other's way.
        if let Err(error) = forget_events(&*store, now).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "old events cannot be removed now; the next look does");
        }
        let error = match store.claim_purge(now, now + ROUND).await {
            Ok(false) => None,
            Ok(true) => match round(&*store, retention, now).await {
                Ok(removed) => {
                    tracing::debug!(runs = removed, "removed old records of runs");
                    None
                }
                Err(error) => Some(error),
            },
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "old records cannot be removed now; the next round does");
        }
        sleep((ROUND / 6).to_std().unwrap_or(PAUSE)).await;
    }
}

/// Removes what was told too long before `now` for anybody to go on from there.
///
/// # Errors
/// The store's.
pub async fn forget_events(store: &dyn Store, now: Instant) -> Result<(), StoreError> {
    while store.purge_events(now - TOLD, BATCH).await? == u64::from(BATCH) {
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Makes one round at `now`; returns how many runs are gone.
///
/// # Errors
/// The store's. What is done by then is done.
pub async fn round(store: &dyn Store, retention: Retention, now: Instant) -> Result<u64, StoreError> {
    let mut all = 0;
    if let Some(age) = retention.age {
        let before = now - age.to_delta();
        let mut after = None;
        loop {
            let Purged { removed, next } = store.purge_old(before, after, BATCH).await?;
            all += count(removed);
            if next.is_none() {
                break;
            }
            after = next;
            sleep(PAUSE).await;
        }
        while store.purge_backfills(before, BATCH).await? == u64::from(BATCH) {
            sleep(PAUSE).await;
        }
    }
    if let Some(keep) = retention.runs {
        let mut after = None;
        loop {
            let Purged { removed, next } = store.purge_excess(keep, now - LEAST, after, BATCH).await?;
            all += count(removed);
            // The same jobs again until nothing of theirs is left over.
            if removed == 0 {
                if next.is_none() {
                    break;
                }
                after = next;
            }
            sleep(PAUSE).await;
        }
    }
    Ok(all)
}

fn count(removed: u64) -> u64 {
    counter!("scheduler_runs_purged_total").increment(removed);
    removed
}
