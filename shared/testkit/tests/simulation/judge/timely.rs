//! Nothing waits while a node could see to it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{Instant, JobId, RunId, RunStatus};

use super::super::event::{Entry, Event};
use super::super::history::History;
use super::replay::Replay;
use super::wellness::Wellness;
use super::{Judgement, Violation};

/// A due job fires in the time within which loops look.
const FIRES: TimeDelta = TimeDelta::seconds(6);
/// A run that waits is taken up, and one whose lease ran out is taken over.
const TAKEN_UP: TimeDelta = TimeDelta::seconds(10);

pub(super) fn check(history: &History) -> Judgement {
    let wellness = Wellness::of(history);
    jobs_fire(history, &wellness)?;
    runs_are_taken_up(history, &wellness)
}

/// `what` had to happen by `deadline`, counted from `since`: by `at` it had not. Was there a node to do it?
fn waited(wellness: &Wellness, since: Instant, most: TimeDelta, at: Instant) -> Option<String> {
    let deadline = since + most;
    let witness = (deadline < at).then(|| wellness.witness(since, deadline)).flatten()?;
    Some(format!("from {since} to {at}, although {witness} was well"))
}

fn jobs_fire(history: &History, wellness: &Wellness) -> Judgement {
    // Since when each job has been due.
    let mut due: BTreeMap<JobId, Instant> = BTreeMap::new();
    for entry in &history.entries {
        let (job, next) = match &entry.event {
            Event::JobInserted(job) | Event::JobReplaced(job, _) => (job.id, job.next_fire_at),
            Event::Fired { firing, .. } => (firing.job_id, firing.next_fire_at),
            Event::JobDeleted(job) => (*job, None),
            _ => continue,
        };
        let before = match next {
            Some(next) => due.insert(job, next.max(entry.at)),
            None => due.remove(&job),
        };
        if let Some(what) = before.and_then(|since| waited(wellness, since, FIRES, entry.at)) {
            let what = format!("a job was due {what}");
            return Err(Violation::new("nothing waits", what).at(entry.at).of_job(job));
        }
    }
    Ok(())
}

fn runs_are_taken_up(history: &History, wellness: &Wellness) -> Judgement {
    let mut runs = Replay::default();
    for entry in &history.entries {
        if let Some(run) = touched(entry)
            && let Some(known) = runs.get(run).filter(|known| !known.status.is_finished())
            && let Some(due_at) = known.due_at
            && let Some(what) = waited(wellness, due_at.max(known.since), TAKEN_UP, entry.at)
        {
            let what = match known.status {
                RunStatus::Running => format!("a lease was over {what}"),
                _ => format!("a run waited {what}"),
            };
            return Err(Violation::new("nothing waits", what).at(entry.at).of_run(run));
        }
        runs.pass(entry);
    }
    Ok(())
}

/// The run whose state an entry changes. Prolonging a lease that is over changes it as well.
fn touched(entry: &Entry) -> Option<RunId> {
    match &entry.event {
        Event::Leased { run, .. } | Event::Settled { run, written: true, .. } => Some(run.id),
        Event::Renewed { run, .. } => Some(*run),
        _ => None,
    }
}
