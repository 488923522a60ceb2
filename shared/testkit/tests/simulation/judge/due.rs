//! What was due, worked out from the definitions alone.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::calendar::{CalendarMode, CalendarRange, Edge};
use domain::schedule::At;
use domain::time::Timetable;
use domain::{Instant, Job, JobDraft, JobId, Schedule};

use super::super::event::Event;
use super::super::history::History;

/// A time during which one schedule of a job was in force: from its creation, a new schedule or the end of a pause
/// to the next of those.
pub(super) struct Epoch {
    pub(super) job: Arc<Job>,
    /// The entry it begins with.
    pub(super) index: usize,
    /// It names the occurrences after this instant: that of the change, by the clock of whoever made it.
    pub(super) since: Instant,
    pub(super) end: End,
}

/// How an epoch ends.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// It does not.
    Open,
    /// Another one begins, at `clock` of whoever made the change. What is due between that and the true time of the
    /// change is named by the new one, but may have been fired by the old one: clocks lag.
    Replaced { clock: Instant },
    /// The job is deleted. What nobody had noticed by then is forgotten with it.
    Deleted { at: Instant },
}

impl Epoch {
    fn first(index: usize, job: &Arc<Job>) -> Self {
        let since = match &job.draft.schedule {
            // A date a moment ago is meant to run.
            Schedule::Date(date) => match date.at {
                At::Instant(at) => job.created_at.min(at - MILLI),
                At::Local(_) => job.created_at,
            },
            _ => job.created_at,
        };
        Self { job: job.clone(), index, since, end: End::Open }
    }
}

/// The epochs of a job, in order.
pub(super) fn epochs(history: &History, job: JobId) -> Vec<Epoch> {
    let mut epochs: Vec<Epoch> = Vec::new();
    let mut current: Option<Arc<Job>> = None;
    for (index, entry) in history.entries.iter().enumerate() {
        let (after, clock) = match (&entry.event, &current) {
            (Event::JobInserted(it), _) if it.id == job => {
                epochs.push(Epoch::first(index, it));
                (it.clone(), None)
            }
            (Event::JobReplaced(it, _), Some(before)) if it.id == job => {
                (it.clone(), is_new_schedule(before, it).then_some(it.updated_at))
            }
            // A paused job fires when its pause ends.
            (Event::Fired { firing, .. }, Some(before)) if firing.job_id == job => {
                let Some(pause) = &before.pause else { continue };
                (Arc::new(Job { pause: None, ..Job::clone(before) }), pause.until)
            }
            (Event::JobDeleted(it), _) if *it == job => {
                epochs.last_mut().into_iter().for_each(|last| last.end = End::Deleted { at: entry.at });
                break;
            }
            _ => continue,
        };
        if let Some(clock) = clock {
            epochs.last_mut().into_iter().for_each(|last| last.end = End::Replaced { clock });
            epochs.push(Epoch { job: after.clone(), index, since: clock, end: End::Open });
        }
        current = Some(after);
    }
    epochs
}

/// An occurrence of a schedule, admitted by the job's calendars or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) at: Instant,
    pub(super) admitted: bool,
}

/// Whether a change makes the job due anew from the instant of the change.
pub(super) fn is_new_schedule(before: &Job, after: &Job) -> bool {
    let timing = |job: &Job| {
        let draft = &job.draft;
        (draft.schedule.clone(), draft.start_at, draft.end_at, draft.calendars.clone(), job.calendars.clone())
    };
    let runs_left = |job: &Job| job.draft.max_runs.is_none_or(|most| after.runs_started < u64::from(most));
    timing(before) != timing(after)
        || runs_left(before) != runs_left(after)
        || (before.pause.is_some() && after.pause.is_none())
}

/// The occurrences of a job's schedule in `(after, until]`.
pub(super) fn occurrences(job: &Job, after: Instant, until: Instant) -> Vec<Occurrence> {
    let named = nominal_times(&job.draft, after, until);
    named.into_iter().map(|at| Occurrence { at, admitted: admits(job, at) }).collect()
}

/// Whether all calendars of a job admit an instant. Those of the simulation consist of ranges in UTC.
fn admits(job: &Job, at: Instant) -> bool {
    let at = at.naive_utc();
    let lies_within = |range: &CalendarRange| match (range.from, range.until) {
        (Edge::Time(from), Edge::Time(until)) => from <= at && at < until,
        _ => false,
    };
    job.draft.calendars.iter().all(|it| {
        let copy = job.calendars.iter().find(|copy| copy.name == it.name);
        let within = copy.is_some_and(|copy| copy.draft.ranges.iter().any(lies_within));
        within == (it.mode == CalendarMode::Only)
    })
}

fn nominal_times(draft: &JobDraft, after: Instant, until: Instant) -> Vec<Instant> {
    let after = draft.start_at.map_or(after, |start| after.max(start - MILLI));
    let until = draft.end_at.map_or(until, |end| until.min(end));
    match &draft.schedule {
        Schedule::Interval(interval) => {
            let every = interval.every.to_delta();
            let anchor = interval.anchor.unwrap_or_default();
            let steps = (after - anchor).num_milliseconds().div_euclid(every.num_milliseconds()) + 1;
            let first = anchor + TimeDelta::milliseconds(every.num_milliseconds() * steps);
            std::iter::successors(Some(first), |at| Some(*at + every)).take_while(|at| *at <= until).collect()
        }
        schedule => {
            let timetable = Timetable::compile(schedule).expect("a stored schedule is sound");
            timetable.after(after).take_while(|at| *at <= until).collect()
        }
    }
}

pub(super) const MILLI: TimeDelta = TimeDelta::milliseconds(1);
