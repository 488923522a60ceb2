//! A run's deadline: by when all of it must be over, waiting and retries included.

use super::finish;
use crate::job::JobDraft;
use crate::run::{Reason, Run, RunKind, RunStatus};
use crate::{HumanDuration, Instant};

/// By when `run` must be over, where its job sets a deadline: counted from when it was due; for a run that somebody
/// asked for, from when they did, and likewise for one that was retried on request.
pub fn deadline(run: &Run, draft: &JobDraft) -> Option<Instant> {
    let from = if run.kind == RunKind::Schedule { run.due_for() } else { run.created_at };
    let from = run.reopened_at.map_or(from, |reopened| reopened.max(from));
    Some(from + draft.deadline?.to_delta())
}

/// How long an attempt of `run` that begins at `now` may take.
pub fn time_left(run: &Run, draft: &JobDraft, now: Instant) -> HumanDuration {
    let left = deadline(run, draft).map(|deadline| HumanDuration::between(now, deadline));
    left.map_or(draft.timeout, |left| left.min(draft.timeout))
}

/// The end of a run whose next attempt would begin at its deadline or later: no attempt does. `None` for any other.
///
/// One that was never tried is missed; one that was ran out of time, as its attempts tell.
pub fn overdue(run: &Run, draft: &JobDraft, at: Instant, now: Instant) -> Option<Run> {
    deadline(run, draft).filter(|deadline| *deadline <= at)?;
    let mut over = run.clone();
    let status = if run.attempts.is_empty() { RunStatus::Missed } else { RunStatus::TimedOut };
    finish(&mut over, status, now);
    over.reason = Some(Reason::Deadline);
    Some(over)
}

/// `settled`, kept to its deadline: it does not wait for an attempt that could not begin in time, and one that ran out
/// of time at its deadline says so.
#[must_use]
pub fn within_deadline(mut settled: Run, draft: &JobDraft, now: Instant) -> Run {
    let passed = deadline(&settled, draft).is_some_and(|deadline| deadline <= now);
    if settled.status == RunStatus::TimedOut && passed {
        settled.reason = Some(Reason::Deadline);
    }
    match settled.due_at {
        Some(due_at) if settled.status == RunStatus::Pending => {
            overdue(&settled, draft, due_at, now).unwrap_or(settled)
        }
        _ => settled,
    }
}
