//! What happens in a run, written down where it happens: all that the judge knows.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use domain::{Calendar, Firing, Instant, Job, JobId, Run, RunId, RunStatus, Verdict};
use engine::Renewal;

use super::time::TrueTime;
use super::weather::Trouble;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Somebody who uses the API.
    User(usize),
    /// A node's process. Restarted, it is another one.
    Node {
        /// Which machine.
        node: usize,
        /// How often it was started before.
        life: usize,
    },
    /// The course of the run itself.
    World,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user{user}"),
            Self::Node { node, life } => write!(f, "n{node}.{life}"),
            Self::World => f.write_str("world"),
        }
    }
}

/// One line of the history.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When, by the true time.
    pub(crate) at: Instant,
    pub(crate) by: Who,
    pub(crate) event: Event,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    // What the store did, in the order in which it did it, whether or not anybody heard of it.
    JobInserted(Arc<Job>),
    /// A change took effect, with the records that close the job's past.
    JobReplaced(Arc<Job>, Vec<Run>),
    JobDeleted(JobId),
    /// A job fired at `now` of the node that fired it, with its new runs.
    Fired {
        now: Instant,
        firing: Firing,
    },
    RunInserted(Run),
    Leased {
        run: Run,
        was: RunStatus,
    },
    Renewed {
        run: RunId,
        token: u64,
        until: Instant,
        renewal: Renewal,
    },
    Settled {
        run: Run,
        token: u64,
        written: bool,
    },
    CancelRequested(RunId),
    Reopened(Run),
    CalendarPut(Arc<Calendar>),

    // What targets saw.
    /// An attempt reached its target, at `clock` of the node that made it.
    Called {
        run: RunId,
        attempt: u32,
        clock: Instant,
        /// Where the target is; nowhere for those that take no part in the limit of concurrency.
        host: Option<String>,
    },
    /// The node learned how it ended, or gave it up.
    Ended {
        run: RunId,
        attempt: u32,
        clock: Instant,
        verdict: Option<Verdict>,
    },

    // What users did and were told.
    Asked(u32, Request),
    Told(u32, Answer),

    // What befell the nodes.
    Node(Fate),
    Trouble {
        call: &'static str,
        trouble: Trouble,
    },
    /// The faults are over.
    Healed,
}

/// A request of a user.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Create(String),
    Replace(JobId),
    Rename(JobId),
    Pause(JobId),
    Resume(JobId),
    Delete(JobId),
    RunNow(JobId),
    Cancel(RunId),
    Retry(RunId),
    PutCalendar(&'static str),
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It is done, and the job is like this.
    Job(Arc<Job>),
    Deleted,
    /// It is done, and the run is like this.
    Run(Box<Run>),
    /// It is done.
    Calendar,
    /// It was refused, for a reason that has nothing to do with faults.
    Refused,
    /// It failed or was never answered: nobody knows whether it was done.
    Unknown,
}

/// What befalls a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Started {
        concurrency: usize,
    },
    Killed,
    Stopped,
    WentOn,
    /// Told to shut down.
    Leaving,
    /// Shut down.
    Left,
    /// A loop of it panicked.
    Panicked,
    /// It asks the store again and again without any time passing.
    Spins,
    /// Cut off from the store.
    Away,
    Back,
    /// Its clock is read: it is behind by so much.
    Lags(TimeDelta),
}

/// The history as it is being written.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    time: TrueTime,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Log {
    pub(crate) fn new(time: TrueTime) -> Self {
        Self { time, entries: Arc::default() }
    }

    pub(crate) fn note(&self, by: Who, event: Event) {
        let at = self.time.now();
        self.lock().push(Entry { at, by, event });
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
