//! A backfill as the API shows it.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::backfill::Survey;
use domain::{Backfill, BackfillState, Overlap, Reason, RunStatus};
use engine::BackfillProgress;
use serde::Serialize;
use serde_json::Value;

use crate::views::Timestamp;

/// The occurrences of a stretch of the past, carried out a few at a time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Backfill)]
pub struct BackfillView {
    /// Its id; ids sort by creation.
    #[schema(example = "backfill_01kc0000000000000000000000")]
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// The job that is carried out.
    #[schema(example = "job_01kc0000000000000000000000")]
    pub job_id: String,
    /// The job's name at the time.
    pub job_name: String,
    /// The first instant whose occurrence is carried out.
    pub from: Timestamp,
    /// The first instant whose occurrence is not.
    pub to: Timestamp,
    /// `buffer_all`: one after the other; `allow_all`: many at a time.
    pub overlap: Overlap,
    /// What its runs send in place of the job's body.
    #[schema(required, value_type = Option<Object>)]
    pub payload: Option<Value>,
    /// Where it stands.
    pub state: BackfillState,
    /// Why it was cancelled.
    #[schema(required)]
    pub reason: Option<Reason>,
    /// How many runs there will be.
    pub total: u64,
    /// How many have been created so far.
    pub created: u64,
    /// The occurrence of the last of them.
    #[schema(required)]
    pub last_scheduled_for: Option<Timestamp>,
    /// Where its runs stand, as far as their records are kept.
    pub runs: BackfillRuns,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its last run ended, or it was cancelled.
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
}

/// How many of a backfill's runs there are by status.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct BackfillRuns {
    /// Waiting to start or to be retried.
    pub pending: u64,
    /// Under way.
    pub running: u64,
    /// Ended well.
    pub succeeded: u64,
    /// Failed for good.
    pub failed: u64,
    /// Their last attempt ran out of time.
    pub timed_out: u64,
    /// Stopped on request.
    pub cancelled: u64,
    /// Not executed.
    pub skipped: u64,
}

/// What a backfill would come to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BackfillSurvey {
    /// How many runs there would be.
    pub total: u64,
    /// The first occurrence.
    #[schema(required)]
    pub first: Option<Timestamp>,
    /// The last occurrence.
    #[schema(required)]
    pub last: Option<Timestamp>,
}

impl From<Survey> for BackfillSurvey {
    fn from(Survey { total, first, last }: Survey) -> Self {
        Self { total, first: first.map(Timestamp), last: last.map(Timestamp) }
    }
}

impl From<BackfillProgress> for BackfillView {
    fn from(BackfillProgress { backfill, runs }: BackfillProgress) -> Self {
        let Backfill { id, project, job_id, details, created_at, .. } = backfill;
        Self {
            id: id.to_string(),
            project,
            job_id: job_id.to_string(),
            job_name: details.job_name,
            from: details.order.from.into(),
            to: details.order.to.into(),
            overlap: details.order.overlap,
            payload: details.order.payload,
            state: details.state,
            reason: details.reason,
            total: details.total,
            created: details.created,
            last_scheduled_for: details.last.map(Timestamp),
            runs: BackfillRuns::from(runs),
            created_at: created_at.into(),
            finished_at: details.finished_at.map(Timestamp),
        }
    }
}

impl From<Vec<(RunStatus, u64)>> for BackfillRuns {
    fn from(counted: Vec<(RunStatus, u64)>) -> Self {
        let mut runs = Self::default();
        for (status, count) in counted {
            let place = match status {
                RunStatus::Pending => &mut runs.pending,
                RunStatus::Running => &mut runs.running,
                RunStatus::Succeeded => &mut runs.succeeded,
                RunStatus::Failed => &mut runs.failed,
                RunStatus::TimedOut => &mut runs.timed_out,
                RunStatus::Cancelled => &mut runs.cancelled,
                RunStatus::Skipped | RunStatus::Missed => &mut runs.skipped,
            };
            *place += count;
        }
        runs
    }
}

impl BackfillView {
    /// The answer to a request that has set it going.
    pub fn accepted(self) -> Response {
        let mut headers = HeaderMap::new();
        if let Ok(location) = format!("/api/v1/backfills/{}", self.id).parse() {
            headers.insert(header::LOCATION, location);
        }
        (StatusCode::ACCEPTED, headers, self).into_response()
    }
}

impl IntoResponse for BackfillView {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
