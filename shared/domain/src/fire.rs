//! Firing: from a due job to the runs of its due occurrences and its next one.

use crate::job::{Changed, Job, JobState};
use crate::policy::{MisfirePolicy, Overlap};
use crate::run::{Reason, Run, RunKind, RunStatus};
use crate::settle::overdue;
use crate::time::LeftOut;
use crate::{Instant, JobId};

/// What becomes of a due job: its next occurrence, and a record for every one that was due.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    /// The job.
    pub job_id: JobId,
    /// Its next occurrence.
    pub next_fire_at: Option<Instant>,
    /// Its state afterwards.
    pub state: JobState,
    /// One record for each occurrence that was due, or for many that did not run; oldest first.
    pub runs: Vec<Run>,
}

/// At most so many records come of one firing; what is left is due still and comes with the next.
const MAX_RUNS: usize = 1_000;

impl Firing {
    /// Sets a job aside whose stored form cannot be read, so that it stops nobody else.
    pub fn invalid(job_id: JobId) -> Self {
        Self { job_id, next_fire_at: None, state: JobState::Invalid, runs: Vec::new() }
    }

    /// How many of its runs count towards the job's `max_runs`: those of the schedule that are to be executed.
    pub fn started(&self) -> u64 {
        let counts = |run: &&Run| run.kind == RunKind::Schedule && !run.status.is_finished();
        self.runs.iter().filter(counts).count() as u64
    }
}

/// Fires `job`, due since `first_due`, at `now`, while `active` of its runs are not finished and `started` runs of its
/// schedule have been started before.
///
/// `first_due` is the stored `next_fire_at`, read in the transaction that will advance it: the next occurrence is
/// computed from it, never from `now`, and every occurrence due from there up to `now` is accounted for:
/// - noticed at most `misfire.tolerance` after it was due, it is on time;
/// - later than `misfire.window`, it is missed;
/// - in between, `misfire.policy` decides; what it leaves out is missed.
///
/// A paused job is due when its pause ends, and resumed as of then, however late that is noticed: what was due since
/// fires or is missed like anything that is noticed late. The schedule ends with the last run that `max_runs` admits:
/// what would be due after it is no occurrence any more.
///
/// Missed occurrences that follow each other share one record, and so do those that the job's calendars leave out.
/// Firing the same job twice at one instant yields the same run ids, so the second time changes nothing in any
/// store.
pub fn fire(job: &Job, first_due: Instant, now: Instant, active: u64, started: u64) -> Firing {
    if now < first_due {
        return Firing {
            job_id: job.id,
            next_fire_at: Some(first_due),
            state: JobState::Active,
            runs: Vec::new(),
        };
    }
    if job.pause.as_ref().is_some_and(|pause| pause.until == Some(first_due)) {
        return end_pause(&Job { runs_started: started, ..job.clone() }, first_due, now, active);
    }
    let plan = &job.plan;
    let first = plan.due_for(first_due);
    let misfire = &job.draft.misfire;
    // The last occurrence due before an instant. The first one counts as stored, also where the rules of its zone
    // have changed since.
    let due_before = |instant: Instant| {
        (first_due < instant)
            .then(|| plan.last_due(just_before(instant)).map_or(first, |last| last.max(first)))
    };

    let runs_left = job.draft.max_runs.map(|most| u64::from(most).saturating_sub(started));
    let next = (runs_left != Some(0)).then_some(first);
    let since = job.counts_since(first);
    let mut ledger = Ledger { job, now, active, runs_left, since, runs: Vec::new(), next, last: first };
    if let Some(oldest) = due_before(now - misfire.window.to_delta()) {
        ledger.miss(oldest, Reason::Window);
    }
    if let Some(late) = due_before(now - misfire.tolerance.to_delta()) {
        match misfire.policy {
            MisfirePolicy::Skip => {}
            MisfirePolicy::Latest => {
                ledger.miss(just_before(late), Reason::Downtime);
                ledger.execute(late, 1);
            }
            MisfirePolicy::All => {
                ledger.execute(late, usize::try_from(misfire.max).unwrap_or(MAX_RUNS).min(MAX_RUNS));
            }
        }
        ledger.miss(late, Reason::Downtime);
    }
    if let Some(on_time) = due_before(now + MILLI) {
        ledger.execute(on_time, MAX_RUNS.saturating_sub(ledger.runs.len()));
    }
    let next_fire_at = ledger.next.map(|next| plan.due_at(next));
    if runs_left != Some(0) {
        ledger.leave_out(first, ledger.last);
    }
    let state = if next_fire_at.is_some() { JobState::Active } else { JobState::Completed };
    Firing { job_id: job.id, next_fire_at, state, runs: ledger.runs }
}

fn end_pause(job: &Job, until: Instant, now: Instant, active: u64) -> Firing {
    let Changed { job: resumed, mut closing } = job.resumed(until);
    for run in &mut closing {
        (run.created_at, run.finished_at) = (now, Some(now));
    }
    match resumed.next_fire_at {
        Some(next) if next <= now => {
            let mut firing = fire(&resumed, next, now, active, resumed.runs_started);
            firing.runs.splice(..0, closing);
            firing
        }
        next_fire_at => Firing { job_id: job.id, next_fire_at, state: resumed.state, runs: closing },
    }
}

/// Fires `job` shortly before it is due, as it will be when it is due.
///
/// Where that depends on runs that may have ended by then, the job is left as it is, to be fired when it is due.
pub fn fire_ahead(job: &Job, first_due: Instant, now: Instant, active: u64, started: u64) -> Firing {
    let overlap = job.draft.overlap;
    let depends = active > 0 && (overlap.room().is_some() || overlap.is_sequential());
    if depends && job.pause.is_none() {
        return fire(job, first_due, now, active, started);
    }
    fire(job, first_due, now.max(first_due), active, started)
}

/// The records of all occurrences of `job` up to `now` that will not fire any more, because the job is resumed or
/// rescheduled.
pub(crate) fn close_ledger(job: &Job, now: Instant, reason: Reason) -> Vec<Run> {
    let due = job.pause.as_ref().map_or(job.next_fire_at, |pause| pause.since);
    let next = due.map(|due| job.plan.due_for(due));
    // Of a job without a next occurrence all are accounted for, save what its calendars left out since the last one.
    let first = next.unwrap_or(now + MILLI);
    // A pause that is still there has not ended, whenever it would have.
    let since = job.since;
    let mut ledger =
        Ledger { job, now, active: 0, runs_left: None, since, runs: Vec::new(), next, last: first };
    ledger.miss(now, reason);
    ledger.leave_out(first, now);
    ledger.runs
}

struct Ledger<'a> {
    job: &'a Job,
    now: Instant,
    active: u64,
    /// How many more runs the job may start; `None` for any number.
    runs_left: Option<u64>,
    /// Since when the schedule counts.
    since: Instant,
    runs: Vec<Run>,
    /// The first occurrence not accounted for.
    next: Option<Instant>,
    /// The last one accounted for.
    last: Instant,
}

impl Ledger<'_> {
    /// Records all occurrences up to `until` that are not accounted for as missed, in one record.
    fn miss(&mut self, until: Instant, reason: Reason) {
        let Some(first) = self.next.filter(|next| *next <= until) else { return };
        let plan = &self.job.plan;
        let last = plan.last_until(until).map_or(first, |last| last.max(first));
        let count = plan.count(first, last).max(1);
        self.record(RunStatus::Missed, reason, (first, last), count);
        self.account(last);
    }

    /// Runs the occurrences up to `until` that are not accounted for, at most `max`.
    fn execute(&mut self, until: Instant, max: usize) {
        for _ in 0..max {
            let Some(at) = self.next.filter(|at| *at <= until) else { break };
            let overlap = self.job.draft.overlap;
            let mut run = Run::pending(self.job, RunKind::Schedule, at, self.now, 0);
            if let Some(over) = overdue(&run, &self.job.draft, self.now, self.now) {
                self.runs.push(over);
            } else if overlap.room().is_some_and(|room| room <= self.active) {
                let reason = if overlap == Overlap::Skip { Reason::Overlap } else { Reason::BufferFull };
                self.record(RunStatus::Skipped, reason, (at, at), 1);
            } else {
                if self.active > 0 && overlap.is_sequential() || self.job.draft.concurrency.is_some() {
                    // Not to be started with this firing: whoever takes it up looks whether it is its turn.
                    run.due_at = Some(self.now + MILLI);
                }
                self.active += 1;
                self.runs.push(run);
                self.runs_left = self.runs_left.map(|left| left.saturating_sub(1));
            }
            self.account(at);
            if self.runs_left == Some(0) {
                self.next = None;
            }
        }
    }

    /// Records what the calendars leave out up to `until`, since the occurrence before `first` or the last change
    /// of the schedule.
    fn leave_out(&mut self, first: Instant, until: Instant) {
        let plan = &self.job.plan;
        if !plan.leaves_out() {
            return;
        }
        let before = plan.last_until(just_before(first));
        let since = before.map_or(self.since, |before| before.max(self.since));
        if let Some(LeftOut { first, last, count }) = plan.left_out(since + MILLI, until) {
            self.record(RunStatus::Skipped, Reason::Calendar, (first, last), count);
            self.runs.sort_by_key(|run| run.scheduled_for);
        }
    }

    fn record(&mut self, status: RunStatus, reason: Reason, (first, last): (Instant, Instant), count: u64) {
        let mut run = Run::not_executed(self.job, status, reason, first, self.now);
        run.count = count;
        run.scheduled_until = (first < last).then_some(last);
        self.runs.push(run);
    }

    fn account(&mut self, last: Instant) {
        self.last = last;
        self.next = self.job.plan.next_after(last);
    }
}

const MILLI: chrono::TimeDelta = chrono::TimeDelta::milliseconds(1);

fn just_before(at: Instant) -> Instant {
    at - MILLI
}
