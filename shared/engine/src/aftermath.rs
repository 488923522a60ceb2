//! What the end of a run means for others: the next one of its job may start, or the job is to be paused.
//!
//! None of it is in the transaction that ends the run. What is lost with a process is made good: a run that waits for
//! its turn looks for itself every few seconds, and the next failure finds the same failures before it.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::settle::{cancelled, is_gone, pause_reason};
use domain::{Instant, Job, Overlap, Reason, Run, RunKind, RunStatus};

use crate::backfills::Touched;
use crate::callbacks::{Callbacks, hasten};
use crate::error::StoreError;
use crate::ports::{Alarm, Clock, Expected, Settled, Store};
use crate::query::RunQuery;
use crate::slots;

/// How often a run that waits for its turn looks for itself, for each one before it: those at the end of a long queue
/// have no need to look often.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(5);
/// More than may wait at a time.
pub(crate) const LONGEST_QUEUE: u32 = 1_100;
/// More than one backfill has under way at a time.
const BACKFILLING: u32 = 20;
/// A job that keeps changing while it is to be paused is left to the next failure.
const MAX_RACES: u32 = 20;

/// Whether a run that has come up may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Now,
    /// It waits, and looks again then.
    Later(Instant),
    /// Never: an earlier run of the job is not finished.
    Skip,
}

#[derive(Clone)]
pub(crate) struct Aftermath {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) alarm: Arc<dyn Alarm>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) touched: Touched,
    pub(crate) callbacks: Callbacks,
}

impl Aftermath {
    /// Sees to what follows from the end of `run`.
    pub(crate) async fn follow(&self, run: &Run, job: &Job) {
        let followed = async {
            self.pause_if_asked(run, job).await?;
            if self.touched.add(run) {
                self.alarm.arm(job.id, Some(self.clock.now())).await;
            }
            self.wake_next(job).await
        };
        if let Err(error) = followed.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run.id = %run.id, error, "what follows from the end of a run has to wait");
        }
    }

    /// Lets others have the place of `run`, which waits for its next attempt.
    pub(crate) async fn make_room(&self, run: &Run, job: &Job) {
        if let Err(error) = self.wake_next(job).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run.id = %run.id, error, "those that wait for its place look for themselves");
        }
    }

    /// Whether `run`, which has come up, may start: neither its job's overlap policy nor the number of those that are
    /// carried out at a time keeps it.
    pub(crate) async fn turn(&self, run: &Run, job: &Job, now: Instant) -> Result<Turn, StoreError> {
        match (self.overlap_turn(run, job, now).await?, job.draft.concurrency) {
            (Turn::Now, Some(limit)) => slots::turn(&*self.store, run, job, limit, now).await,
            (turn, _) => Ok(turn),
        }
    }

    /// What the overlap policy says to it. Runs of a job that come one after the other wait for all earlier
    /// ones, and stop them first where the job, or whoever asked for the run, says so.
    async fn overlap_turn(&self, run: &Run, job: &Job, now: Instant) -> Result<Turn, StoreError> {
        let overlap = overlap(run, job);
        // Whether runs of the schedule are skipped was decided as they were fired.
        let skips = overlap == Overlap::Skip && run.kind != RunKind::Schedule && run.attempts.is_empty();
        if !skips && !overlap.is_sequential() {
            return Ok(Turn::Now);
        }
        let unfinished = self.store.unfinished_runs(job.id, LONGEST_QUEUE).await?;
        let earlier: Vec<_> =
            unfinished.into_iter().filter(|other| !is_backfill(other) && other.id < run.id).collect();
        let Some(count) = i32::try_from(earlier.len()).ok().filter(|count| *count > 0) else {
            return Ok(Turn::Now);
        };
        if skips {
            return Ok(Turn::Skip);
        }
        if overlap == Overlap::CancelOther {
            for other in earlier {
                self.cancel(other, now).await?;
            }
        }
        Ok(Turn::Later(now + LOOK_AGAIN * count))
    }

    async fn cancel(&self, other: Run, now: Instant) -> Result<(), StoreError> {
        if other.status == RunStatus::Pending {
            let end = Settled { token: other.token, run: cancelled(&other, Reason::Overlap, now) };
            self.store.commit_settled(&[end]).await?;
        } else if !other.cancel_requested {
            let marked = self.store.request_cancel(&other.project, other.id).await?;
            if let Some(run) = marked {
                hasten(&*self.store, &run, now).await?;
            }
        }
        Ok(())
    }

    /// Lets the runs of the job whose turn may be next look at once.
    async fn wake_next(&self, job: &Job) -> Result<(), StoreError> {
        let (limit, most) = match job.draft.concurrency {
            Some(most) => (LONGEST_QUEUE, most as usize),
            None if job.draft.overlap.is_sequential() => (BACKFILLING + 1, 1),
            None => return Ok(()),
        };
        let now = self.clock.now();
        let mut unfinished = self.store.unfinished_runs(job.id, limit).await?;
        unfinished.retain(|run| job.draft.concurrency.is_some() || !is_backfill(run));
        unfinished.sort_by_key(Run::rank);
        let waits = |run: &Run| run.status == RunStatus::Pending && run.attempts.is_empty();
        let next =
            unfinished.into_iter().filter(|run| job.draft.concurrency.is_none() || waits(run)).take(most);
        let sleeping = next.filter(|run| waits(run) && run.due_at.is_some_and(|at| now < at));
        let woken: Vec<_> =
            sleeping.map(|run| Settled { token: run.token, run: Run { due_at: Some(now), ..run } }).collect();
        if !woken.is_empty() {
            self.store.commit_settled(&woken).await?;
            self.alarm.arm(job.id, Some(now)).await;
        }
        Ok(())
    }

    async fn pause_if_asked(&self, run: &Run, job: &Job) -> Result<(), StoreError> {
        let failed = matches!(run.status, RunStatus::Failed | RunStatus::TimedOut);
        // What fails of the past says nothing of the present, unless the target is gone.
        let asked = job.draft.pause_after_failures.filter(|_| !is_backfill(run));
        if !failed || asked.is_none() && !is_gone(run) {
            return Ok(());
        }
        let before = self.ended_before(run, job, asked.unwrap_or(1)).await?;
        match pause_reason(run, asked, &before) {
            Some(reason) => self.pause(run, &reason).await,
            None => Ok(()),
        }
    }

    /// How the executed runs before `run` ended, newest first, as far as the job has not been changed since.
    async fn ended_before(&self, run: &Run, job: &Job, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        let query = RunQuery {
            project: run.project.clone(),
            job: Some(run.job_id),
            statuses: vec![RunStatus::Succeeded, RunStatus::Failed, RunStatus::TimedOut],
            kinds: vec![RunKind::Schedule, RunKind::Manual],
            from: None,
            until: None,
            ascending: false,
            after: Some(run.id),
            limit,
        };
        let page = self.store.runs(&query).await?;
        let counted = page.items.into_iter().take_while(|before| job.since < before.scheduled_for);
        Ok(counted.map(|before| before.status).collect())
    }

    async fn pause(&self, run: &Run, reason: &str) -> Result<(), StoreError> {
        for _ in 0..MAX_RACES {
            let stored = self.store.job(&run.project, &run.job_id.into()).await?;
            let Some(job) = stored.and_then(|stored| stored.job.ok()).filter(|job| job.pause.is_none())
            else {
                return Ok(());
            };
            let expected = Expected { version: job.version, next_fire_at: job.next_fire_at };
            let paused = job.paused_by_failures(reason.to_owned(), self.clock.now());
            if self.store.replace_job(&paused, expected, &[]).await? {
                tracing::warn!(job.id = %job.id, job.name = job.draft.name, reason, "a job is paused by its failures");
                self.alarm.arm(job.id, None).await;
                return Ok(());
            }
        }
        Ok(())
    }
}

/// How `run` gets on with others of its job: manual ones beside all of them, unless asked otherwise.
fn overlap(run: &Run, job: &Job) -> Overlap {
    let asked = run.asked.as_ref().and_then(|asked| asked.overlap);
    asked.unwrap_or(match run.kind {
        RunKind::Schedule => job.draft.overlap,
        // How many of a backfill's runs there are at a time is its own affair.
        RunKind::Manual | RunKind::Backfill => Overlap::AllowAll,
    })
}

/// Backfills and the rest of a job's runs take no notice of each other.
fn is_backfill(run: &Run) -> bool {
    run.kind == RunKind::Backfill
}
