//! `POST /runs/{id}/heartbeat`

use axum::Json;
use axum::extract::State;
use domain::Invalid;
use serde::{Deserialize, Serialize};

use crate::extract::path::RunIdParam;
use crate::extract::{Bearer, OptionalJson, Project, RunPath};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::Timestamp;

/// How far the work is.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatRequest {
    /// In percent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100, example = 40)]
    pub progress: Option<u8>,
    /// In words.
    #[serde(default)]
    #[schema(max_length = 1024, example = "page 4 of 10")]
    pub message: Option<String>,
}

/// What a target should know.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Heartbeat)]
pub struct HeartbeatAnswer {
    /// Somebody asked for the run to be cancelled: stop, and report the end with `/runs/{id}/complete`. It is ended
    /// anyway at `due_at`.
    pub cancel_requested: bool,
    /// Report again before this, or the attempt counts as abandoned; `null` while its call has not been answered yet.
    #[schema(required)]
    pub due_at: Option<Timestamp>,
}

/// Report that a run goes on
///
/// For the target of a job with `callback: true`, with the token it was called with. Puts the end of the attempt off by
/// the target's `heartbeat`, up to the job's `timeout`, and tells whether the run is to be cancelled.
#[utoipa::path(
    post,
    path = "/runs/{id}/heartbeat",
    operation_id = "heartbeatRun",
    tag = "callbacks",
    params(RunIdParam),
    security(("run_token" = [])),
    request_body(content = Option<HeartbeatRequest>, example = json!({"progress": 40, "message": "page 4 of 10"})),
    responses((status = 200, description = "Heard", body = HeartbeatAnswer))
)]
pub async fn heartbeat_run(
    State(state): State<Shared>,
    Project(project): Project,
    RunPath(id): RunPath,
    Bearer(token): Bearer,
    OptionalJson(HeartbeatRequest { progress, message }): OptionalJson<HeartbeatRequest>,
) -> Result<Json<HeartbeatAnswer>, Problem> {
    const LONGEST: usize = 1_024;
    if progress.is_some_and(|percent| 100 < percent) {
        return Err(Invalid::one("/progress", "out_of_range", "must be between 0 and 100").into());
    }
    if message.as_ref().is_some_and(|message| LONGEST < message.chars().count()) {
        let detail = format!("longer than {LONGEST} characters");
        return Err(Invalid::one("/message", "too_long", detail).into());
    }
    let beat = state.callbacks.heartbeat(&project, id, &token, progress, message.as_deref()).await?;
    let due_at = beat.due_at.map(Timestamp);
    Ok(Json(HeartbeatAnswer { cancel_requested: beat.cancel_requested, due_at }))
}
