//! Backfills: asked for, looked up, stopped.

use domain::backfill::Survey;
use domain::{Backfill, BackfillId, BackfillOrder, Reason, RunStatus};

use super::{MAX_RACES, Result, Scheduler, identity, lost_race, readable};
use crate::backfills::{BackfillQuery, cancel_waiting, carry_on};
use crate::error::SchedulerError;
use crate::query::{JobKey, Page};

/// A backfill, and how many of its runs there are by status.
#[derive(Clone, Debug)]
pub struct BackfillProgress {
    /// The backfill.
    pub backfill: Backfill,
    /// Statuses without runs may be left out.
    pub runs: Vec<(RunStatus, u64)>,
}

impl Scheduler {
    /// What a backfill of the job would come to.
    pub async fn survey(&self, project: &str, key: &JobKey, order: &BackfillOrder) -> Result<Survey> {
        let stored = self.job(project, key).await?;
        Ok(order.survey(readable(&stored)?, self.now())?)
    }

    /// Carries out the job's occurrences in a stretch of the past, beside its schedule, which stays as it is.
    pub async fn backfill(
        &self,
        project: &str,
        key: &JobKey,
        order: BackfillOrder,
    ) -> Result<BackfillProgress> {
        let stored = self.job(project, key).await?;
        let now = self.now();
        let id = BackfillId::new(now, self.random());
        let backfill = Backfill::create(readable(&stored)?, order, id, now)?;
        if !self.store.insert_backfill(&backfill).await? {
            return Err(SchedulerError::NotFound { what: "job", key: key.to_string() });
        }
        let backfill = match carry_on(&*self.store, backfill.clone(), now).await {
            Ok(begun) => begun,
            // It is stored, and due: somebody will begin it.
            Err(_) => backfill,
        };
        self.alarm.arm(backfill.job_id, Some(now)).await;
        self.progress(backfill).await
    }

    /// Looks a backfill up.
    pub async fn backfill_progress(&self, project: &str, id: BackfillId) -> Result<BackfillProgress> {
        self.progress(self.find_backfill(project, id).await?).await
    }

    /// Lists a job's backfills, newest first.
    pub async fn backfills(
        &self,
        project: &str,
        key: &JobKey,
        after: Option<BackfillId>,
        limit: u32,
    ) -> Result<Page<BackfillProgress>> {
        let (job, _) = identity(&self.job(project, key).await?);
        let query = BackfillQuery { project: project.to_owned(), job, after, limit };
        let Page { items, has_more } = self.store.backfills(&query).await?;
        let mut progress = Vec::with_capacity(items.len());
        for backfill in items {
            progress.push(self.progress(backfill).await?);
        }
        Ok(Page { items: progress, has_more })
    }

    /// Stops a backfill: no more runs are created, and those that wait are cancelled. What runs goes on to its end.
    pub async fn cancel_backfill(&self, project: &str, id: BackfillId) -> Result<BackfillProgress> {
        for _ in 0..MAX_RACES {
            let backfill = self.find_backfill(project, id).await?;
            let now = self.now();
            let Some(cancelled) = backfill.cancelled(Reason::Requested, now) else {
                return Err(SchedulerError::Conflict("the backfill has ended".to_owned()));
            };
            if self.store.replace_backfill(&cancelled, &[]).await? {
                cancel_waiting(&*self.store, &cancelled, now).await?;
                return self.progress(cancelled).await;
            }
        }
        Err(lost_race("backfill"))
    }

    async fn find_backfill(&self, project: &str, id: BackfillId) -> Result<Backfill> {
        let found = self.store.backfill(project, id).await?;
        found.ok_or_else(|| SchedulerError::NotFound { what: "backfill", key: id.to_string() })
    }

    async fn progress(&self, backfill: Backfill) -> Result<BackfillProgress> {
        let runs = self.store.backfill_counts(backfill.id).await?;
        Ok(BackfillProgress { backfill, runs })
    }
}
