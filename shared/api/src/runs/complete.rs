//! `POST /runs/{id}/complete`

use axum::extract::State;
use axum::http::StatusCode;
use domain::Invalid;
use domain::run::AttemptError;
use domain::settle::Ending;
use engine::callbacks::Report;
use serde::Deserialize;
use serde_json::Value;

use crate::extract::path::RunIdParam;
use crate::extract::{Bearer, JsonBody, Project, RunPath};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::RunView;

/// How the work ended.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteRequest {
    /// In which way.
    pub status: CompleteStatus,
    /// What there is to say of it, for the run's record: a string as it is, any other value as JSON. 64 KiB are kept.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub output: Option<Value>,
    /// What went wrong, where it failed.
    #[serde(default)]
    #[schema(max_length = 4096, example = "the disk is full")]
    pub error: Option<String>,
    /// Whether another attempt may help, where it failed.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub retryable: bool,
}

/// The ways in which work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompleteStatus {
    /// It is done.
    Succeeded,
    /// It is not.
    Failed,
}

fn yes() -> bool {
    true
}

/// Report the end of a run
///
/// For the target of a job with `callback: true`, with the token it was called with. The attempt ends as reported: a
/// failure is tried again by the job's policy; after a request to cancel, it confirms the cancellation. What is reported
/// first counts, and the same report may be sent again.
#[utoipa::path(
    post,
    path = "/runs/{id}/complete",
    operation_id = "completeRun",
    tag = "callbacks",
    params(RunIdParam),
    security(("run_token" = [])),
    request_body(content = CompleteRequest, examples(
        ("done" = (summary = "Done", value = json!({"status": "succeeded", "output": {"rows": 1204}}))),
        ("failed" = (summary = "Failed", value = json!({
            "status": "failed", "error": "the disk is full", "retryable": false
        })))
    )),
    responses((status = 202, description = "Taken; the run, which ends in a moment", body = RunView))
)]
pub async fn complete_run(
    State(state): State<Shared>,
    Project(project): Project,
    RunPath(id): RunPath,
    Bearer(token): Bearer,
    JsonBody(request): JsonBody<CompleteRequest>,
) -> Result<(StatusCode, RunView), Problem> {
    const LONGEST: usize = 4_096;
    let CompleteRequest { status, output, error, retryable } = request;
    if error.as_ref().is_some_and(|error| LONGEST < error.chars().count()) {
        let detail = format!("longer than {LONGEST} characters");
        return Err(Invalid::one("/error", "too_long", detail).into());
    }
    let ending = match (status, error) {
        (CompleteStatus::Succeeded, None) => Ending::Succeeded,
        (CompleteStatus::Succeeded, Some(_)) => {
            return Err(Invalid::one("/error", "invalid_value", "belongs to status failed").into());
        }
        (CompleteStatus::Failed, error) => {
            let message = error.unwrap_or_else(|| "the target reported a failure".to_owned());
            Ending::Failed { error: AttemptError { code: "reported".to_owned(), message }, retryable }
        }
    };
    let output = output.map(|output| match output {
        Value::String(text) => text,
        other => other.to_string(),
    });
    let run = state.callbacks.complete(&project, id, &token, Report { ending, output }).await?;
    Ok((StatusCode::ACCEPTED, run.into()))
}
