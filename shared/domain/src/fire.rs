//! Firing: from a due job to the runs of its due occurrences and its next one.

use crate::job::{Job, JobState};
use crate::policy::{MisfirePolicy, Overlap};
use crate::run::{Reason, Run, RunKind, RunStatus};
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
}

/// Fires `job`, due since `first`, at `now`, while `active` of its runs are not finished.
///
/// `first` is the stored `next_fire_at`, read in the transaction that will advance it: the next occurrence is
/// computed from it, never from `now`, and every occurrence from there up to `now` is accounted for:
/// - noticed at most `misfire.tolerance` late, it is on time;
/// - later than `misfire.window`, it is missed;
/// - in between, `misfire.policy` decides; what it leaves out is missed.
///
/// Missed occurrences that follow each other share one record. Firing the same job twice at one instant
/// yields the same run ids, so the second time changes nothing in any store.
pub fn fire(job: &Job, first: Instant, now: Instant, active: u64) -> Firing {
    if now < first {
        return Firing {
            job_id: job.id,
            next_fire_at: Some(first),
            state: JobState::Active,
            runs: Vec::new(),
        };
    }
    let mut ledger = Ledger { job, now, active, runs: Vec::new(), last: first };
    let misfire = &job.draft.misfire;
    let until = job.draft.end_at.map_or(now, |end| end.min(now));
    let on_time = now - misfire.tolerance.to_delta();
    let in_window = now - misfire.window.to_delta();

    // Walk the three ages of occurrences, oldest first. Each step leaves `from` at the first one not accounted for.
    let mut from = Some(first);
    if let Some(start) = from.filter(|from| *from < in_window) {
        from = ledger.miss(start, just_before(in_window).min(until), Reason::Window);
    }
    if let Some(start) = from.filter(|from| *from < on_time) {
        let until = just_before(on_time).min(until);
        from = match misfire.policy {
            MisfirePolicy::Skip => ledger.miss(start, until, Reason::Downtime),
            MisfirePolicy::Latest => {
                let newest = job.timetable.last_until(until).unwrap_or(start).max(start);
                if start < newest {
                    ledger.miss(start, just_before(newest), Reason::Downtime);
                }
                ledger.execute(newest, newest, 1)
            }
            MisfirePolicy::All => {
                let max = usize::try_from(misfire.max).unwrap_or(MAX_RUNS).min(MAX_RUNS);
                let rest = ledger.execute(start, until, max);
                rest.and_then(|rest| {
                    if rest <= until { ledger.miss(rest, until, Reason::Downtime) } else { Some(rest) }
                })
            }
        };
    }
    if let Some(start) = from.filter(|from| *from <= until) {
        let room = MAX_RUNS.saturating_sub(ledger.runs.len());
        ledger.execute(start, until, room);
    }
    let next_fire_at = job.next_after(ledger.last);
    let state = if next_fire_at.is_some() { JobState::Active } else { JobState::Completed };
    Firing { job_id: job.id, next_fire_at, state, runs: ledger.runs }
}

/// One record for all occurrences of `job` that were due by `now` and will not fire any more, because the job
/// is resumed or rescheduled.
pub(crate) fn close_ledger(job: &Job, now: Instant, reason: Reason) -> Option<Run> {
    let due = job.pause.as_ref().map_or(job.next_fire_at, |pause| pause.since);
    let first = due.filter(|first| *first <= now)?;
    let until = job.draft.end_at.map_or(now, |end| end.min(now));
    let mut ledger = Ledger { job, now, active: 0, runs: Vec::new(), last: first };
    ledger.miss(first, until, reason);
    ledger.runs.pop()
}

struct Ledger<'a> {
    job: &'a Job,
    now: Instant,
    active: u64,
    runs: Vec<Run>,
    /// The last occurrence accounted for.
    last: Instant,
}

impl Ledger<'_> {
    /// Records all occurrences in `[first, until]` as missed, in one record; returns the one after.
    fn miss(&mut self, first: Instant, until: Instant, reason: Reason) -> Option<Instant> {
        let last = self.job.timetable.last_until(until).unwrap_or(first).max(first);
        let mut run = Run::not_executed(self.job, RunStatus::Missed, reason, first, self.now);
        run.count = self.job.timetable.count(first, last).max(1);
        run.scheduled_until = (first < last).then_some(last);
        self.runs.push(run);
        self.account(last)
    }

    /// Runs the occurrences in `[first, until]`, at most `max`; returns the one after those.
    fn execute(&mut self, first: Instant, until: Instant, max: usize) -> Option<Instant> {
        let mut next = Some(first);
        for _ in 0..max {
            let Some(at) = next.filter(|at| *at <= until) else { break };
            let waits = self.active > 0 && self.job.draft.overlap == Overlap::Skip;
            self.runs.push(if waits {
                Run::not_executed(self.job, RunStatus::Skipped, Reason::Overlap, at, self.now)
            } else {
                self.active += 1;
                Run::pending(self.job, RunKind::Schedule, at, self.now, 0)
            });
            next = self.account(at);
        }
        next
    }

    fn account(&mut self, last: Instant) -> Option<Instant> {
        self.last = last;
        self.job.next_after(last)
    }
}

fn just_before(at: Instant) -> Instant {
    at - chrono::TimeDelta::milliseconds(1)
}
