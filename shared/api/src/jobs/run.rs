//! `POST /jobs/{id}/run`

use axum::extract::State;
use axum::response::Response;
use domain::{Asked, Overlap};
use serde::Deserialize;
use serde_json::Value;

use crate::extract::path::JobIdParam;
use crate::extract::{JobPath, OptionalJson, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::RunView;

/// What a run is to have otherwise than its job.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// In place of the body of an `http` target, or, as a string, of the message of a `log` target; filled in like those. At most
    /// 256 KiB. `null` is the job's own.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"full": false}))]
    pub payload: Option<Value>,
    /// How it gets on with the job's unfinished runs; beside them where not given. Where the policy has no room for
    /// it (`skip`: there is one; `buffer_one`: one waits already), the answer is 409 and nothing is recorded.
    #[serde(default)]
    pub overlap: Option<Overlap>,
}

/// Run a job now
///
/// Beside its schedule, which stays as it is, and beside whatever else of it is running, unless `overlap` says otherwise.
#[utoipa::path(
    post,
    path = "/jobs/{id}/run",
    operation_id = "runJob",
    tag = "jobs",
    params(JobIdParam, IdempotencyKeyHeader),
    request_body(content = Option<RunRequest>, examples(
        ("plain" = (summary = "As the job says", value = json!({}))),
        ("payload" = (summary = "With another body, unless the job is running", value = json!({
            "payload": {"full": false}, "overlap": "skip"
        })))
    )),
    responses((
        status = 202, description = "The run, waiting to be started", body = RunView,
        headers(("Location", description = "The run's address"))
    ))
)]
pub async fn run_job(
    State(state): State<Shared>,
    Project(project): Project,
    JobPath(key): JobPath,
    OptionalJson(RunRequest { payload, overlap }): OptionalJson<RunRequest>,
) -> Result<Response, Problem> {
    let run =
        state.scheduler.run_as_asked(&project, &key, Asked { payload, overlap, ..Asked::default() }).await?;
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
          "backfill_id": null,
          "callback": null,
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
          "overlap": null,
          "payload": null,
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
    async fn a_payload_takes_the_place_of_the_body() {
        let app = TestApp::new();
        let mut job = crate::testing::draft("report");
        job["target"] = json!({"type": "http", "url": "https://example.com/", "body": {"full": true}});
        app.json("POST", "/api/v1/jobs", &job).await;
        app.create("nothing").await;
        let asked = json!({"payload": {"full": false}, "overlap": "allow_all"});
        let answer = app.json("POST", "/api/v1/jobs/report/run", &asked).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let run = app.get(answer.header("location")).await.value();
        assert_eq!((&run["payload"], &run["overlap"]), (&asked["payload"], &asked["overlap"]));
        let refused = app.json("POST", "/api/v1/jobs/nothing/run", &asked).await;
        assert_eq!(refused.gist(), "422 invalid_request [/payload unsupported]");
        let long = json!({"payload": "x".repeat(300_000)});
        let long = app.json("POST", "/api/v1/jobs/report/run", &long).await;
        assert_eq!(long.gist(), "422 invalid_request [/payload too_long]");
        for bad in [json!({"overlap": "never"}), json!({"overlap": 1}), json!({"overlap": {}})] {
            let answer = app.json("POST", "/api/v1/jobs/report/run", &bad).await;
            assert!(answer.gist().starts_with("422 invalid_request [/overlap invalid_"), "{answer:?}");
        }
        assert_eq!(app.get("/api/v1/jobs/nothing/runs").await.value()["data"], json!([]));
    }

    #[tokio::test]
    async fn a_policy_without_room_is_a_conflict_that_leaves_no_record() {
        let app = TestApp::new();
        app.create("nightly").await;
        let ask = |overlap: &str| {
            let body = json!({"overlap": overlap});
            let app = &app;
            async move { app.json("POST", "/api/v1/jobs/nightly/run", &body).await }
        };
        let first = ask("skip").await;
        assert_eq!(first.status, 202);
        let refused = ask("skip").await;
        assert_eq!(refused.gist(), "409 conflict");
        let detail = refused.problem()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(first.value()["id"].as_str().unwrap()), "{detail}");
        assert_eq!(ask("buffer_one").await.status, 202);
        assert_eq!(ask("buffer_one").await.gist(), "409 conflict");
        for overlap in ["buffer_all", "cancel_other", "allow_all"] {
            assert_eq!(ask(overlap).await.status, 202, "{overlap}");
        }
        assert_eq!(app.get("/api/v1/jobs/nightly/runs").await.value()["data"].as_array().unwrap().len(), 5);
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
