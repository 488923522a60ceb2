//! `POST /jobs/{id}/run`

use axum::extract::State;
use axum::response::Response;

use crate::extract::body::Nothing;
use crate::extract::path::JobIdParam;
use crate::extract::{JobPath, OptionalJson, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::RunView;

/// Run a job now
///
/// Beside its schedule, which stays as it is, and beside whatever else of it is running.
#[utoipa::path(
    post,
    path = "/jobs/{id}/run",
    operation_id = "runJob",
    tag = "jobs",
    params(JobIdParam, IdempotencyKeyHeader),
    request_body(content = Option<Nothing>, example = json!({})),
    responses((
        status = 202, description = "The run, waiting to be started", body = RunView,
        headers(("Location", description = "The run's address"))
    ))
)]
pub async fn run_job(
    State(state): State<Shared>,
    Project(project): Project,
    JobPath(key): JobPath,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Response, Problem> {
    let run = state.scheduler.run_now(&project, &key).await?;
    Ok(RunView::from(run).accepted())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn the_run_waits_and_the_schedule_stays() {
        let app = TestApp::new();
        let job = app.create("nightly").await;
        let answer = app.post("/api/v1/jobs/nightly/run").await;
        assert_eq!(answer.status, 202);
        let run = answer.value();
        assert_eq!(answer.header("location"), format!("/api/v1/runs/{}", run["id"].as_str().unwrap()));
        insta::assert_json_snapshot!(run, @r#"
        {
          "attempt": 0,
          "attempts": [],
          "cancel_requested": false,
          "count": 1,
          "created_at": "2026-11-24T00:00:00.000Z",
          "due_at": "2026-11-24T00:00:00.000Z",
          "finished_at": null,
          "id": "run_01m85dmb00haxasy8z7g5d1vzg",
          "jitter_ms": 0,
          "job_id": "job_01m85dmb00f819aeqbe1kkwaeb",
          "job_name": "nightly",
          "kind": "manual",
          "lag_ms": null,
          "project": "default",
          "reason": null,
          "scheduled_for": "2026-11-24T00:00:00.000Z",
          "scheduled_until": null,
          "started_at": null,
          "status": "pending",
          "worker": null
        }
        "#);
        assert_eq!(app.get(answer.header("location")).await.value(), run);
        assert_eq!(app.get("/api/v1/jobs/nightly").await.value()["next_fire_at"], job["next_fire_at"]);
    }

    #[tokio::test]
    async fn the_body_may_be_empty_or_an_empty_object() {
        let app = TestApp::new();
        app.create("nightly").await;
        assert_eq!(app.json("POST", "/api/v1/jobs/nightly/run", &json!({})).await.status, 202);
        let unknown = app.json("POST", "/api/v1/jobs/nightly/run", &json!({"at": 1})).await;
        assert_eq!(unknown.gist(), "422 invalid_request [/at unknown_field]");
        assert_eq!(app.post("/api/v1/jobs/daily/run").await.gist(), "404 not_found");
    }
}
