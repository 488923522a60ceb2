//! What there is to be seen in a history: a simulation that never gets into trouble proves nothing.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::run::AttemptOutcome;
use domain::{Attempt, JobId, JobState, Reason, Run, RunId, RunStatus, Schedule};
use engine::Renewal;

use super::event::{Answer, Event, Fate, Who};
use super::history::History;
use super::judge::Wellness;
use super::weather::Trouble;
use testkit::Fault;

type Sight = (&'static str, fn(&History) -> bool);

/// Everything that is to be seen in a thousand runs.
const SIGHTS: &[Sight] = &[
    ("skipped for overlap", |it| some_run(it, |run| run.reason == Some(Reason::Overlap))),
    ("skipped for a full buffer", |it| some_run(it, |run| run.reason == Some(Reason::BufferFull))),
    ("cancelled for the next", |it| {
        some_run(it, |run| run.status == RunStatus::Cancelled && run.reason == Some(Reason::Overlap))
    }),
    ("skipped by a calendar", |it| some_run(it, |run| run.reason == Some(Reason::Calendar))),
    ("missed after the window", |it| some_run(it, |run| run.reason == Some(Reason::Window))),
    ("missed in downtime", |it| some_run(it, |run| run.reason == Some(Reason::Downtime))),
    ("missed in a pause", |it| some_run(it, |run| run.reason == Some(Reason::Paused))),
    ("missed by an edit", |it| some_run(it, |run| run.reason == Some(Reason::Edited))),
    ("one record for many missed", |it| some_run(it, |run| run.status == RunStatus::Missed && run.count > 1)),
    ("cancelled with its job", |it| some_run(it, |run| run.reason == Some(Reason::Deleted))),
    ("cancelled on request", |it| some_run(it, |run| run.reason == Some(Reason::Requested))),
    ("succeeded after a failure", |it| {
        some_run(it, |run| run.status == RunStatus::Succeeded && run.attempts.len() > 1)
    }),
    ("failed for good", |it| some_run(it, |run| run.status == RunStatus::Failed && run.attempts.len() > 1)),
    ("attempt abandoned", |it| some_attempt(it, AttemptOutcome::Abandoned)),
    ("attempt interrupted", |it| some_attempt(it, AttemptOutcome::Interrupted)),
    ("attempt cancelled", |it| some_attempt(it, AttemptOutcome::Cancelled)),
    ("attempt timed out", |it| some_attempt(it, AttemptOutcome::TimedOut)),
    ("attempt panicked", |it| {
        some_run(it, |run| {
            run.attempts.iter().any(|it| it.error.as_ref().is_some_and(|it| it.code == "panic"))
        })
    }),
    ("attempt made twice at a time", two_at_a_time),
    ("run reopened", |it| some_event(it, |event| matches!(event, Event::Reopened(_)))),
    ("run put back", |it| {
        some_event(it, |event| {
            matches!(event, Event::Settled { run, written: true, .. }
                if run.status == RunStatus::Pending && run.attempts.is_empty())
        })
    }),
    ("taken over while a node was well", taken_over_in_time),
    ("stale outcome refused", |it| {
        some_event(it, |event| matches!(event, Event::Settled { written: false, .. }))
    }),
    ("stale renewal refused", |it| {
        some_event(it, |event| matches!(event, Event::Renewed { renewal: Renewal::Lost, .. }))
    }),
    ("cancellation heard of by a renewal", |it| {
        some_event(it, |event| matches!(event, Event::Renewed { renewal: Renewal::CancelRequested, .. }))
    }),
    ("job completed", |it| it.jobs.values().any(|job| job.state == JobState::Completed)),
    ("job deleted", |it| some_event(it, |event| matches!(event, Event::JobDeleted(_)))),
    ("change by a clock that lags", |it| {
        it.entries.iter().any(|entry| {
            matches!(&entry.event, Event::JobReplaced(job, _) if entry.at - job.updated_at > TimeDelta::seconds(2))
        })
    }),
    ("calendar changed under its jobs", |it| {
        some_event(
            it,
            |event| matches!(event, Event::JobReplaced(job, _) if job.calendars.iter().any(|copy| copy.version > 1)),
        )
    }),
    ("answer lost", |it| some_trouble(it, |trouble| trouble == Trouble::Torn(Fault::After))),
    ("transaction rolled back", |it| some_trouble(it, |trouble| trouble == Trouble::Torn(Fault::Undone))),
    ("call that never returns", |it| some_trouble(it, |trouble| matches!(trouble, Trouble::Hangs { .. }))),
    ("call longer than a lease", |it| {
        some_trouble(
            it,
            |trouble| matches!(trouble, Trouble::Slow { there, back } if there + back > it.lease.to_std()),
        )
    }),
    ("effect after death", effect_after_death),
    ("success after more than a lease", |it| {
        let long = |attempt: &Attempt| attempt.finished_at - attempt.started_at > it.lease.to_delta();
        some_run(it, |run| run.status == RunStatus::Succeeded && run.attempts.last().is_some_and(long))
    }),
    ("pause ended by itself", |it| it.all_jobs().any(|id| pause_ended(it, id))),
    ("job paused by its failures", |it| {
        some_event(it, |event| {
            matches!(event, Event::JobReplaced(job, _)
            if job.pause.as_ref().is_some_and(|pause| pause.reason.is_some()))
        })
    }),
    ("no node up", no_node_up),
    ("store out of everybody's reach", nobody_in_reach),
    ("clock jumped", |it| {
        some_event(it, |event| matches!(event, Event::Node(Fate::Lags(lag)) if *lag > TimeDelta::seconds(1)))
    }),
    ("interval fired after a restart", |it| {
        it.entries.iter().any(|entry| {
            let again = matches!(entry.by, Who::Node { life, .. } if life > 0);
            let every =
                |id| it.jobs.get(&id).is_some_and(|job| matches!(job.draft.schedule, Schedule::Interval(_)));
            again && matches!(&entry.event, Event::Fired { firing, .. } if every(firing.job_id))
        })
    }),
    ("request refused", |it| some_event(it, |event| matches!(event, Event::Told(_, Answer::Refused)))),
    ("request without an answer", |it| {
        some_event(it, |event| matches!(event, Event::Told(_, Answer::Unknown)))
    }),
];

/// What is to be seen.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    SIGHTS.iter().map(|(name, _)| *name)
}

/// What is seen in this history.
pub(crate) fn of(history: &History) -> BTreeSet<&'static str> {
    SIGHTS.iter().filter(|(_, seen)| seen(history)).map(|(name, _)| *name).collect()
}

fn some_run(history: &History, wanted: impl Fn(&Run) -> bool) -> bool {
    history.runs.values().any(wanted)
}

fn some_attempt(history: &History, outcome: AttemptOutcome) -> bool {
    some_run(history, |run| run.attempts.iter().any(|attempt| attempt.outcome == outcome))
}

fn some_event(history: &History, wanted: impl Fn(&Event) -> bool) -> bool {
    history.entries.iter().any(|entry| wanted(&entry.event))
}

fn some_trouble(history: &History, wanted: impl Fn(Trouble) -> bool) -> bool {
    some_event(history, |event| matches!(event, Event::Trouble { trouble, .. } if wanted(*trouble)))
}

/// A worker that has lost its lease cannot know at once: this is why delivery is at least once.
fn two_at_a_time(history: &History) -> bool {
    let mut under_way: BTreeSet<(RunId, Who)> = BTreeSet::new();
    history.entries.iter().any(|entry| match entry.event {
        Event::Called { run, .. } => {
            under_way.insert((run, entry.by));
            under_way.iter().filter(|(it, _)| *it == run).count() > 1
        }
        Event::Ended { run, .. } => {
            under_way.remove(&(run, entry.by));
            false
        }
        Event::Node(Fate::Killed) => {
            under_way.retain(|(_, who)| *who != entry.by);
            false
        }
        _ => false,
    })
}

/// A definition that is paused until an instant is followed by a firing, and not by another definition.
fn pause_ended(history: &History, id: JobId) -> bool {
    let mut will_end = false;
    history.entries.iter().any(|entry| match &entry.event {
        Event::JobReplaced(job, _) if job.id == id => {
            will_end = job.pause.as_ref().is_some_and(|pause| pause.until.is_some());
            false
        }
        Event::Fired { firing, .. } if firing.job_id == id => will_end,
        _ => false,
    })
}

fn no_node_up(history: &History) -> bool {
    let last = history.entries.iter().rev().find(|it| matches!(it.event, Event::Healed)).map(|it| it.at);
    let last = last.unwrap_or_default();
    let mut up = BTreeSet::new();
    history.entries.iter().any(|entry| match entry.event {
        Event::Node(Fate::Started { .. }) => !up.insert(entry.by),
        Event::Node(Fate::Killed | Fate::Left) => up.remove(&entry.by) && up.is_empty() && entry.at < last,
        _ => false,
    })
}

fn nobody_in_reach(history: &History) -> bool {
    let (mut up, mut away) = (BTreeSet::new(), BTreeSet::new());
    history.entries.iter().any(|entry| {
        match entry.event {
            Event::Node(Fate::Started { .. }) => drop(up.insert(entry.by)),
            Event::Node(Fate::Killed | Fate::Left) => drop((up.remove(&entry.by), away.remove(&entry.by))),
            Event::Node(Fate::Away) => drop(away.insert(entry.by)),
            Event::Node(Fate::Back) => drop(away.remove(&entry.by)),
            _ => {}
        }
        up.len() > 1 && up == away
    })
}

/// The case to which the bound on takeovers applies.
fn taken_over_in_time(history: &History) -> bool {
    let wellness = Wellness::of(history);
    let mut leases = std::collections::BTreeMap::new();
    history.entries.iter().any(|entry| match &entry.event {
        Event::Leased { run, was } => {
            let over = leases.insert(run.id, run.due_at).flatten().filter(|_| *was == RunStatus::Running);
            over.is_some_and(|over| wellness.witness(over, entry.at).is_some())
        }
        _ => false,
    })
}

fn effect_after_death(history: &History) -> bool {
    let mut dead = BTreeSet::new();
    history.entries.iter().any(|entry| match &entry.event {
        Event::Node(Fate::Killed) => {
            dead.insert(entry.by);
            false
        }
        Event::Leased { .. } | Event::Settled { .. } | Event::Renewed { .. } => dead.contains(&entry.by),
        _ => false,
    })
}
