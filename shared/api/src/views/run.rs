//! A run as the API shows it.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::run::{AttemptError, AttemptOutcome, RequestRecord, ResponseRecord};
use domain::settle::{Accepted, Progress};
use domain::{Asked, Attempt, Details, Overlap, Reason, Run, RunKind, RunStatus};
use serde::Serialize;
use serde_json::Value;

use crate::views::Timestamp;

/// One occurrence, or one manual request, being carried out; or the record that it was not.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    /// Its id; ids sort by nominal time.
    #[schema(example = "run_01kc0000000000000000000000")]
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// Its job, which may have been deleted since.
    #[schema(example = "job_01kc0000000000000000000000")]
    pub job_id: String,
    /// The job's name at the time.
    pub job_name: String,
    /// What made it.
    pub kind: RunKind,
    /// Where it stands.
    pub status: RunStatus,
    /// Why it was not executed, or was cancelled.
    #[schema(required)]
    pub reason: Option<Reason>,
    /// The nominal time; never changes.
    pub scheduled_for: Timestamp,
    /// The last of the occurrences this record stands for, where it stands for several.
    #[schema(required)]
    pub scheduled_until: Option<Timestamp>,
    /// How many occurrences this record stands for.
    pub count: u64,
    /// How much later than its nominal time it was due, by the job's jitter, in milliseconds.
    pub jitter_ms: u64,
    /// When its first attempt started.
    #[schema(required)]
    pub started_at: Option<Timestamp>,
    /// When its last attempt ended, or it was decided that there will be none.
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
    /// How long after it was due it started, in milliseconds.
    #[schema(required)]
    pub lag_ms: Option<u64>,
    /// How many attempts have ended so far.
    pub attempt: usize,
    /// Every attempt that has ended, oldest first.
    pub attempts: Vec<AttemptView>,
    /// What it sends in place of the job's body, where that was asked for.
    #[schema(required, value_type = Option<Object>)]
    pub payload: Option<Value>,
    /// The overlap policy that was asked for in place of the job's.
    #[schema(required)]
    pub overlap: Option<Overlap>,
    /// The backfill it is part of.
    #[schema(required, example = json!(null))]
    pub backfill_id: Option<String>,
    /// Somebody asked for it to be cancelled.
    pub cancel_requested: bool,
    /// The attempt that goes on after its call: its target has taken the work and reports.
    #[schema(required)]
    pub callback: Option<CallbackView>,
    /// Who works on it, or worked on it last.
    #[schema(required)]
    pub worker: Option<String>,
    /// While waiting: when the next attempt starts. While running: until when the worker's lease lasts, or when a target
    /// that has taken the work must have been heard of.
    #[schema(required)]
    pub due_at: Option<Timestamp>,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// An attempt whose target has taken the work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Callback)]
pub struct CallbackView {
    /// When the call began.
    pub started_at: Timestamp,
    /// When the target took the work.
    pub accepted_at: Timestamp,
    /// How long it may take.
    pub until: Timestamp,
    /// When the target was last heard of. Shown of a single run, not in lists; so are its words.
    #[schema(required)]
    pub heartbeat_at: Option<Timestamp>,
    /// How far it is, in percent, as it says.
    #[schema(required)]
    pub progress: Option<u8>,
    /// In its words.
    #[schema(required)]
    pub message: Option<String>,
}

/// One try of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Attempt)]
pub struct AttemptView {
    /// 1 for the first.
    pub number: u32,
    /// When the worker began.
    pub started_at: Timestamp,
    /// When the worker ended, or its loss was noticed.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What went wrong.
    #[schema(required)]
    pub error: Option<AttemptError>,
    /// What was sent.
    #[schema(required)]
    pub request: Option<RequestRecord>,
    /// What came back.
    #[schema(required)]
    pub response: Option<ResponseRecord>,
    /// What there is to know where the target speaks no HTTP: the mail server's reply, a command's output.
    #[schema(required)]
    pub details: Option<Details>,
    /// Who made it.
    #[schema(required)]
    pub worker: Option<String>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        let asked = run.asked.clone().map_or_else(Asked::default, |asked| *asked);
        Self {
            payload: asked.payload,
            overlap: asked.overlap,
            backfill_id: asked.backfill.map(|id| id.to_string()),
            lag_ms: run.lag().map(domain::HumanDuration::as_millis),
            id: run.id.to_string(),
            project: run.project,
            job_id: run.job_id.to_string(),
            job_name: run.job_name,
            kind: run.kind,
            status: run.status,
            reason: run.reason,
            scheduled_for: run.scheduled_for.into(),
            scheduled_until: run.scheduled_until.map(Timestamp),
            count: run.count,
            jitter_ms: run.jitter.as_millis(),
            started_at: run.started_at.map(Timestamp),
            finished_at: run.finished_at.map(Timestamp),
            attempt: run.attempts.len(),
            attempts: run.attempts.into_iter().map(AttemptView::from).collect(),
            cancel_requested: run.cancel_requested,
            callback: run.accepted.as_ref().map(CallbackView::from),
            worker: run.worker,
            due_at: run.due_at.map(Timestamp),
            created_at: run.created_at.into(),
        }
    }
}

impl From<&Accepted> for CallbackView {
    fn from(accepted: &Accepted) -> Self {
        Self {
            started_at: accepted.started_at.into(),
            accepted_at: accepted.accepted_at.into(),
            until: accepted.until.into(),
            heartbeat_at: None,
            progress: None,
            message: None,
        }
    }
}

impl CallbackView {
    /// The same, with what its target says.
    #[must_use]
    pub fn with(self, said: Progress) -> Self {
        Self { heartbeat_at: Some(said.at.into()), progress: said.percent, message: said.message, ..self }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let Attempt { number, started_at, finished_at, outcome, error, request, response, details, worker } =
            attempt;
        Self {
            number,
            started_at: started_at.into(),
            finished_at: finished_at.into(),
            outcome,
            error,
            request,
            response,
            details,
            worker,
        }
    }
}

impl RunView {
    /// The answer to a request that has set it going: what it asked for will happen, but has not yet.
    pub fn accepted(self) -> Response {
        let mut headers = HeaderMap::new();
        if let Ok(location) = format!("/api/v1/runs/{}", self.id).parse() {
            headers.insert(header::LOCATION, location);
        }
        (StatusCode::ACCEPTED, headers, self).into_response()
    }
}

impl IntoResponse for RunView {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
