//! What the cases have in common: short ways to ask and to compare.

use std::sync::Arc;

use domain::calendar::CalendarCopy;
use domain::job::Pause;
use domain::run::Lease;
use domain::{Firing, Instant, Job, JobDraft, JobId, JobState, Run, RunId, RunKind, RunStatus, fire};
use engine::query::{JobSort, JobSortKey};
use engine::{DueJob, Expected, JobQuery, LeasedRun, Page, RunQuery, Settled, StoredJob};

use super::Fixture;
use crate::fixtures::{at, duration};

/// Everything about a job that a store keeps. Jobs themselves hold a compiled plan and do not compare.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    id: JobId,
    project: String,
    draft: JobDraft,
    calendars: Vec<CalendarCopy>,
    state: JobState,
    next_fire_at: Option<Instant>,
    pause: Option<Pause>,
    runs_started: u64,
    since: Instant,
    version: u64,
    created_at: Instant,
    updated_at: Instant,
}

pub(crate) fn facts(job: &Job) -> Facts {
    Facts {
        id: job.id,
        project: job.project.clone(),
        draft: job.draft.clone(),
        calendars: job.calendars.clone(),
        state: job.state,
        next_fire_at: job.next_fire_at,
        pause: job.pause.clone(),
        runs_started: job.runs_started,
        since: job.since,
        version: job.version,
        created_at: job.created_at,
        updated_at: job.updated_at,
    }
}

/// What must still be true of `job` when it is replaced.
pub(crate) fn expected(job: &Job) -> Expected {
    Expected { version: job.version, next_fire_at: job.next_fire_at }
}

/// A lease of `worker` until `until`.
pub(crate) fn lease(worker: &str, until: &str) -> Lease {
    Lease { worker: worker.to_owned(), until: at(until) }
}

/// All jobs of `project` in the order of their creation.
pub(crate) fn all_jobs(project: &str) -> JobQuery {
    JobQuery {
        project: project.to_owned(),
        states: Vec::new(),
        labels: Vec::new(),
        text: None,
        sort: JobSort { by: JobSortKey::CreatedAt, descending: false },
        after: None,
        limit: 1_000,
    }
}

/// All runs of `project`, newest first.
pub(crate) fn all_runs(project: &str) -> RunQuery {
    RunQuery {
        project: project.to_owned(),
        job: None,
        statuses: Vec::new(),
        kinds: Vec::new(),
        from: None,
        until: None,
        ascending: false,
        after: None,
        limit: 1_000,
    }
}

/// The readable jobs' names, in order.
pub(crate) fn names(page: &Page<StoredJob>) -> Vec<&str> {
    page.items
        .iter()
        .map(|stored| match &stored.job {
            Ok(job) => job.draft.name.as_str(),
            Err(broken) => broken.name.as_str(),
        })
        .collect()
}

/// The ids of a page of runs, in order.
pub(crate) fn ids(page: &Page<Run>) -> Vec<RunId> {
    page.items.iter().map(|run| run.id).collect()
}

/// The decider of the real dispatcher, without leasing what it fires.
pub(crate) fn decide(now: Instant) -> impl FnMut(DueJob) -> Firing + Send {
    move |due| match due.job {
        Some(job) => fire(&job, due.next_fire_at, now, due.active, due.runs_started),
        None => Firing::invalid(due.id),
    }
}

/// A retry of one hour later than `now`, as a settled run.
pub(crate) fn to_be_retried(run: &Run, due_at: &str) -> Settled {
    let mut later = run.clone();
    later.status = RunStatus::Pending;
    later.due_at = Some(at(due_at));
    Settled { run: later, token: run.token }
}

/// `run`, succeeded at `when`.
pub(crate) fn succeeded(run: &Run, when: &str) -> Settled {
    let mut done = run.clone();
    done.status = RunStatus::Succeeded;
    done.started_at.get_or_insert(at(when));
    done.finished_at = Some(at(when));
    done.due_at = None;
    Settled { run: done, token: run.token }
}

/// A manual run of `job` that waits since `when`.
pub(crate) fn manual(job: &Job, when: &str) -> Run {
    Run::pending(job, RunKind::Manual, at(when), at(when), 1)
}

impl Fixture {
    pub(crate) async fn insert(&self, job: &Job) {
        self.store.insert_job(job).await.expect("insert_job");
    }

    pub(crate) async fn find(&self, job: &Job) -> Option<StoredJob> {
        self.store.job(&job.project, &job.id.into()).await.expect("job")
    }

    /// The job as it is stored, which it must be.
    pub(crate) async fn stored(&self, job: &Job) -> Job {
        self.find(job).await.expect("the job is there").job.expect("the job can be read")
    }

    pub(crate) async fn replace(&self, job: &Job, expected: Expected, runs: &[Run]) -> bool {
        self.store.replace_job(job, expected, runs).await.expect("replace_job")
    }

    pub(crate) async fn delete(&self, job: &Job, now: &str) -> bool {
        self.store.delete_job(&job.project, job.id, job.version, at(now)).await.expect("delete_job")
    }

    pub(crate) async fn jobs(&self, query: &JobQuery) -> Page<StoredJob> {
        self.store.jobs(query).await.expect("jobs")
    }

    /// Fires everything due at `now` by the real rules.
    pub(crate) async fn fire(&self, now: &str) -> Vec<Firing> {
        self.fire_by(now, 1_000, &mut decide(at(now))).await
    }

    pub(crate) async fn fire_by(
        &self,
        now: &str,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Vec<Firing> {
        self.store.fire_due(at(now), limit, decide).await.expect("fire_due")
    }

    pub(crate) async fn next_due(&self) -> Option<Instant> {
        self.store.next_due().await.expect("next_due")
    }

    pub(crate) async fn insert_run(&self, run: &Run) -> bool {
        self.store.insert_run(run).await.expect("insert_run")
    }

    /// Adds `job` and a manual run of it that waits since `when`.
    pub(crate) async fn waiting(&self, job: &Job, when: &str) -> Run {
        if self.find(job).await.is_none() {
            self.insert(job).await;
        }
        let run = manual(job, when);
        assert!(self.insert_run(&run).await, "the run is new");
        run
    }

    /// Adds `job` and a manual run of it, leased to `worker` at `now` for 30 seconds.
    pub(crate) async fn running(&self, job: &Job, worker: &str, now: &str) -> Run {
        let run = self.waiting(job, now).await;
        let lease = Lease { worker: worker.to_owned(), until: at(now) + duration("30s").to_delta() };
        let leased = self.store.lease_runs(at(now), &lease, 1_000).await.expect("lease_runs");
        leased.into_iter().find(|leased| leased.run.id == run.id).expect("the run is leased").run
    }

    /// Leases for `worker` from `now` until `until` whatever is due.
    pub(crate) async fn lease(&self, worker: &str, now: &str, until: &str) -> Vec<LeasedRun> {
        self.store.lease_runs(at(now), &lease(worker, until), 1_000).await.expect("lease_runs")
    }

    pub(crate) async fn settle(&self, settled: &[Settled]) -> Vec<bool> {
        self.store.commit_settled(settled).await.expect("commit_settled")
    }

    /// The run as it is stored, which it must be.
    pub(crate) async fn run(&self, run: &Run) -> Run {
        self.store.run(&run.project, run.id).await.expect("run").expect("the run is there")
    }

    pub(crate) async fn runs(&self, query: &RunQuery) -> Page<Run> {
        self.store.runs(query).await.expect("runs")
    }

    pub(crate) async fn cancel(&self, run: &Run) -> Option<Run> {
        self.store.request_cancel(&run.project, run.id).await.expect("request_cancel")
    }

    /// The definition handed to deciders and workers.
    pub(crate) fn name_of(job: Option<&Arc<Job>>) -> Option<&str> {
        job.map(|job| job.draft.name.as_str())
    }
}
