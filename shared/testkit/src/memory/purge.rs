//! [`engine::Purge`] in memory.

use async_trait::async_trait;
use domain::{Instant, JobId, Run, RunId};
use engine::{Purge, Purged, StoreError};

use super::{MemoryStore, State};

/// Of one job at a time.
const MOST: usize = 1_000;

#[async_trait]
impl Purge for MemoryStore {
    async fn claim_purge(&self, now: Instant, next: Instant) -> Result<bool, StoreError> {
        self.perform("claim_purge", |state| {
            let due = state.next_purge.is_none_or(|at| at <= now);
            if due {
                state.next_purge = Some(next);
            }
            Ok(due)
        })
        .await
    }

    async fn purge_old(
        &self,
        before: Instant,
        after: Option<RunId>,
        limit: u32,
    ) -> Result<Purged<RunId>, StoreError> {
        self.perform("purge_old", |state| {
            let end = RunId::first_at(before);
            let walked =
                state.runs.keys().copied().filter(|id| after.is_none_or(|after| *id > after) && *id < end);
            let walked: Vec<RunId> = walked.take(limit as usize).collect();
            let old = |id: &RunId| {
                let run = &state.runs[id];
                let gone = !state.jobs.contains_key(&run.job_id);
                run.finished_at.is_some_and(|at| at < before)
                    && (gone || state.finished(run.job_id).any(|other| other.id > *id))
            };
            let removed: Vec<RunId> = walked.iter().copied().filter(old).collect();
            state.forget(&removed);
            Ok(Purged::of(removed.len() as u64, &walked, limit))
        })
        .await
    }

    async fn purge_excess(
        &self,
        keep: u32,
        before: Instant,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Purged<JobId>, StoreError> {
        self.perform("purge_excess", |state| {
            let jobs = state.jobs.keys().copied().filter(|id| after.is_none_or(|after| *id > after));
            let jobs: Vec<JobId> = jobs.take(limit as usize).collect();
            let mut removed = Vec::new();
            for job in &jobs {
                let beyond = state.finished(*job).count().saturating_sub(keep.max(1) as usize);
                let excess = state.finished(*job).take(beyond);
                let old = excess.filter(|run| run.finished_at.is_some_and(|at| at < before));
                removed.extend(old.take(MOST).map(|run| run.id));
            }
            state.forget(&removed);
            Ok(Purged::of(removed.len() as u64, &jobs, limit))
        })
        .await
    }

    async fn purge_events(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        self.perform("purge_events", |state| Ok(state.forget_told(before, limit))).await
    }

    async fn purge_backfills(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        self.perform("purge_backfills", |state| {
            let ended = state.backfills.values().filter(|it| it.due_at.is_none() && it.created_at < before);
            let ended: Vec<_> = ended.take(limit as usize).map(|it| it.id).collect();
            state.backfills.retain(|id, _| !ended.contains(id));
            Ok(ended.len() as u64)
        })
        .await
    }
}

impl State {
    /// Removes runs, with their logs and reports.
    fn forget(&mut self, runs: &[RunId]) {
        self.runs.retain(|id, _| !runs.contains(id));
        self.logs.retain(|id, _| !runs.contains(id));
        self.reports.retain(|(id, _), _| !runs.contains(id));
    }

    /// The finished runs of a job, oldest nominal time first.
    fn finished(&self, job: JobId) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(move |run| run.job_id == job && run.status.is_finished())
    }
}
