//! Taking up runs: those that wait, and those whose worker is gone.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::settle::{cancelled, deadline, overdue, skipped, within_deadline};
use domain::{Instant, Job, Reason, Run, RunStatus, Verdict, settle};
use tokio::time::timeout;

use super::{BATCH, Dispatcher, HOST_BUSY, clamp, put_back};
use crate::aftermath::Turn;
use crate::callbacks::Found;
use crate::error::StoreError;
use crate::ports::LeasedRun;

/// When a run is tried again whose job cannot be read: somebody may have mended it by then.
const JOB_UNREADABLE: TimeDelta = TimeDelta::minutes(1);

impl Dispatcher {
    /// Takes up runs that wait, and runs whose worker let the lease run out.
    pub async fn work(&self) -> Result<(usize, bool), StoreError> {
        let mut room = self.reserve(BATCH);
        if room.is_empty() {
            return Ok((0, false));
        }
        let now = self.clock.now();
        let lease = self.lease(now);
        let mut leased = self.store.lease_runs(now, &lease, clamp(room.len())).await?;
        // The store is asked about some; the others must not wait for its answers.
        leased.sort_by_key(asks_the_store);
        let (count, more) = (leased.len(), leased.len() == room.len());
        let mut waiting = Vec::new();
        for LeasedRun { run, was, job } in leased {
            match job {
                _ if was == RunStatus::Pending && self.is_late(&lease) => waiting.push(put_back(run, now)),
                // Rare enough to look closer: a job that cannot be read may be mended, a deleted one is gone.
                // An error must not cost the rest of the batch its leases; the run waits in that case, too.
                None => match self.store.job(&run.project, &run.job_id.into()).await {
                    Ok(None) if run.accepted.is_some() => self.take_over(&run, None, now).await,
                    Ok(None) => self.settle_now(&run, cancelled(&run, Reason::Deleted, now), None).await,
                    Ok(Some(_)) | Err(_) => waiting.push(put_back(run, now + JOB_UNREADABLE)),
                },
                Some(_) if run.cancel_requested && was == RunStatus::Pending => {
                    self.settle_now(&run, cancelled(&run, Reason::Requested, now), job).await;
                }
                Some(job) if was == RunStatus::Running => self.take_over(&run, Some(job), now).await,
                Some(job) if let Some(over) = overdue(&run, &job.draft, now, now) => {
                    self.settle_now(&run, over, Some(job)).await;
                }
                // Its place at the host first: a turn that is not taken would have kept others from theirs.
                Some(job) => match self.hosts.enter(&job.draft.target) {
                    None => waiting.push(put_back(run, now + HOST_BUSY)),
                    Some(place) => match self.turn(&run, &job, now).await {
                        Ok(Turn::Now) if self.is_late(&lease) => waiting.push(put_back(run, now)),
                        Ok(Turn::Now) => match room.pop() {
                            Some(permit) => self.start(run, job, (permit, place)),
                            None => waiting.push(put_back(run, now + HOST_BUSY)),
                        },
                        Ok(Turn::Later(later)) => {
                            // At its deadline somebody must look, whether its turn has come or not.
                            let latest = deadline(&run, &job.draft).unwrap_or(later);
                            waiting.push(put_back(run, later.min(latest)));
                        }
                        Ok(Turn::Skip) => {
                            self.settle_now(&run, skipped(&run, Reason::Overlap, now), Some(job)).await;
                        }
                        Err(_) => waiting.push(put_back(run, now + HOST_BUSY)),
                    },
                },
            }
        }
        if !waiting.is_empty() {
            self.store.commit_settled(&waiting).await?;
        }
        Ok((count, more))
    }

    /// When a run may start, see [`Aftermath::turn`]. An answer that takes longer than a third of a lease is not waited
    /// for: it would cost the run its lease, and others theirs.
    async fn turn(&self, run: &Run, job: &Job, now: Instant) -> Result<Turn, StoreError> {
        let turn = timeout(self.renewal_interval(), self.aftermath.turn(run, job, now)).await;
        turn.unwrap_or_else(|late| Err(StoreError::Unavailable(late.into())))
    }

    /// Finds out what became of a run whose lease ran out. Its target may have taken the work and report; where nothing
    /// is known, its worker has disappeared: the attempt counts as abandoned, the policy says what follows.
    async fn take_over(&self, run: &Run, job: Option<Arc<Job>>, now: Instant) {
        let began =
            run.started_at.filter(|_| run.attempts.is_empty()).unwrap_or(run.created_at.max(run.due_for()));
        let found = self.attempts.callbacks.find(run, job.as_ref(), began, now).await;
        let settled = match (found, &job) {
            (Ok(Found::Ended(ended)), _) => *ended,
            (Ok(Found::GoesOn(next_look)), _) => Run { due_at: Some(next_look), ..run.clone() },
            (Ok(Found::Abandoned), Some(job)) => {
                tracing::warn!(run.id = %run.id, job.id = %run.job_id, "taking over a run whose lease ran out");
                let draft = &job.draft;
                let settled = settle(run, &draft.retry, draft.timeout, began, now, Verdict::Abandoned.into());
                within_deadline(settled, draft, now)
            }
            (Ok(Found::Abandoned), None) => cancelled(run, Reason::Deleted, now),
            // Whoever looks when this lease runs out finds out.
            (Err(error), _) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(run.id = %run.id, error, "what became of a run is not known yet");
                return;
            }
        };
        self.settle_now(run, settled, job).await;
    }
}

/// Whether the store is asked about a run before it starts.
fn asks_the_store(leased: &LeasedRun) -> bool {
    let asks = |job: &Arc<Job>| job.draft.overlap.is_sequential() || job.draft.concurrency.is_some();
    leased.run.asked.is_some() || leased.job.as_ref().is_none_or(asks)
}
