//! What is to come of a job, for those who look ahead: the occurrences of a range, or how many fall into each part of it.

use crate::Instant;
use crate::job::{Job, JobState};

/// An occurrence that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Its nominal time.
    pub scheduled_for: Instant,
    /// When it is due, jitter included.
    pub due_at: Instant,
}

/// What is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcoming {
    /// Each of them, in order.
    Each(Vec<Occurrence>),
    /// How many have their nominal times in each part of the range, and where the part begins; parts without any are left
    /// out.
    Parts(Vec<(Instant, u64)>),
}

const MILLI: chrono::TimeDelta = chrono::TimeDelta::milliseconds(1);

/// The occurrences of `job` that are due in `[from, until)`: each of them where there are at most `each`, otherwise how
/// many there are by `parts`, the beginnings of equal parts of the range in order.
///
/// None before the one the job is due for next: what lies in the past is told by runs. A job that is paused until an
/// instant goes on then; one that is paused for good, completed or invalid has none, and none has
/// more than its `max_runs` admit.
pub fn upcoming(job: &Job, from: Instant, until: Instant, each: usize, parts: &[Instant]) -> Upcoming {
    let plan = &job.plan;
    let first = match (job.state, job.next_fire_at) {
        (JobState::Active, Some(next)) => Some(plan.due_for(next)),
        (JobState::Paused, Some(end)) => plan.next_after(end),
        _ => None,
    };
    let Some(job_first) = first else { return Upcoming::Each(Vec::new()) };
    let not_before = match plan.last_due(from - MILLI) {
        Some(last) if job_first <= last => plan.next_after(last),
        _ => Some(job_first),
    };
    let Some(first) = not_before else { return Upcoming::Each(Vec::new()) };
    let nominal = std::iter::successors(Some(first), |last| plan.next_after(*last));
    let due = nominal.map(|at| Occurrence { scheduled_for: at, due_at: plan.due_at(at) });
    let left = job.draft.max_runs.map_or(u64::MAX, |most| u64::from(most).saturating_sub(job.runs_started));
    // Those that come before `from` use some of them up.
    let before = if job_first < first { plan.count(job_first, first - MILLI) } else { 0 };
    let mut left = left.saturating_sub(before);
    let most = usize::try_from(left).unwrap_or(usize::MAX).min(each.saturating_add(1));
    let occurrences: Vec<_> = due.take_while(|it| it.due_at < until).take(most).collect();
    if occurrences.len() <= each {
        return Upcoming::Each(occurrences);
    }
    let ends = parts.iter().skip(1).copied().chain([until]);
    let counted = parts.iter().zip(ends).map(|(begin, end)| {
        let begin_at = first.max(*begin);
        let count = if begin_at < end { plan.count(begin_at, end - MILLI).min(left) } else { 0 };
        left -= count;
        (*begin, count)
    });
    Upcoming::Parts(counted.filter(|(_, count)| *count > 0).collect())
}
