//! Attempts are numbered, counted against the job's maximum, and say what the targets saw.

use std::collections::BTreeMap;

use domain::run::AttemptOutcome;
use domain::{Run, RunId, RunStatus, Verdict};

use super::super::event::Event;
use super::super::history::History;
use super::{Judgement, Violation};

pub(super) fn check(history: &History) -> Judgement {
    let reopened = count(history, |event| match event {
        Event::Reopened(run) => Some(run.id),
        _ => None,
    });
    let answers: BTreeMap<(RunId, u32), &Option<Verdict>> = history
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Ended { run, attempt, verdict, .. } => Some(((*run, *attempt), verdict)),
            _ => None,
        })
        .collect();
    for run in history.runs.values() {
        let maximum = maximum(history, run) + reopened.get(&run.id).copied().unwrap_or(0);
        let answer = |attempt| answers.get(&(run.id, attempt)).copied();
        judge(run, maximum, answer)
            .map_err(|what| Violation::new("attempts are counted", what).of_job(run.job_id).of_run(run.id))?;
    }
    Ok(())
}

fn judge<'a>(
    run: &Run,
    maximum: u32,
    answer: impl Fn(u32) -> Option<&'a Option<Verdict>>,
) -> Result<(), String> {
    for (attempt, number) in run.attempts.iter().zip(1..) {
        if attempt.number != number {
            return Err(format!("attempt {} is recorded where {number} belongs", attempt.number));
        }
        let seen = answer(number);
        let succeeded = matches!(seen, Some(Some(Verdict::Succeeded)));
        let consistent = match attempt.outcome {
            AttemptOutcome::Succeeded => succeeded,
            AttemptOutcome::Failed => matches!(seen, Some(Some(Verdict::Failed { .. }) | None)),
            // The process may have been stopped or killed before it reached the target, or before it heard of it.
            AttemptOutcome::TimedOut | AttemptOutcome::Cancelled | AttemptOutcome::Interrupted => !succeeded,
            AttemptOutcome::Abandoned => true,
        };
        if !consistent {
            let outcome = attempt.outcome.as_str();
            return Err(format!("attempt {number} is recorded as {outcome}; the target saw {seen:?}"));
        }
    }
    let tries = run.attempts.iter().filter(|it| it.outcome != AttemptOutcome::Interrupted).count();
    if tries > maximum as usize {
        return Err(format!("{tries} attempts, where {maximum} are the most"));
    }
    let last = run.attempts.last().map(|last| last.outcome);
    if (run.status == RunStatus::Succeeded) != (last == Some(AttemptOutcome::Succeeded)) {
        return Err(format!("it is {}, and its last attempt {last:?}", run.status.as_str()));
    }
    Ok(())
}

/// The most attempts the job ever allowed.
fn maximum(history: &History, run: &Run) -> u32 {
    let allowed = history.definitions(run.job_id).map(|(_, job)| job.draft.retry.max_attempts);
    allowed.max().unwrap_or(0)
}

fn count(history: &History, counted: impl Fn(&Event) -> Option<RunId>) -> BTreeMap<RunId, u32> {
    let mut counts = BTreeMap::new();
    for id in history.entries.iter().filter_map(|entry| counted(&entry.event)) {
        *counts.entry(id).or_default() += 1;
    }
    counts
}
