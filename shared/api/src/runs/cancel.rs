//! `POST /runs/{id}/cancel`

use axum::extract::State;

use crate::extract::body::Nothing;
use crate::extract::path::RunIdParam;
use crate::extract::{OptionalJson, Project, RunPath};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::RunView;

/// Cancel a run
///
/// One that waits is cancelled at once. One that runs is stopped by its worker, wherever that is; its final status
/// tells whether that came in time.
#[utoipa::path(
    post,
    path = "/runs/{id}/cancel",
    operation_id = "cancelRun",
    tag = "runs",
    params(RunIdParam, IdempotencyKeyHeader),
    request_body(content = Option<Nothing>, example = json!({})),
    responses((status = 200, description = "The run, cancelled or about to be", body = RunView))
)]
pub async fn cancel_run(
    State(state): State<Shared>,
    Project(project): Project,
    RunPath(id): RunPath,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<RunView, Problem> {
    Ok(state.scheduler.cancel(&project, id).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn one_that_waits_is_cancelled_at_once_and_once() {
        let app = TestApp::new();
        app.create("nightly").await;
        let run = app.run("nightly").await;
        let path = format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap());
        let answer = app.post(&path).await;
        assert_eq!(answer.status, 200);
        let run = answer.value();
        assert_eq!((&run["status"], &run["reason"]), (&json!("cancelled"), &json!("requested")));
        assert_eq!(run["finished_at"], "2026-11-24T00:00:00.000Z");
        assert_eq!(app.post(&path).await.gist(), "409 conflict");
        assert_eq!(
            app.post("/api/v1/runs/run_01kc0000000000000000000000/cancel").await.gist(),
            "404 not_found"
        );
    }
}
