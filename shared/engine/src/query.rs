//! How jobs and runs are looked up and listed.

use std::fmt;

use domain::{Instant, JobId, JobState, RunId, RunKind, RunStatus};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ports::StoredJob;

/// A job as callers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKey {
    /// By id.
    Id(JobId),
    /// By its name within the project.
    Name(String),
}

impl From<&str> for JobKey {
    /// What has the form of an id is one; a job's name never has.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }
}

impl From<JobId> for JobKey {
    fn from(id: JobId) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Which jobs, in which order.
#[derive(Clone, Debug)]
pub struct JobQuery {
    /// Whose.
    pub project: String,
    /// In one of these states; any where empty.
    pub states: Vec<JobState>,
    /// With all of these labels.
    pub labels: Vec<(String, String)>,
    /// Whose name contains this, letter case aside.
    pub text: Option<String>,
    /// In which order.
    pub sort: JobSort,
    /// Where the page before ended.
    pub after: Option<JobCursor>,
    /// At most so many.
    pub limit: u32,
}

/// The order of a list of jobs. Ties are broken by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSort {
    /// By what.
    pub by: JobSortKey,
    /// Largest first.
    pub descending: bool,
}

/// What a list of jobs is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobSortKey {
    /// The order in which they were created, which is that of their ids.
    CreatedAt,
    /// By bytes of the name.
    Name,
    /// Jobs without one come last in either direction.
    NextFireAt,
}

/// The last job of a page: where the next page goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCursor {
    /// The order the page was in; a cursor serves no other.
    pub sort: JobSort,
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Its next occurrence.
    pub next_fire_at: Option<Instant>,
}

impl StoredJob {
    /// Its id.
    pub fn id(&self) -> JobId {
        self.job.as_ref().map_or_else(|broken| broken.id, |job| job.id)
    }

    /// Where a page in the order of `sort` that ends with this job goes on.
    pub fn cursor(&self, sort: JobSort) -> JobCursor {
        match &self.job {
            Ok(job) => {
                JobCursor { sort, id: job.id, name: job.draft.name.clone(), next_fire_at: job.next_fire_at }
            }
            Err(broken) => JobCursor {
                sort,
                id: broken.id,
                name: broken.name.clone(),
                next_fire_at: broken.next_fire_at,
            },
        }
    }
}

/// Which runs, newest nominal time first unless asked otherwise.
#[derive(Clone, Debug)]
pub struct RunQuery {
    /// Whose.
    pub project: String,
    /// Of this job only.
    pub job: Option<JobId>,
    /// In one of these states; any where empty.
    pub statuses: Vec<RunStatus>,
    /// Made by one of these; any where empty.
    pub kinds: Vec<RunKind>,
    /// Only runs with nominal times from this instant on.
    pub from: Option<Instant>,
    /// Only runs with nominal times before this instant.
    pub until: Option<Instant>,
    /// Oldest first.
    pub ascending: bool,
    /// Where the page before ended. Run ids sort by nominal time.
    pub after: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}

impl RunQuery {
    /// The ids that are asked for lie in `[from, until)`.
    pub fn bounds(&self) -> (RunId, RunId) {
        let from = self.from.map_or(RunId(Uuid::nil()), RunId::floor);
        let until = self.until.map_or(RunId(Uuid::max()), RunId::floor);
        match self.after {
            Some(after) if self.ascending => {
                let next = RunId(Uuid::from_u128(after.0.as_u128().saturating_add(1)));
                (from.max(next), until)
            }
            Some(after) => (from, until.min(after)),
            None => (from, until),
        }
    }

    /// Whether only runs are asked for that are not finished, of which there are few.
    pub fn unfinished_only(&self) -> bool {
        !self.statuses.is_empty() && self.statuses.iter().all(|status| !status.is_finished())
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether more follow.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page of at most `limit` rows from one row more than that, which says whether more follow.
    pub fn from_one_more(mut items: Vec<T>, limit: u32) -> Self {
        let limit = limit as usize;
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
    }
}
