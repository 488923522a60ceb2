//! [`engine::Backfills`] in memory.

use async_trait::async_trait;
use domain::{Backfill, BackfillId, Instant, Run, RunStatus};
use engine::{BackfillQuery, Backfills, Deed, Page, StoreError};

use super::{MemoryStore, sorted};

#[async_trait]
impl Backfills for MemoryStore {
    async fn insert_backfill(&self, backfill: &Backfill) -> Result<bool, StoreError> {
        self.perform("insert_backfill", |state| {
            let job = state.jobs.get(&backfill.job_id).filter(|row| row.job.project == backfill.project);
            let there = job.is_some();
            if there {
                state.backfills.insert(backfill.id, backfill.clone());
            }
            Ok(there)
        })
        .await
    }

    async fn backfill(&self, project: &str, id: BackfillId) -> Result<Option<Backfill>, StoreError> {
        self.perform("backfill", |state| {
            Ok(state.backfills.get(&id).filter(|backfill| backfill.project == project).cloned())
        })
        .await
    }

    async fn backfills(&self, query: &BackfillQuery) -> Result<Page<Backfill>, StoreError> {
        self.perform("backfills", |state| {
            let listed = state.backfills.values().rev().filter(|backfill| {
                backfill.project == query.project
                    && backfill.job_id == query.job
                    && query.after.is_none_or(|after| backfill.id < after)
            });
            Ok(Page::from_one_more(listed.take(query.limit as usize + 1).cloned().collect(), query.limit))
        })
        .await
    }

    async fn due_backfills(&self, now: Instant, limit: u32) -> Result<Vec<Backfill>, StoreError> {
        self.perform("due_backfills", |state| {
            let due = state.backfills.values().filter_map(|backfill| Some((backfill.due_at?, backfill.id)));
            let due = sorted(due.filter(|(at, _)| *at <= now)).into_iter().take(limit as usize);
            Ok(due.filter_map(|(_, id)| state.backfills.get(&id).cloned()).collect())
        })
        .await
    }

    async fn replace_backfill(&self, backfill: &Backfill, runs: &[Run]) -> Result<bool, StoreError> {
        self.perform("replace_backfill", |state| {
            let before = state.backfills.get_mut(&backfill.id);
            let Some(before) = before.filter(|before| before.version + 1 == backfill.version) else {
                return Ok(false);
            };
            *before = backfill.clone();
            state.add(Deed::Insert, runs);
            Ok(true)
        })
        .await
    }

    async fn backfill_counts(&self, id: BackfillId) -> Result<Vec<(RunStatus, u64)>, StoreError> {
        self.perform("backfill_counts", |state| {
            let count = |status: RunStatus| {
                let its = |run: &&Run| run.status == status && run.backfill() == Some(id);
                (status, state.runs.values().filter(its).count() as u64)
            };
            Ok(RunStatus::ALL.map(count).into_iter().filter(|(_, count)| *count > 0).collect())
        })
        .await
    }
}
