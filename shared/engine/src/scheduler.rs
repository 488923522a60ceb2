//! Keeping jobs: what the API asks of the service.

use std::sync::Arc;

use domain::job::Changed;
use domain::settle::cancelled;
use domain::time::{Timetable, Zone};
use domain::{
    Instant, Invalid, Job, JobDraft, JobId, Reason, Run, RunId, RunKind, RunStatus, Schedule, parse,
};
use serde_json::Value;

use crate::error::{SchedulerError, StoreError};
use crate::ports::{Alarm, Clock, Entropy, Expected, InvalidJob, Settled, Store, StoredJob};
use crate::query::{JobKey, JobQuery, Page, RunQuery};

type Result<T> = std::result::Result<T, SchedulerError>;

/// Keeps jobs, and answers for their runs.
#[derive(Clone)]
pub struct Scheduler {
    store: Arc<dyn Store>,
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
        clock: Arc<dyn Clock>,
        alarm: Arc<dyn Alarm>,
        entropy: Arc<dyn Entropy>,
        zone: Zone,
    ) -> Self {
        Self { store, clock, alarm, entropy, zone }
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
        let now = self.clock.now();
        let id = JobId::new(now, self.entropy.random());
        let job = Job::create(draft, project, id, &self.zone, now)?;
        self.store.insert_job(&job).await.map_err(|error| name_taken(error, &job))?;
        self.alarm.arm(job.id, job.next_fire_at).await;
        Ok(StoredJob { job: Ok(job), last_run: None })
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
        let change = |stored: &StoredJob, now| match &stored.job {
            Ok(job) => Ok(job.edit(draft.clone(), &self.zone, now)?),
            Err(broken) => Ok(self.repair(broken, draft.clone(), now)?),
        };
        self.change(project, key, expected, &change).await
    }

    /// Applies a JSON merge patch (RFC 7396) to the job's draft.
    pub async fn patch(
        &self,
        project: &str,
        key: &JobKey,
        patch: &Value,
        expected: Option<u64>,
    ) -> Result<StoredJob> {
        let change = |stored: &StoredJob, now| {
            let job = readable(stored)?;
            let mut document = serde_json::to_value(&job.draft)
                .map_err(|error| SchedulerError::Store(StoreError::Failed(error.into())))?;
            merge(&mut document, patch);
            let draft = parse::from_value(document)?;
            Ok(job.edit(draft, &self.zone, now)?)
        };
        self.change(project, key, expected, &change).await
    }

    /// Stops the job from firing until it is resumed.
    pub async fn pause(
        &self,
        project: &str,
        key: &JobKey,
        reason: Option<&str>,
        expected: Option<u64>,
    ) -> Result<StoredJob> {
        let change = |stored: &StoredJob, now| {
            let job = readable(stored)?.paused(reason.map(str::to_owned), now);
            Ok(Changed { job, closing: None })
        };
        self.change(project, key, expected, &change).await
    }

    /// Lets a paused job fire again, from now on.
    pub async fn resume(&self, project: &str, key: &JobKey, expected: Option<u64>) -> Result<StoredJob> {
        self.change(project, key, expected, &|stored, now| Ok(readable(stored)?.resumed(now))).await
    }

    /// Removes a job. Runs that have started go on to their end; its history stays.
    pub async fn delete(&self, project: &str, key: &JobKey, expected: Option<u64>) -> Result<()> {
        for _ in 0..MAX_RACES {
            let stored = self.job(project, key).await?;
            let (id, version) = identity(&stored);
            check_version(expected, version)?;
            let now = self.clock.now();
            if self.store.delete_job(project, id, version, now).await? {
                self.alarm.arm(id, None).await;
                return Ok(());
            }
        }
        Err(lost_race())
    }

    /// Makes the job run now, beside its schedule and whatever else of it is running.
    pub async fn run_now(&self, project: &str, key: &JobKey) -> Result<Run> {
        let stored = self.job(project, key).await?;
        let job = readable(&stored)?;
        let now = self.clock.now();
        #[expect(clippy::cast_possible_truncation, reason = "any 64 of the random bits will do")]
        let nonce = self.entropy.random() as u64;
        let run = Run::pending(job, RunKind::Manual, now, now, nonce);
        if !self.store.insert_run(&run).await? {
            return Err(SchedulerError::NotFound { what: "job", key: key.to_string() });
        }
        self.alarm.arm(run.job_id, run.due_at).await;
        Ok(run)
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
            let run = self.run(project, id).await?;
            return Err(SchedulerError::Conflict(format!("the run is finished: {}", run.status.as_str())));
        };
        if run.status == RunStatus::Pending {
            let settled =
                Settled { token: run.token, run: cancelled(&run, Reason::Requested, self.clock.now()) };
            if self.store.commit_settled(std::slice::from_ref(&settled)).await? == [true] {
                return Ok(settled.run);
            }
        }
        self.alarm.arm(run.job_id, Some(self.clock.now())).await;
        self.run(project, id).await
    }

    /// Gives a run that ended badly one more attempt. It stays the same run: same id, same nominal time, so the
    /// target can tell that it is the same work.
    pub async fn retry(&self, project: &str, id: RunId) -> Result<Run> {
        let mut run = self.run(project, id).await?;
        if !matches!(run.status, RunStatus::Failed | RunStatus::TimedOut | RunStatus::Cancelled) {
            let status = run.status.as_str();
            return Err(SchedulerError::Conflict(format!(
                "only a failed, timed out or cancelled run can be retried; this one is {status}"
            )));
        }
        if self.store.job(project, &run.job_id.into()).await?.is_none() {
            return Err(SchedulerError::Conflict("the run's job has been deleted".to_owned()));
        }
        run.status = RunStatus::Pending;
        run.due_at = Some(self.clock.now());
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

    /// What `schedule` would mean if it were stored now: with its defaults filled in, and compiled.
    pub fn preview(
        &self,
        schedule: Schedule,
        from: Instant,
    ) -> std::result::Result<(Schedule, Timetable), Invalid> {
        let schedule = schedule.resolved(&self.zone, from, None);
        let timetable = Timetable::compile(&schedule)?;
        Ok((schedule, timetable))
    }

    /// Reads, changes and writes a job, again and again while it fires in between.
    async fn change(
        &self,
        project: &str,
        key: &JobKey,
        expected: Option<u64>,
        change: &(dyn Fn(&StoredJob, Instant) -> Result<Changed> + Sync),
    ) -> Result<StoredJob> {
        for _ in 0..MAX_RACES {
            let stored = self.job(project, key).await?;
            check_version(expected, identity(&stored).1)?;
            let Changed { job, closing } = change(&stored, self.clock.now())?;
            let (read, unchanged) = match &stored.job {
                Ok(before) => (
                    Expected { version: before.version, next_fire_at: before.next_fire_at },
                    before.version == job.version,
                ),
                Err(broken) => {
                    (Expected { version: broken.version, next_fire_at: broken.next_fire_at }, false)
                }
            };
            if unchanged {
                return Ok(stored);
            }
            let replaced = self.store.replace_job(&job, read, closing.as_slice()).await;
            if replaced.map_err(|error| name_taken(error, &job))? {
                self.alarm.arm(job.id, job.next_fire_at).await;
                return Ok(StoredJob { job: Ok(job), last_run: stored.last_run });
            }
        }
        Err(lost_race())
    }

    /// A job that cannot be read, started afresh under its old id.
    fn repair(
        &self,
        broken: &InvalidJob,
        draft: JobDraft,
        now: Instant,
    ) -> std::result::Result<Changed, Invalid> {
        let job = Job::create(draft, &broken.project, broken.id, &self.zone, now)?;
        let job = Job { version: broken.version + 1, created_at: broken.created_at, ..job };
        Ok(Changed { job, closing: None })
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
        Some(expected) if expected != current => Err(SchedulerError::Stale { expected, current }),
        _ => Ok(()),
    }
}

fn name_taken(error: StoreError, job: &Job) -> SchedulerError {
    match error {
        StoreError::NameTaken => SchedulerError::NameTaken(job.draft.name.clone()),
        other => SchedulerError::Store(other),
    }
}

fn no_run(id: RunId) -> SchedulerError {
    SchedulerError::NotFound { what: "run", key: id.to_string() }
}

fn lost_race() -> SchedulerError {
    SchedulerError::Conflict("the job keeps changing; try again".to_owned())
}

/// JSON merge patch, RFC 7396: `null` removes, objects merge, everything else replaces.
///
/// A schedule or target of another `type` replaces the old one whole: fields of one type mean nothing in another.
fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    let other_type =
        patch.get("type").is_some_and(|kind| document.get("type").is_some_and(|old| old != kind));
    if !document.is_object() || other_type {
        *document = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = document else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    /// The table of RFC 7396, appendix A.
    #[test]
    fn merge_patch_follows_the_rfc() {
        let cases = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (mut document, patch, expected) in cases {
            merge(&mut document, &patch);
            assert_eq!(document, expected, "{patch}");
        }
    }

    #[test]
    fn another_type_of_schedule_replaces_the_old_one() {
        let mut job = json!({"schedule": {"type": "interval", "every": "5m", "anchor": null}});
        merge(&mut job, &json!({"schedule": {"type": "cron", "expression": "@daily"}}));
        assert_eq!(job, json!({"schedule": {"type": "cron", "expression": "@daily"}}));
    }
}
