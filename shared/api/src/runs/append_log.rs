//! `POST /runs/{id}/log`

use axum::extract::State;
use axum::http::StatusCode;
use domain::LogLevel;
use serde::Deserialize;

use crate::extract::path::RunIdParam;
use crate::extract::{Bearer, JsonBody, Project, RunPath};
use crate::problem::Problem;
use crate::state::Shared;

/// What is to be logged.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendLogRequest {
    /// One line, or several.
    #[schema(example = "page 4 of 10\npage 5 of 10")]
    pub text: String,
    /// How much it matters.
    #[serde(default)]
    pub level: Option<LogLevel>,
}

/// Write into a run's log
///
/// For the target of a job with `callback: true`, with the token it was called with. Of each line 8 KiB are kept.
#[utoipa::path(
    post,
    path = "/runs/{id}/log",
    operation_id = "appendRunLog",
    tag = "callbacks",
    params(RunIdParam),
    security(("run_token" = [])),
    request_body(content = AppendLogRequest, example = json!({"text": "page 4 of 10", "level": "info"})),
    responses((status = 204, description = "Written"))
)]
pub async fn append_run_log(
    State(state): State<Shared>,
    Project(project): Project,
    RunPath(id): RunPath,
    Bearer(token): Bearer,
    JsonBody(AppendLogRequest { text, level }): JsonBody<AppendLogRequest>,
) -> Result<StatusCode, Problem> {
    state.callbacks.log(&project, id, &token, level, &text).await?;
    Ok(StatusCode::NO_CONTENT)
}
