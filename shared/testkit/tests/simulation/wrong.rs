//! Bugs to be planted: what the judge does not notice it does not judge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use domain::run::Lease;
use domain::{Firing, Instant, Job, JobId, JobState, Run, RunId};
use engine::{DueJob, Expected};

use testkit::MemoryStore;

/// One defect, of the store or of what stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// The store takes outcomes and renewals under any token.
    NoFencing,
    /// A job fires once however late it is noticed, and goes on from now.
    NextFromNow,
    /// Runs are started although the transaction that fired them was rolled back.
    StartsBeforeCommit,
    /// Runs are inserted and the job is not advanced, so that the next look inserts them again.
    InsertsTwice,
    /// A paused job stays in the index of what is due.
    FiresPausedJobs,
    /// A job that is resumed is due for what the pause held back.
    ResumeFiresThePast,
    /// Some of the runs that fire are not written.
    LosesRuns,
    /// Whether a lease is over is judged by the clock of whoever wants it, which is ahead.
    LeaseByOwnClock,
    /// Firing does not see that earlier runs are not finished.
    OverlooksActiveRuns,
    /// Runs that come one after the other do not look whether it is their turn.
    OverlooksTurns,
    /// Any number of runs of a job are carried out at a time.
    OverlooksSlots,
    /// A job is replaced whatever its version is.
    LosesUpdates,
    /// A job is replaced although it has fired since it was read.
    TurnsTheClockBack,
    /// Requests to cancel are answered and forgotten.
    ForgetsCancellations,
    /// Some outcomes are acknowledged and not written.
    LosesOutcomes,
    /// Runs that wait, and those whose worker is gone, are taken up half a minute late.
    TakesOverLate,
    /// Attempts are forgotten with their outcome, so that nobody counts them.
    ForgetsAttempts,
    /// Nodes are ahead of the database's time.
    ClockAhead,
    /// Deletions are acknowledged and not carried out.
    KeepsDeletedJobs,
    /// Lists of jobs are empty, so that no change of a calendar reaches them.
    HidesJobs,
}

/// What is wrong with the store: one bug or none. Each method is one place where a bug can be.
#[derive(Clone)]
pub(crate) struct Wrong {
    bug: Option<Bug>,
    firings: Arc<AtomicU64>,
}

impl Wrong {
    pub(crate) fn with(bug: Option<Bug>) -> Self {
        Self { bug, firings: Arc::default() }
    }

    pub(crate) fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub(crate) fn token(&self, memory: &MemoryStore, id: RunId) -> Option<u64> {
        self.is(Bug::NoFencing).then(|| memory.peek_run(id).map(|run| run.token)).flatten()
    }

    pub(crate) fn replacing(
        &self,
        memory: &MemoryStore,
        job: &Job,
        mut expected: Expected,
    ) -> (Job, Expected) {
        let mut job = job.clone();
        let Some(current) = memory.peek(job.id) else { return (job, expected) };
        if self.is(Bug::LosesUpdates) {
            expected = Expected { version: current.version, next_fire_at: current.next_fire_at };
        }
        if self.is(Bug::TurnsTheClockBack) && current.version == expected.version {
            expected.next_fire_at = current.next_fire_at;
        }
        if self.is(Bug::FiresPausedJobs) && job.state == JobState::Paused {
            job.next_fire_at = job.pause.as_ref().and_then(|pause| pause.since);
        }
        let held_back = current.pause.and_then(|pause| pause.since);
        if self.is(Bug::ResumeFiresThePast) && job.pause.is_none() && held_back.is_some() {
            job.next_fire_at = held_back;
        }
        (job, expected)
    }

    pub(crate) fn deleting(&self, memory: &MemoryStore, id: JobId, expected: u64) -> Option<bool> {
        let there = || memory.peek(id).is_some_and(|job| job.version == expected);
        self.is(Bug::KeepsDeletedJobs).then(there)
    }

    pub(crate) fn firing(
        &self,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
        mut due: DueJob,
        now: Instant,
        lost: &mut Vec<Run>,
    ) -> Firing {
        if self.is(Bug::OverlooksActiveRuns) {
            due.active = 0;
        }
        let (at, job) = (due.next_fire_at, due.job.clone());
        let mut firing = decide(due);
        if self.is(Bug::NextFromNow) {
            firing.runs.truncate(1);
            for run in &mut firing.runs {
                (run.count, run.scheduled_until) = (1, None);
            }
            firing.next_fire_at = job.and_then(|job| job.plan.next_after(now));
        }
        let number = self.firings.fetch_add(1, Ordering::Relaxed);
        if self.is(Bug::InsertsTwice) && number.is_multiple_of(8) {
            firing.next_fire_at = Some(at);
            for run in &mut firing.runs {
                run.id = RunId::derive(run.job_id, run.scheduled_for, run.kind, number + 1);
            }
        }
        if self.is(Bug::LosesRuns) {
            lost.extend(firing.runs.extract_if(.., |run| unlucky(run.id)));
        }
        firing
    }

    pub(crate) fn leasing_at(&self, now: Instant, lease: &Lease) -> Instant {
        match self.bug {
            Some(Bug::LeaseByOwnClock) => now + (lease.until - now) / 2,
            Some(Bug::TakesOverLate) => now - TimeDelta::seconds(30),
            _ => now,
        }
    }

    pub(crate) fn settling(&self, run: &Run) -> Run {
        let attempts = if self.is(Bug::ForgetsAttempts) { Vec::new() } else { run.attempts.clone() };
        Run { attempts, ..run.clone() }
    }

    pub(crate) fn loses_outcome(&self, run: RunId) -> bool {
        self.is(Bug::LosesOutcomes) && unlucky(run)
    }

    pub(crate) fn forgets_cancellations(&self) -> bool {
        self.is(Bug::ForgetsCancellations)
    }
}

/// A few of all runs, always the same.
fn unlucky(id: RunId) -> bool {
    id.0.as_bytes()[15].is_multiple_of(8)
}
