//! Keeping jobs: what the API asks of the service.

mod backfills;
mod bulk;
mod calendars;
mod edit;

use std::sync::Arc;

use domain::calendar;
use domain::job::{Changed, Surroundings};
use domain::plan::Timing;
use domain::settle::cancelled;
use domain::time::Zone;
use domain::{
    Asked, Instant, Job, JobDraft, JobId, Overlap, Plan, Reason, Run, RunId, RunKind, RunStatus, Schedule,
};
use serde_json::Value;

pub use self::backfills::BackfillProgress;
pub use self::bulk::{Acted, JobAction, RunAction};
pub use self::calendars::CalendarPut;
use self::edit::Edit;
use crate::calendars::Calendars;
use crate::callbacks::hasten;
use crate::error::{SchedulerError, StoreError};
use crate::ports::{Alarm, Clock, Entropy, Expected, Settled, Store, StoredJob};
use crate::query::{JobKey, JobQuery, Page, RunQuery};

type Result<T> = std::result::Result<T, SchedulerError>;

/// Keeps jobs, and answers for their runs.
#[derive(Clone)]
pub struct Scheduler {
    store: Arc<dyn Store>,
    calendars: Arc<dyn Calendars>,
    clock: Arc<dyn Clock>,
    alarm: Arc<dyn Alarm>,
    entropy: Arc<dyn Entropy>,
    zone: Zone,
}

/// A job that fires every second can win so many races against an edit; more means that something else is wrong.
const MAX_RACES: u32 = 50;

impl Scheduler {
    /// A scheduler on these ports. `zone` is the default zone of schedules that name none.
    pub fn new(
        store: Arc<dyn Store>,
        calendars: Arc<dyn Calendars>,
        clock: Arc<dyn Clock>,
        alarm: Arc<dyn Alarm>,
        entropy: Arc<dyn Entropy>,
        zone: Zone,
    ) -> Self {
        Self { store, calendars, clock, alarm, entropy, zone }
    }

    /// The current time, as the service sees it.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// 128 random bits, for callers that name things of their own.
    pub fn random(&self) -> u128 {
        self.entropy.random()
    }

    /// Stores a new job.
    pub async fn create(&self, project: &str, draft: JobDraft) -> Result<StoredJob> {
        let calendars = self.copies(project, &draft.calendars).await?;
        let now = self.clock.now();
        let id = JobId::new(now, self.entropy.random());
        let surroundings = Surroundings { zone: &self.zone, calendars: &calendars };
        let job = Job::create(draft, project, id, surroundings, now)?;
        self.store.insert_job(&job).await.map_err(|error| name_taken(error, &job))?;
        self.alarm.arm(job.id, job.next_fire_at).await;
        Ok(self.refreshed(project, StoredJob { job: Ok(job), last_run: None }).await)
    }

    /// Looks a job up.
    pub async fn job(&self, project: &str, key: &JobKey) -> Result<StoredJob> {
        let found = self.store.job(project, key).await?;
        found.ok_or_else(|| SchedulerError::NotFound { what: "job", key: key.to_string() })
    }

    /// Lists jobs.
    pub async fn jobs(&self, query: &JobQuery) -> Result<Page<StoredJob>> {
        Ok(self.store.jobs(query).await?)
    }

    /// Puts another draft in the job's place, also where the stored one cannot be read.
    pub async fn replace(
        &self,
        project: &str,
        key: &JobKey,
        draft: JobDraft,
        expected: Option<u64>,
    ) -> Result<StoredJob> {
        let replaced = self.change(project, key, expected, &Edit::Replace(&draft)).await?;
        Ok(self.refreshed(project, replaced).await)
    }

    /// Applies a JSON merge patch (RFC 7396) to the job's draft.
    pub async fn patch(
        &self,
        project: &str,
        key: &JobKey,
        patch: &Value,
        expected: Option<u64>,
    ) -> Result<StoredJob> {
        let patched = self.change(project, key, expected, &Edit::Patch(patch)).await?;
        Ok(self.refreshed(project, patched).await)
    }

    /// Stops the job from firing until it is resumed, by somebody or at `until`.
    pub async fn pause(
        &self,
        project: &str,
        key: &JobKey,
        reason: Option<&str>,
        until: Option<Instant>,
        expected: Option<u64>,
    ) -> Result<StoredJob> {
        self.change(project, key, expected, &Edit::Pause(reason, until)).await
    }

    /// Lets a paused job fire again, from now on.
    pub async fn resume(&self, project: &str, key: &JobKey, expected: Option<u64>) -> Result<StoredJob> {
        self.change(project, key, expected, &Edit::Resume).await
    }

    /// Removes a job. Runs that have started go on to their end; its history stays, and says what it still owed.
    pub async fn delete(&self, project: &str, key: &JobKey, mut expected: Option<u64>) -> Result<()> {
        for _ in 0..MAX_RACES {
            let stored = self.job(project, key).await?;
            let (id, mut version) = identity(&stored);
            check_version(expected, version)?;
            let now = self.clock.now();
            // First, so that nothing is lost where it comes to no more than this.
            if let Ok(job) = &stored.job
                && let Some(Changed { job: closed, closing }) = job.closed(now)
            {
                let read = Expected { version, next_fire_at: job.next_fire_at };
                if !self.store.replace_job(&closed, read, &closing).await? {
                    continue;
                }
                version = closed.version;
                expected = expected.map(|_| version);
            }
            if self.store.delete_job(project, id, version, now).await? {
                self.alarm.arm(id, None).await;
                return Ok(());
            }
        }
        Err(lost_race("job"))
    }

    /// Makes the job run now, beside its schedule and whatever else of it is running.
    pub async fn run_now(&self, project: &str, key: &JobKey) -> Result<Run> {
        self.run_as_asked(project, key, Asked::default()).await
    }

    /// Makes the job run now, with another body or overlap policy than it has.
    ///
    /// # Errors
    /// [`SchedulerError::Invalid`] where its target takes no such payload, [`SchedulerError::Conflict`] where the policy
    /// has no room for the run.
    pub async fn run_as_asked(&self, project: &str, key: &JobKey, asked: Asked) -> Result<Run> {
        let stored = self.job(project, key).await?;
        let job = readable(&stored)?;
        if let Some(payload) = &asked.payload {
            job.draft.target.with_payload(payload)?;
        }
        self.check_room(job, asked.overlap).await?;
        let now = self.clock.now();
        #[expect(clippy::cast_possible_truncation, reason = "any 64 of the random bits will do")]
        let nonce = self.entropy.random() as u64;
        let run = Run { asked: asked.boxed(), ..Run::pending(job, RunKind::Manual, now, now, nonce) };
        if !self.store.insert_run(&run).await? {
            return Err(SchedulerError::NotFound { what: "job", key: key.to_string() });
        }
        self.alarm.arm(run.job_id, run.due_at).await;
        Ok(run)
    }

    /// Whether one more run of the job has room by this policy; whoever asks is told at once where not.
    async fn check_room(&self, job: &Job, overlap: Option<Overlap>) -> Result<()> {
        /// Of backfills, which do not count.
        const MORE: u32 = 100;
        let Some(room) = overlap.and_then(Overlap::room) else { return Ok(()) };
        let limit = u32::try_from(room).unwrap_or(u32::MAX).saturating_add(MORE);
        let mut unfinished = self.store.unfinished_runs(job.id, limit).await?;
        unfinished.retain(|run| run.kind != RunKind::Backfill);
        match unfinished.first() {
            Some(first) if room <= unfinished.len() as u64 => Err(SchedulerError::Conflict(format!(
                "{} of the job's runs are not finished, which leaves no room by this overlap policy; the first is {}",
                unfinished.len(),
                first.id
            ))),
            _ => Ok(()),
        }
    }

    /// Looks a run up.
    pub async fn run(&self, project: &str, id: RunId) -> Result<Run> {
        self.store.run(project, id).await?.ok_or_else(|| no_run(id))
    }

    /// Lists runs.
    pub async fn runs(&self, query: &RunQuery) -> Result<Page<Run>> {
        Ok(self.store.runs(query).await?)
    }

    /// Asks for a run to be cancelled. One that waits is cancelled at once; one that runs is stopped by its
    /// worker, on whatever node that is, and its final status tells whether that came in time.
    pub async fn cancel(&self, project: &str, id: RunId) -> Result<Run> {
        let Some(run) = self.store.request_cancel(project, id).await? else {
            return Err(finished(&self.run(project, id).await?));
        };
        if run.status == RunStatus::Pending {
            let settled =
                Settled { token: run.token, run: cancelled(&run, Reason::Requested, self.clock.now()) };
            if self.store.commit_settled(std::slice::from_ref(&settled)).await? == [true] {
                return Ok(settled.run);
            }
        }
        hasten(&*self.store, &run, self.clock.now()).await?;
        self.alarm.arm(run.job_id, Some(self.clock.now())).await;
        self.run(project, id).await
    }

    /// Gives a run that ended badly one more attempt. It stays the same run: same id, same nominal time, so the
    /// target can tell that it is the same work.
    pub async fn retry(&self, project: &str, id: RunId) -> Result<Run> {
        let mut run = self.check_retry(project, id).await?;
        let now = self.clock.now();
        run.status = RunStatus::Pending;
        run.due_at = Some(now);
        run.reopened_at = Some(now);
        run.finished_at = None;
        run.reason = None;
        run.cancel_requested = false;
        if !self.store.reopen_run(&run).await? {
            return Err(SchedulerError::Conflict("the run has changed in the meantime".to_owned()));
        }
        run.token += 1;
        self.alarm.arm(run.job_id, run.due_at).await;
        Ok(run)
    }

    /// The run, where it can be retried.
    async fn check_retry(&self, project: &str, id: RunId) -> Result<Run> {
        let run = self.run(project, id).await?;
        if !matches!(run.status, RunStatus::Failed | RunStatus::TimedOut | RunStatus::Cancelled) {
            let status = run.status.as_str();
            return Err(SchedulerError::Conflict(format!(
                "only a failed, timed out or cancelled run can be retried; this one is {status}"
            )));
        }
        if self.store.job(project, &run.job_id.into()).await?.is_none() {
            return Err(SchedulerError::Conflict("the run's job has been deleted".to_owned()));
        }
        Ok(run)
    }

    /// Whether the run can be cancelled.
    async fn check_cancel(&self, project: &str, id: RunId) -> Result<()> {
        let run = self.run(project, id).await?;
        if run.status.is_finished() { Err(finished(&run)) } else { Ok(()) }
    }

    /// What `timing` would mean if a job with it were stored at `from`: its schedule with defaults filled in, and the
    /// plan. Jitter is that of the job `id`.
    ///
    /// # Errors
    /// Everything wrong with it, by pointer; or the store's.
    pub async fn preview(
        &self,
        project: &str,
        id: JobId,
        timing: Timing<'_>,
        from: Instant,
    ) -> Result<(Schedule, Plan)> {
        let schedule = timing.schedule.clone().resolved(&self.zone, from, None);
        let there_are = self.copies(project, timing.calendars).await?;
        let timing = Timing { schedule: &schedule, ..timing };
        let plan = Plan::compile(id, &timing, &calendar::copies(timing.calendars, &there_are)?)?;
        Ok((schedule, plan))
    }

    /// How many other jobs are due next in `[from, until]`; counts no further than `limit`.
    pub async fn count_due(&self, from: Instant, until: Instant, limit: u32) -> Result<u64> {
        Ok(self.store.count_due(from, until, limit).await?)
    }
}

fn identity(stored: &StoredJob) -> (JobId, u64) {
    match &stored.job {
        Ok(job) => (job.id, job.version),
        Err(broken) => (broken.id, broken.version),
    }
}

fn readable(stored: &StoredJob) -> Result<&Job> {
    stored.job.as_ref().map_err(|broken| {
        SchedulerError::Conflict(format!(
            "the job's stored form cannot be read ({}); replace or delete it",
            broken.error
        ))
    })
}

fn check_version(expected: Option<u64>, current: u64) -> Result<()> {
    match expected {
        Some(expected) if expected != current => {
            Err(SchedulerError::Stale { what: "job", expected, current })
        }
        _ => Ok(()),
    }
}

fn name_taken(error: StoreError, job: &Job) -> SchedulerError {
    match error {
        StoreError::NameTaken => SchedulerError::NameTaken(job.draft.name.clone()),
        other => SchedulerError::Store(other),
    }
}

fn finished(run: &Run) -> SchedulerError {
    SchedulerError::Conflict(format!("the run is finished: {}", run.status.as_str()))
}

fn no_run(id: RunId) -> SchedulerError {
    SchedulerError::NotFound { what: "run", key: id.to_string() }
}

fn lost_race(what: &str) -> SchedulerError {
    SchedulerError::Conflict(format!("the {what} keeps changing; try again"))
}
