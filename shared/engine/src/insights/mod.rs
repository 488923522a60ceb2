//! A third small port beside the store: questions about many runs at once, for overviews. They only read, and each of
//! them looks at a bounded number of rows.

mod gist;

use async_trait::async_trait;
use domain::{Instant, JobId, JobState, RunKind, RunStatus};

pub use self::gist::{GistRecord, RunGist};
use crate::error::StoreError;
use crate::ports::StoredJob;

/// Answers for many jobs and runs at once. Like a store it decides nothing: it counts and lists.
#[async_trait]
pub trait Insights: Send + Sync {
    /// From when on at most `most` runs, of all projects, have their nominal times before `until`; never earlier than
    /// `from`. What is asked of a window that begins there costs no more than a look at so many runs.
    async fn reach(&self, from: Instant, until: Instant, most: u32) -> Result<Instant, StoreError>;

    /// The runs within `window`, counted by what they are and by parts of the window, each `bucket` milliseconds long.
    /// Only what there are any of.
    async fn tally(&self, window: &Window, bucket: u64) -> Result<Vec<Tally>, StoreError>;

    /// The runs within `window`, counted by job: those jobs with runs in `bad` statuses or none in `good` ones, the most
    /// bad ones first, at most `limit`.
    async fn tally_jobs(
        &self,
        window: &Window,
        good: &[RunStatus],
        bad: &[RunStatus],
        limit: u32,
    ) -> Result<Vec<JobTally>, StoreError>;

    /// Runs within `window` in one of `statuses`: of 256 equally likely ones about `share`, always the same; at most
    /// `limit`, newest first.
    async fn gists(
        &self,
        window: &Window,
        statuses: &[RunStatus],
        share: u16,
        limit: u32,
    ) -> Result<Vec<RunGist>, StoreError>;

    /// Of each of `jobs` the newest runs with nominal times in `[from, until)`, at most `each`; job by job in any order,
    /// those of a job newest first.
    async fn histories(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        each: u32,
    ) -> Result<Vec<RunGist>, StoreError>;

    /// The runs of each of `jobs` with nominal times in `[from, until)`, counted by parts of the range, each `part`
    /// milliseconds long, and by status: of each job the newest `most`. Only what there are any of.
    async fn tally_parts(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        part: u64,
        most: u32,
    ) -> Result<Vec<JobPart>, StoreError>;

    /// Those of the project's jobs that have one of these ids, in any order.
    async fn jobs_of(&self, project: &str, ids: &[JobId]) -> Result<Vec<StoredJob>, StoreError>;

    /// The project's jobs that do not fire until somebody does something about them, paused or invalid as `state`
    /// says; newest first, at most `limit`.
    async fn idle_jobs(
        &self,
        project: &str,
        state: JobState,
        limit: u32,
    ) -> Result<Vec<StoredJob>, StoreError>;

    /// Which of the project's jobs have been due, themselves or an unfinished run of theirs, since before `before`, and
    /// since when. Looks at no more than `limit` of each, of all projects, the longest due first.
    async fn overdue(
        &self,
        project: &str,
        before: Instant,
        limit: u32,
    ) -> Result<Vec<(JobId, Instant)>, StoreError>;

    /// How many jobs of the project there are by state; counts no further than `limit`.
    async fn count_jobs(&self, project: &str, limit: u32) -> Result<Vec<(JobState, u64)>, StoreError>;
}

/// The runs of a project with nominal times in `[from, until)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whose.
    pub project: String,
    /// The first instant within.
    pub from: Instant,
    /// The first instant after it.
    pub until: Instant,
}

/// How many runs of one kind and status fall into one part of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// When the part begins.
    pub from: Instant,
    /// Their status.
    pub status: RunStatus,
    /// What made them.
    pub kind: RunKind,
    /// How many.
    pub runs: u64,
}

/// How many runs of a job of one status fall into one part of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobPart {
    /// The job.
    pub job: JobId,
    /// When the part begins.
    pub from: Instant,
    /// Their status.
    pub status: RunStatus,
    /// How many.
    pub runs: u64,
}

/// A job's runs within a window, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobTally {
    /// The job, which may have been deleted since.
    pub job: JobId,
    /// How many are in good statuses.
    pub good: u64,
    /// How many are in bad ones.
    pub bad: u64,
    /// How many there are.
    pub runs: u64,
}
