//! Jobs that somebody should look at, as the API shows them.

use domain::JobState;
use engine::overview::{Attention, Cause};
use serde::Serialize;

use crate::views::Timestamp;
use crate::views::job::LastRunView;

/// A job that somebody should look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Attention)]
pub struct AttentionView {
    /// The job's id.
    #[schema(example = "job_01kc0000000000000000000000")]
    pub job_id: String,
    /// Its name.
    #[schema(example = "nightly-report")]
    pub job_name: String,
    /// Where it stands.
    pub state: JobState,
    /// Why, the most urgent first.
    pub causes: Vec<AttentionCause>,
    /// How many of its latest runs failed in a row.
    pub failures: u32,
    /// Whether there may be more of them than were looked at.
    pub failures_at_least: bool,
    /// When the first of them ended.
    #[schema(required)]
    pub failing_since: Option<Timestamp>,
    /// Since when it, or a run of it, is overdue.
    #[schema(required)]
    pub late_since: Option<Timestamp>,
    /// Why it is paused, where it is.
    #[schema(required)]
    pub pause_reason: Option<String>,
    /// What is wrong with its stored form, where it is invalid.
    #[schema(required)]
    pub error: Option<String>,
    /// When its next occurrence is due; `null` unless active.
    #[schema(required)]
    pub next_fire_at: Option<Timestamp>,
    /// Its latest finished run.
    #[schema(required)]
    pub last_run: Option<LastRunView>,
}

/// Why somebody should look at a job.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionCause {
    /// Its stored form cannot be read.
    Invalid,
    /// Its failures have paused it.
    PausedByFailures,
    /// It, or a run of it, should have started ten seconds ago or earlier.
    Late,
    /// Its latest run failed.
    Failing,
    /// It was to run within the window, and did not succeed once.
    NoSuccess,
}

impl From<Cause> for AttentionCause {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Invalid => Self::Invalid,
            Cause::PausedByFailures => Self::PausedByFailures,
            Cause::Late => Self::Late,
            Cause::Failing => Self::Failing,
            Cause::NoSuccess => Self::NoSuccess,
        }
    }
}

impl From<Attention> for AttentionView {
    fn from(Attention { job, causes, health, late_since }: Attention) -> Self {
        let id = job.id();
        let last_run = job.last_run.map(LastRunView::from);
        let (job_name, state, pause_reason, error, next_fire_at) = match job.job {
            Ok(job) => {
                let next = job.next_fire_at.filter(|_| job.state == JobState::Active);
                (job.draft.name, job.state, job.pause.and_then(|pause| pause.reason), None, next)
            }
            Err(broken) => (broken.name, JobState::Invalid, None, Some(broken.error), None),
        };
        Self {
            job_id: id.to_string(),
            job_name,
            state,
            causes: causes.into_iter().map(AttentionCause::from).collect(),
            failures: health.failures,
            failures_at_least: health.at_least,
            failing_since: health.failing_since.map(Timestamp),
            late_since: late_since.map(Timestamp),
            pause_reason,
            error,
            next_fire_at: next_fire_at.map(Timestamp),
            last_run,
        }
    }
}
