//! `POST /runs/{id}/retry`

use axum::extract::State;
use axum::response::Response;

use crate::extract::body::Nothing;
use crate::extract::path::RunIdParam;
use crate::extract::{OptionalJson, Project, RunPath};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::RunView;

/// Retry a run that ended badly
///
/// It stays the same run: same id, same nominal time, so that its target can tell that it is the same work.
#[utoipa::path(
    post,
    path = "/runs/{id}/retry",
    operation_id = "retryRun",
    tag = "runs",
    params(RunIdParam, IdempotencyKeyHeader),
    request_body(content = Option<Nothing>, example = json!({})),
    responses((
        status = 202, description = "The run, waiting again", body = RunView,
        headers(("Location", description = "The run's address"))
    ))
)]
pub async fn retry_run(
    State(state): State<Shared>,
    Project(project): Project,
    RunPath(id): RunPath,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Response, Problem> {
    let run = state.scheduler.retry(&project, id).await?;
    Ok(RunView::from(run).accepted())
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn only_one_that_ended_badly() {
        let app = TestApp::new();
        app.create("nightly").await;
        let run = app.run("nightly").await;
        let id = run["id"].as_str().unwrap();
        assert_eq!(app.post(&format!("/api/v1/runs/{id}/retry")).await.gist(), "409 conflict");
        app.post(&format!("/api/v1/runs/{id}/cancel")).await;
        let answer = app.post(&format!("/api/v1/runs/{id}/retry")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (202, &*format!("/api/v1/runs/{id}"))
        );
        assert_eq!(answer.value()["status"], "pending");
        assert_eq!(answer.value()["id"], run["id"]);
    }
}
