//! Everything ends: runs, and nodes that are told to, without leaving anything behind.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{Instant, RunStatus};

use super::super::event::{Entry, Event, Fate, Who};
use super::super::history::History;
use super::replay::Replay;
use super::wellness::Wellness;
use super::{Judgement, Violation};

/// What a node may take to shut down beyond the grace it gives its attempts: three seconds for a last look, three for
/// those that are told to stop, and five for the last writes.
const LAST_STEPS: TimeDelta = TimeDelta::seconds(12);
/// What a node may take that has nothing left to do, or to end the look at the store that it is at.
const AT_ONCE: TimeDelta = TimeDelta::seconds(1);

pub(super) fn check(history: &History) -> Judgement {
    if let Some(run) = history.runs.values().find(|run| !run.status.is_finished()) {
        let what = format!("it is {} when everything is at rest", run.status.as_str());
        return Err(Violation::new("every run ends", what).of_job(run.job_id).of_run(run.id));
    }
    let mut nodes = Nodes { wellness: Wellness::of(history), ..Nodes::default() };
    for entry in &history.entries {
        nodes
            .see(history, entry)
            .map_err(|what| Violation::new("nodes end when told to", what).at(entry.at))?;
    }
    Ok(())
}

#[derive(Default)]
struct Nodes {
    wellness: Wellness,
    leaving: BTreeMap<Who, Instant>,
    runs: Replay,
    at_rest: bool,
}

impl Nodes {
    fn see(&mut self, history: &History, entry: &Entry) -> Result<(), String> {
        let by = entry.by;
        match &entry.event {
            Event::Node(Fate::Leaving) => drop(self.leaving.insert(by, entry.at)),
            Event::Node(Fate::Left) => self.left(history, by, entry.at)?,
            Event::Node(Fate::Panicked) => return Err(format!("a loop of {by} panicked")),
            Event::Node(Fate::Spins) => {
                return Err(format!("{by} asks the store for ever and no time passes"));
            }
            Event::Fired { .. } | Event::Leased { .. } => self.claims(by, entry.at)?,
            Event::Asked(..) => self.at_rest = by == Who::World,
            _ => {}
        }
        self.runs.pass(entry);
        Ok(())
    }

    /// A node that is to shut down takes up nothing new.
    fn claims(&self, by: Who, at: Instant) -> Result<(), String> {
        let since = self.leaving.get(&by).filter(|since| **since + AT_ONCE < at);
        match since.filter(|since| self.wellness.was_well(by, **since - LAST_STEPS, at)) {
            Some(since) => Err(format!("{by} takes up work, though it was told to shut down at {since}")),
            None => Ok(()),
        }
    }

    /// It is quick, and hands back what it could not finish.
    fn left(&self, history: &History, by: Who, at: Instant) -> Result<(), String> {
        let Some(since) = self.leaving.get(&by) else { return Ok(()) };
        let grace = TimeDelta::from_std(history.grace).unwrap_or_default();
        let most = if self.at_rest { grace + AT_ONCE } else { grace + LAST_STEPS };
        if *since + most < at {
            return Err(format!("{by} took {} to shut down", at - *since));
        }
        let worker = by.to_string();
        let held = self.runs.iter().find(|(_, known)| {
            known.status == RunStatus::Running && known.worker.as_deref() == Some(&*worker)
        });
        match held.filter(|_| self.wellness.was_well(by, *since - history.lease.to_delta(), at)) {
            Some((run, _)) => Err(format!("{by} leaves {run} behind")),
            None => Ok(()),
        }
    }
}
