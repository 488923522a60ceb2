//! A run without its attempts, as lists of very many show it.

use domain::{Reason, RunKind, RunStatus};
use engine::insights::RunGist;
use serde::Serialize;

use crate::views::Timestamp;

/// The gist of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RunGist)]
pub struct GistView {
    /// Its id.
    #[schema(example = "run_01kc0000000000000000000000")]
    pub id: String,
    /// What made it.
    pub kind: RunKind,
    /// Where it stands.
    pub status: RunStatus,
    /// Why it was not executed, or was cancelled.
    #[schema(required)]
    pub reason: Option<Reason>,
    /// The nominal time.
    pub scheduled_for: Timestamp,
    /// The last of the occurrences it stands for, where it stands for several.
    #[schema(required)]
    pub scheduled_until: Option<Timestamp>,
    /// How many occurrences it stands for.
    pub count: u64,
    /// When its first attempt started.
    #[schema(required)]
    pub started_at: Option<Timestamp>,
    /// When its last attempt ended, or it was decided that there will be none.
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
    /// How long after it was due it started, in milliseconds.
    #[schema(required)]
    pub lag_ms: Option<u64>,
}

impl From<&RunGist> for GistView {
    fn from(run: &RunGist) -> Self {
        Self {
            id: run.id.to_string(),
            kind: run.kind,
            status: run.status,
            reason: run.reason,
            scheduled_for: run.scheduled_for.into(),
            scheduled_until: run.scheduled_until.map(Timestamp),
            count: run.count,
            started_at: run.started_at.map(Timestamp),
            finished_at: run.finished_at.map(Timestamp),
            lag_ms: run.lag().map(domain::HumanDuration::as_millis),
        }
    }
}
