//! The whole of a run, for the judge.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use domain::{HumanDuration, Job, JobId, Run, RunId};

use super::event::{Entry, Event};
use super::node::World;

/// What happened, and what the store holds in the end.
pub(crate) struct History {
    pub(crate) entries: Vec<Entry>,
    /// Every run, as it was kept.
    pub(crate) runs: BTreeMap<RunId, Run>,
    /// Every job that was not deleted, as it was kept.
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) lease: HumanDuration,
    /// How long nodes that shut down let their attempts go on.
    pub(crate) grace: Duration,
}

impl History {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            entries: world.log.entries(),
            runs: world.memory.all_runs().into_iter().map(|run| (run.id, run)).collect(),
            jobs: Self::jobs_of(world).into_iter().map(|job| (job.id, job)).collect(),
            lease: world.lease,
            grace: world.grace,
        }
    }

    /// Every job there is.
    pub(crate) fn jobs_of(world: &World) -> Vec<Job> {
        let inserted = world.log.entries().into_iter().filter_map(|entry| match entry.event {
            Event::JobInserted(job) => Some(job.id),
            _ => None,
        });
        inserted.filter_map(|id| world.memory.peek(id)).collect()
    }

    /// The definitions that a job has had, each with the index of the entry that brought it.
    pub(crate) fn definitions(&self, job: JobId) -> impl Iterator<Item = (usize, &Arc<Job>)> {
        self.entries.iter().enumerate().filter_map(move |(index, entry)| match &entry.event {
            Event::JobInserted(it) | Event::JobReplaced(it, _) if it.id == job => Some((index, it)),
            _ => None,
        })
    }

    /// All jobs that there ever were.
    pub(crate) fn all_jobs(&self) -> impl Iterator<Item = JobId> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::JobInserted(job) => Some(job.id),
            _ => None,
        })
    }

    /// How many calls reached a target.
    pub(crate) fn calls(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.event, Event::Called { .. })).count()
    }

    /// The same for two runs in which the same happened in the same order.
    pub(crate) fn fingerprint(&self) -> u64 {
        // With fixed keys.
        let mut hasher = DefaultHasher::new();
        for entry in &self.entries {
            format!("{entry:?}").hash(&mut hasher);
        }
        format!("{:?}", self.runs).hash(&mut hasher);
        hasher.finish()
    }
}
