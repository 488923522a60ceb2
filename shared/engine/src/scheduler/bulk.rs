//! The same change of many jobs or runs, one by one: what goes wrong with one of them stops none of the others.

use domain::{Instant, RunId};
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};
use serde_json::Value;

use super::edit::Edit;
use super::{Result, Scheduler, identity, readable};
use crate::query::JobKey;

/// So many are changed at a time.
const AT_A_TIME: usize = 8;

/// What is to become of many jobs.
#[derive(Clone, Copy, Debug)]
pub enum JobAction<'a> {
    /// Stops them, for a reason, until an instant.
    Pause(Option<&'a str>, Option<Instant>),
    /// Lets them go on.
    Resume,
    /// Removes them.
    Delete,
    /// Makes them run now.
    Run,
    /// Applies a JSON merge patch to their drafts.
    Patch(&'a Value),
}

/// What is to become of many runs.
#[derive(Clone, Copy, Debug)]
pub enum RunAction {
    /// Stops them.
    Cancel,
    /// Gives each one more attempt.
    Retry,
}

/// What has become of one of many, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It has been changed.
    Changed,
    /// It was so already.
    Unchanged,
    /// It runs.
    Running(RunId),
}

impl Scheduler {
    /// Does `action` to each of `jobs`; answers in their order. Where it is only `tried`, nothing changes.
    pub async fn act_on_jobs(
        &self,
        project: &str,
        jobs: &[JobKey],
        action: JobAction<'_>,
        tried: bool,
    ) -> Vec<Result<Acted>> {
        let one = |key| -> BoxFuture<'_, _> {
            if tried {
                self.would(project, key, action).boxed()
            } else {
                self.act(project, key, action).boxed()
            }
        };
        all(jobs.iter().map(one).collect()).await
    }

    /// Does `action` to each of `runs`; answers in their order. Where it is only `tried`, nothing changes.
    pub async fn act_on_runs(
        &self,
        project: &str,
        runs: &[RunId],
        action: RunAction,
        tried: bool,
    ) -> Vec<Result<Acted>> {
        all(runs.iter().map(|id| self.act_on_run(project, *id, action, tried).boxed()).collect()).await
    }

    async fn act_on_run(&self, project: &str, id: RunId, action: RunAction, tried: bool) -> Result<Acted> {
        match (action, tried) {
            (RunAction::Cancel, false) => drop(self.cancel(project, id).await?),
            (RunAction::Retry, false) => drop(self.retry(project, id).await?),
            (RunAction::Cancel, true) => self.check_cancel(project, id).await?,
            (RunAction::Retry, true) => drop(self.check_retry(project, id).await?),
        }
        Ok(Acted::Changed)
    }

    async fn act(&self, project: &str, key: &JobKey, action: JobAction<'_>) -> Result<Acted> {
        let before = self.job(project, key).await?;
        let after = match action {
            JobAction::Pause(reason, until) => self.pause(project, key, reason, until, None).await?,
            JobAction::Resume => self.resume(project, key, None).await?,
            JobAction::Patch(patch) => self.patch(project, key, patch, None).await?,
            JobAction::Delete => {
                self.delete(project, key, None).await?;
                return Ok(Acted::Changed);
            }
            JobAction::Run => return Ok(Acted::Running(self.run_now(project, key).await?.id)),
        };
        Ok(if identity(&before) == identity(&after) { Acted::Unchanged } else { Acted::Changed })
    }

    /// What `act` would answer.
    async fn would(&self, project: &str, key: &JobKey, action: JobAction<'_>) -> Result<Acted> {
        let stored = self.job(project, key).await?;
        let edit = match action {
            JobAction::Pause(reason, until) => Edit::Pause(reason, until),
            JobAction::Resume => Edit::Resume,
            JobAction::Patch(patch) => Edit::Patch(patch),
            JobAction::Delete => return Ok(Acted::Changed),
            JobAction::Run => return readable(&stored).map(|_| Acted::Changed),
        };
        let changed = self.changed(project, &stored, &edit).await?;
        let same = identity(&stored).1 == changed.job.version;
        Ok(if same { Acted::Unchanged } else { Acted::Changed })
    }
}

/// Carries out all of `work`, a few at a time; answers in its order.
async fn all(work: Vec<BoxFuture<'_, Result<Acted>>>) -> Vec<Result<Acted>> {
    stream::iter(work).buffered(AT_A_TIME).collect().await
}
