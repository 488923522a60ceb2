//! The complete ledger: every occurrence is in exactly one record, and every record stands for occurrences.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use domain::{HumanDuration, Instant, JobId, Reason, Run, RunId, RunKind};

use super::super::event::Event;
use super::super::history::History;
use super::due::{End, Epoch, MILLI, Occurrence, epochs, occurrences};
use super::{Judgement, Violation};

/// Loops look at least every five seconds; what was due before that when everything comes to rest has a record.
const LOOKED: Duration = Duration::from_secs(6);

/// The occurrences that have a record.
type Covered = BTreeMap<Instant, RunId>;

pub(super) fn check(history: &History) -> Judgement {
    for job in history.all_jobs() {
        let epochs = epochs(history, job);
        let broken = |what| Violation::new("one record for each occurrence", what).of_job(job);
        let mut covered = Covered::new();
        for (index, run) in records(history, job) {
            let epoch = epochs.iter().rev().find(|epoch| epoch.index < index);
            let recorded_at = history.entries[index].at;
            epoch
                .ok_or_else(|| "a record of a job that there is not".to_owned())
                .and_then(|epoch| stands_for(epoch, run, recorded_at))
                .and_then(|named| cover(&mut covered, run.id, &named))
                .map_err(|what| broken(what).of_run(run.id))?;
        }
        for epoch in &epochs {
            complete(history, epoch, &covered).map_err(broken)?;
        }
    }
    Ok(())
}

/// All records of occurrences of a job that are there in the end, each with the index of the entry that brought it.
fn records(history: &History, job: JobId) -> impl Iterator<Item = (usize, &Run)> {
    let brought = history.entries.iter().enumerate().flat_map(move |(index, entry)| {
        let runs = match &entry.event {
            Event::Fired { firing, .. } if firing.job_id == job => firing.runs.as_slice(),
            // They close the epoch before.
            Event::JobReplaced(it, closing) if it.id == job => closing.as_slice(),
            _ => &[],
        };
        runs.iter().map(move |run| (index, run.id))
    });
    let mut seen = std::collections::BTreeSet::new();
    let first = brought.filter(move |(_, run)| seen.insert(*run));
    let kept = first.filter_map(|(index, run)| Some((index, history.runs.get(&run)?)));
    kept.filter(|(_, run)| run.kind == RunKind::Schedule)
}

/// The occurrences that a record stands for.
fn stands_for(epoch: &Epoch, run: &Run, recorded_at: Instant) -> Result<Vec<Instant>, String> {
    let (first, last) = (run.scheduled_for, run.scheduled_until.unwrap_or(run.scheduled_for));
    if first <= epoch.since {
        return Err(format!("{first} lies before the schedule's beginning at {}", epoch.since));
    }
    let left_out = run.reason == Some(Reason::Calendar);
    if recorded_at < last {
        return Err(format!("{last} is not due yet"));
    }
    let meant = |it: &Occurrence| it.admitted != left_out;
    let named = occurrences(&epoch.job, first - MILLI, last).into_iter().filter(meant).map(|it| it.at);
    let named: Vec<Instant> = named.collect();
    let right =
        named.first() == Some(&first) && named.last() == Some(&last) && named.len() as u64 == run.count;
    if right {
        return Ok(named);
    }
    Err(format!("it stands for {} from {first} to {last}, where the schedule names {named:?}", run.count))
}

fn cover(covered: &mut Covered, run: RunId, named: &[Instant]) -> Result<(), String> {
    for at in named {
        if let Some(other) = covered.insert(*at, run) {
            return Err(format!("{at} has another record, {other}"));
        }
    }
    Ok(())
}

/// Whether every occurrence of an epoch that must have a record has one.
fn complete(history: &History, epoch: &Epoch, covered: &Covered) -> Result<(), String> {
    let named = occurrences(&epoch.job, epoch.since, end(history, epoch));
    let fired = named.iter().rev().find(|it| it.admitted && covered.contains_key(&it.at)).map(|it| it.at);
    let fired = fired.unwrap_or(epoch.since);
    // A schedule that may start so many runs ends with the last of them.
    let bounded = history.definitions(epoch.job.id).any(|(_, job)| job.draft.max_runs.is_some());
    for Occurrence { at, admitted } in named {
        let must = match epoch.end {
            _ if bounded => at < fired,
            // Whoever closes it accounts for all of it.
            End::Replaced { .. } => true,
            // What is left out is recorded with the next occurrence that is not.
            End::Open => admitted || at < fired,
            // What nobody had noticed is forgotten; but what was noticed was noticed in order.
            End::Deleted { .. } => at < fired,
        };
        if must && !covered.contains_key(&at) {
            let kind = if admitted { "" } else { ", which a calendar leaves out," };
            return Err(format!("the occurrence at {at}{kind} has no record"));
        }
    }
    Ok(())
}

/// Up to when an epoch names occurrences.
fn end(history: &History, epoch: &Epoch) -> Instant {
    match epoch.end {
        End::Replaced { clock } => clock,
        End::Open => at_rest(history, epoch.job.id),
        End::Deleted { at } => at,
    }
}

/// Up to when everything due was noticed when the run came to rest.
fn at_rest(history: &History, job: JobId) -> Instant {
    let last_entry = history.entries.last().map(|entry| entry.at).unwrap_or_default();
    let last = history.definitions(job).last().map(|(_, last)| last);
    let end = last.filter(|last| last.pause.is_some()).map_or(last_entry, |last| last.updated_at);
    let jitter =
        history.definitions(job).map(|(_, job)| job.draft.jitter).max().unwrap_or(HumanDuration::ZERO);
    end - TimeDelta::from_std(LOOKED).unwrap_or_default() - jitter.to_delta()
}
