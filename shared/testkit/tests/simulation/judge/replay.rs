//! The runs as they must be after each entry of the history.

use std::collections::BTreeMap;

use domain::{Instant, JobId, Run, RunId, RunStatus};
use engine::Renewal;

use super::super::event::{Entry, Event};

/// What is known of a run at a point of the history.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) job: JobId,
    pub(super) status: RunStatus,
    pub(super) token: u64,
    /// When somebody must look at it: for a running one, the end of its lease.
    pub(super) due_at: Option<Instant>,
    /// Since when it has been due at that instant.
    pub(super) since: Instant,
    pub(super) cancel_requested: bool,
    /// Who holds its lease, or held it last.
    pub(super) worker: Option<String>,
}

/// All runs at a point of the history.
#[derive(Default)]
pub(super) struct Replay(BTreeMap<RunId, Known>);

impl Replay {
    pub(super) fn get(&self, run: RunId) -> Option<&Known> {
        self.0.get(&run)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&RunId, &Known)> {
        self.0.iter()
    }

    /// How many runs of the job are not finished.
    pub(super) fn active(&self, job: JobId) -> usize {
        self.0.values().filter(|known| known.job == job && !known.status.is_finished()).count()
    }

    /// Goes on past an entry.
    pub(super) fn pass(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Fired { firing, .. } => firing.runs.iter().for_each(|run| self.insert(run, at)),
            Event::JobReplaced(_, closing) => closing.iter().for_each(|run| self.insert(run, at)),
            Event::RunInserted(run) => self.insert(run, at),
            Event::Leased { run, .. } => {
                let known = self.0.get_mut(&run.id);
                if let Some(known) = known {
                    let cancel_requested = known.cancel_requested;
                    *known = Known { cancel_requested, ..Known::of(run, at) };
                }
            }
            Event::Renewed { run, until, renewal: Renewal::Kept | Renewal::CancelRequested, .. } => {
                if let Some(known) = self.0.get_mut(run) {
                    (known.due_at, known.since) = (known.due_at.max(Some(*until)), at);
                }
            }
            Event::Settled { run, written: true, .. } => {
                if let Some(known) = self.0.get_mut(&run.id) {
                    (known.status, known.due_at, known.since) = (run.status, run.due_at, at);
                }
            }
            Event::Reopened(run) => {
                if let Some(known) = self.0.get_mut(&run.id) {
                    *known = Known { token: run.token + 1, cancel_requested: false, ..Known::of(run, at) };
                }
            }
            Event::CancelRequested(run) => {
                if let Some(known) = self.0.get_mut(run) {
                    known.cancel_requested = true;
                }
            }
            Event::JobDeleted(job) => {
                let waiting = |known: &&mut Known| known.job == *job && known.status == RunStatus::Pending;
                for known in self.0.values_mut().filter(waiting) {
                    (known.due_at, known.since) = (Some(at), at);
                }
            }
            _ => {}
        }
    }

    /// A run is inserted once and for all.
    fn insert(&mut self, run: &Run, at: Instant) {
        self.0.entry(run.id).or_insert_with(|| Known::of(run, at));
    }
}

impl Known {
    fn of(run: &Run, since: Instant) -> Self {
        Self {
            job: run.job_id,
            status: run.status,
            token: run.token,
            due_at: run.due_at,
            since,
            cancel_requested: run.cancel_requested,
            worker: run.worker.clone(),
        }
    }
}
