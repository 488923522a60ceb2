//! What can go wrong at a port, and what the scheduler answers.

use domain::Invalid;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another job of the project has the name.
    #[error("the name is taken")]
    NameTaken,
    /// The store cannot be reached or is shutting down; the same call may succeed later.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// The store answered something unexpected: a defect, here or there.
    #[error("the store failed")]
    Failed(#[source] Source),
}

/// Why the scheduler did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// There is no such job, run or calendar in the project.
    #[error("there is no {what} “{key}”")]
    NotFound {
        /// `job`, `run` or `calendar`.
        what: &'static str,
        /// As it was asked for.
        key: String,
    },
    /// The request means nothing that can be carried out.
    #[error("the request is invalid")]
    Invalid(#[from] Invalid),
    /// Another job of the project has the name.
    #[error("a job named “{0}” exists already")]
    NameTaken(String),
    /// The job or calendar has changed since the caller read it.
    #[error("the {what} has changed: it is at version {current}, not {expected}")]
    Stale {
        /// `job` or `calendar`.
        what: &'static str,
        /// The version the caller has.
        expected: u64,
        /// The version there is.
        current: u64,
    },
    /// The job or run is in a state in which this cannot be done.
    #[error("{0}")]
    Conflict(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for SchedulerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
