//! A port of its own: what is told of jobs and runs as they change. [`Feed`] hands it on to whoever follows.
//!
//! A store tells of what a call has done in the call's own transaction, in one row for all of it: which of its methods
//! it was, and which jobs and runs came of it. What that means to a reader is decided here, when it is read.

mod feed;
mod place;
mod ring;

use std::fmt;

use async_trait::async_trait;
use domain::{Job, JobId, JobState, Run, RunId, RunStatus};

pub use self::feed::{Feed, Follower, News};
pub use self::place::{Cursor, Place};
use crate::bell::Ear;
use crate::error::StoreError;
use crate::record::numbered;

/// What is told, read in order. All stores that tell pass `testkit::conformance`.
///
/// Nothing is ever told at a place before one that could be read already, whoever writes at the same time: who reads
/// on from where he stopped misses nothing.
#[async_trait]
pub trait Events: Send + Sync {
    /// The last place there is. `None` where nothing can be told yet.
    async fn latest(&self) -> Result<Option<Place>, StoreError>;

    /// Up to `limit` tellings behind `place`, in order; with `own`, beginning with the one at `place` itself. `None`
    /// where that is not kept any more, so that others behind it may be missing, too.
    async fn events_after(
        &self,
        place: Place,
        own: bool,
        limit: u32,
    ) -> Result<Option<Vec<Telling>>, StoreError>;

    /// Hears of what this process tells.
    fn listen(&self) -> Ear;
}

/// Which of a store's methods did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Deed {
    /// A job, a run or a backfill's runs were added.
    Insert = 0,
    /// Jobs were fired: those are told of whose state that has changed, and the new runs.
    Fire = 1,
    /// A job was replaced, together with new runs.
    Replace = 2,
    /// A job was deleted.
    Delete = 3,
    /// Runs were leased.
    Lease = 4,
    /// Runs were settled.
    Settle = 5,
    /// A run is to be cancelled.
    Cancel = 6,
    /// A finished run waits again.
    Reopen = 7,
}

impl Deed {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Insert,
        Self::Fire,
        Self::Replace,
        Self::Delete,
        Self::Lease,
        Self::Settle,
        Self::Cancel,
        Self::Reopen,
    ];
}

/// What one call of a store has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Where it stands.
    pub place: Place,
    /// A [`Deed`] as a number: a newer program may know more of them.
    pub deed: i16,
    /// Whom it concerns.
    pub entries: Vec<Entry>,
}

/// A job or a run that a call has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub project: String,
    /// The job.
    pub job: JobId,
    /// The run, where it is one.
    pub run: Option<RunId>,
    /// The run's [`RunStatus`] afterwards, or the job's [`JobState`], as a number.
    pub status: i16,
}

impl From<&Job> for Entry {
    fn from(job: &Job) -> Self {
        Self { project: job.project.clone(), job: job.id, run: None, status: job.state as i16 }
    }
}

impl From<&Run> for Entry {
    fn from(run: &Run) -> Self {
        Self { project: run.project.clone(), job: run.job_id, run: Some(run.id), status: run.status as i16 }
    }
}

/// Something that has happened to a job or a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Whose.
    pub project: String,
    /// The job, or the run's job.
    pub job: JobId,
    /// The run.
    pub run: Option<RunId>,
    /// Where it stood afterwards; nowhere where it is gone.
    pub standing: Option<Standing>,
}

/// Where a job or a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A job.
    Job(JobState),
    /// A run.
    Run(RunStatus),
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// There is a new job.
    JobCreated,
    /// A job was changed, by somebody or by firing for the last time. Moving on to its next occurrence is no change.
    JobUpdated,
    /// A job is gone.
    JobDeleted,
    /// There is a new run, and it waits.
    RunCreated,
    /// A worker has taken a run up. Runs that are taken up as they are fired begin with this.
    RunStarted,
    /// A run has ended, or is the record of an occurrence that was not executed.
    RunFinished,
    /// Anything else: it waits for another attempt, is to be cancelled, waits again.
    RunChanged,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::JobCreated,
        Self::JobUpdated,
        Self::JobDeleted,
        Self::RunCreated,
        Self::RunStarted,
        Self::RunFinished,
        Self::RunChanged,
    ];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobCreated => "job.created",
            Self::JobUpdated => "job.updated",
            Self::JobDeleted => "job.deleted",
            Self::RunCreated => "run.created",
            Self::RunStarted => "run.started",
            Self::RunFinished => "run.finished",
            Self::RunChanged => "run.changed",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an entry means: the one mapping from what stores did to what readers are told. `None` where a newer program
/// has written what this one does not know.
pub fn event(deed: i16, entry: &Entry) -> Option<Event> {
    let deed = numbered(&Deed::ALL, deed)?;
    let (kind, standing) = match entry.run {
        None => {
            let state = Standing::Job(numbered(&JobState::ALL, entry.status)?);
            match deed {
                Deed::Insert => (EventKind::JobCreated, Some(state)),
                Deed::Delete => (EventKind::JobDeleted, None),
                _ => (EventKind::JobUpdated, Some(state)),
            }
        }
        Some(_) => {
            let status = numbered(&RunStatus::ALL, entry.status)?;
            let kind = match deed {
                Deed::Insert | Deed::Fire | Deed::Replace if status == RunStatus::Pending => {
                    EventKind::RunCreated
                }
                Deed::Insert | Deed::Fire | Deed::Replace | Deed::Lease if status == RunStatus::Running => {
                    EventKind::RunStarted
                }
                _ if status.is_finished() => EventKind::RunFinished,
                _ => EventKind::RunChanged,
            };
            (kind, Some(Standing::Run(status)))
        }
    };
    Some(Event { kind, project: entry.project.clone(), job: entry.job, run: entry.run, standing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(deed: Deed, run: Option<RunStatus>, job: JobState) -> Option<EventKind> {
        let entry = Entry {
            project: "default".to_owned(),
            job: JobId(uuid::Uuid::nil()),
            run: run.map(|_| RunId(uuid::Uuid::nil())),
            status: run.map_or(job as i16, |status| status as i16),
        };
        event(deed as i16, &entry).map(|event| event.kind)
    }

    /// Whatever a store did, the end of a run is told as its end, and nothing else is.
    #[test]
    fn a_run_is_finished_when_its_status_says_so() {
        for deed in Deed::ALL {
            for status in RunStatus::ALL {
                let kind = told(deed, Some(status), JobState::Active).unwrap();
                assert_eq!(kind == EventKind::RunFinished, status.is_finished(), "{deed:?} {status:?}");
            }
        }
    }

    #[test]
    fn what_a_store_did_becomes_what_happened() {
        use RunStatus::{Pending, Running};
        let run = |deed, status| told(deed, Some(status), JobState::Active).unwrap();
        assert_eq!(run(Deed::Fire, Pending), EventKind::RunCreated);
        assert_eq!(run(Deed::Fire, Running), EventKind::RunStarted);
        assert_eq!(run(Deed::Lease, Running), EventKind::RunStarted);
        assert_eq!(run(Deed::Settle, Pending), EventKind::RunChanged);
        assert_eq!(run(Deed::Cancel, Running), EventKind::RunChanged);
        assert_eq!(run(Deed::Reopen, Pending), EventKind::RunChanged);
        assert_eq!(told(Deed::Insert, None, JobState::Active), Some(EventKind::JobCreated));
        assert_eq!(told(Deed::Replace, None, JobState::Paused), Some(EventKind::JobUpdated));
        assert_eq!(told(Deed::Fire, None, JobState::Completed), Some(EventKind::JobUpdated));
        assert_eq!(told(Deed::Delete, None, JobState::Active), Some(EventKind::JobDeleted));
    }

    /// A rolling update: what an older replica reads of a newer one's writing it leaves out.
    #[test]
    fn what_is_unknown_is_left_out() {
        let mut entry =
            Entry { project: "default".to_owned(), job: JobId(uuid::Uuid::nil()), run: None, status: 99 };
        assert_eq!(event(Deed::Insert as i16, &entry), None);
        entry.status = 0;
        assert_eq!(event(99, &entry), None);
    }
}
