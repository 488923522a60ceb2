//! `POST /jobs/{id}/backfill`

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::BackfillOrder;

use crate::extract::path::JobIdParam;
use crate::extract::query::QueryString;
use crate::extract::{JobPath, JsonBody, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::backfill::{BackfillSurvey, BackfillView};

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct BackfillParams {
    /// Says what it would come to, without a limit, and does nothing.
    #[param(default = false)]
    dry_run: Option<bool>,
}

/// Backfill a job
///
/// Carries out the occurrences its schedule had from `from` (inclusive) up to `to` (exclusive), as runs of the kind
/// `backfill`, beside its schedule, which stays as it is. Calendars are kept to; a pause, `max_runs`, the misfire policy and
/// the job's own overlap policy play no part. Editing the job's schedule meanwhile does not change which occurrences they are.
#[utoipa::path(
    post,
    path = "/jobs/{id}/backfill",
    operation_id = "backfillJob",
    tag = "backfills",
    params(JobIdParam, BackfillParams, IdempotencyKeyHeader),
    request_body(content = BackfillOrder, examples(
        ("week" = (summary = "A week, one run after the other", value = json!({
            "from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z"
        }))),
        ("fast" = (summary = "Many at a time, with a body of their own", value = json!({
            "from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z", "overlap": "allow_all", "max": 5000,
            "payload": {"full": true, "day": "{{scheduled_for}}"}
        })))
    )),
    responses(
        (status = 200, description = "What it would come to (`dry_run`)", body = BackfillSurvey),
        (
            status = 202, description = "The backfill, under way", body = BackfillView,
            headers(("Location", description = "The backfill's address"))
        )
    )
)]
pub async fn backfill_job(
    State(state): State<Shared>,
    Project(project): Project,
    JobPath(key): JobPath,
    OriginalUri(uri): OriginalUri,
    JsonBody(order): JsonBody<BackfillOrder>,
) -> Result<Response, Problem> {
    let mut query = QueryString::parse(uri.query());
    let dry_run = query.one("dry_run", |text| text.parse().map_err(|_| "is true or false".to_owned()));
    query.finish()?;
    if dry_run == Some(true) {
        let survey = state.scheduler.survey(&project, &key, &order).await?;
        return Ok((StatusCode::OK, Json(BackfillSurvey::from(survey))).into_response());
    }
    Ok(BackfillView::from(state.scheduler.backfill(&project, &key, order).await?).accepted())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    /// An app a week after `nightly` was stored, which is due at 01:00 every day.
    async fn app() -> TestApp {
        let app = TestApp::new();
        app.create("nightly").await;
        app.clock.advance(TimeDelta::days(7));
        app
    }

    fn order(from: &str, to: &str) -> Value {
        json!({"from": from, "to": to})
    }

    #[tokio::test]
    async fn it_is_under_way_at_once() {
        let app = app().await;
        let before = app.get("/api/v1/jobs/nightly").await.value();
        // The end is exclusive.
        let order = order("2026-11-20T01:00:00Z", "2026-11-23T01:00:00Z");
        let answer = app.json("POST", "/api/v1/jobs/nightly/backfill", &order).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let mut backfill = answer.value();
        assert_eq!(app.get(answer.header("location")).await.value(), backfill);
        let id = backfill["id"].take();
        assert_eq!(answer.header("location"), format!("/api/v1/backfills/{}", id.as_str().unwrap()));
        backfill["job_id"].take();
        insta::assert_json_snapshot!(backfill, @r#"
        {
          "created": 1,
          "created_at": "2026-12-01T00:00:00.000Z",
          "finished_at": null,
          "from": "2026-11-20T01:00:00.000Z",
          "id": null,
          "job_id": null,
          "job_name": "nightly",
          "last_scheduled_for": "2026-11-20T01:00:00.000Z",
          "overlap": "buffer_all",
          "payload": null,
          "project": "default",
          "reason": null,
          "runs": {
            "cancelled": 0,
            "failed": 0,
            "pending": 1,
            "running": 0,
            "skipped": 0,
            "succeeded": 0,
            "timed_out": 0
          },
          "state": "running",
          "to": "2026-11-23T01:00:00.000Z",
          "total": 3
        }
        "#);
        let runs = app.get("/api/v1/jobs/nightly/runs?kind=backfill").await.value();
        let run = &runs["data"][0];
        assert_eq!((&run["backfill_id"], &run["scheduled_for"]), (&id, &json!("2026-11-20T01:00:00.000Z")));
        assert_eq!(app.get("/api/v1/jobs/nightly").await.value(), before, "the schedule stays as it is");
    }

    #[tokio::test]
    async fn a_dry_run_counts_and_does_nothing() {
        let app = app().await;
        let mut order = order("2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z");
        order["max"] = json!(1);
        let path = "/api/v1/jobs/nightly/backfill?dry_run=true";
        let survey = app.json("POST", path, &order).await;
        assert_eq!(survey.status, 200);
        let expected =
            json!({"total": 3, "first": "2026-11-20T01:00:00.000Z", "last": "2026-11-22T01:00:00.000Z"});
        assert_eq!(survey.value(), expected);
        order["to"] = json!("2026-11-20T01:00:00Z");
        let none = app.json("POST", path, &order).await.value();
        assert_eq!(none, json!({"total": 0, "first": null, "last": null}));
        assert_eq!(app.get("/api/v1/jobs/nightly/backfills").await.value()["data"], json!([]));
        assert_eq!(app.get("/api/v1/jobs/nightly/runs").await.value()["data"], json!([]));
        let path = "/api/v1/jobs/nightly/backfill?dry_run=perhaps";
        let answer = app.json("POST", path, &order).await;
        assert_eq!(answer.gist(), "422 invalid_query [dry_run invalid_value]");
    }

    #[tokio::test]
    async fn what_is_wrong_is_pointed_at() {
        let app = app().await;
        let (from, to) = ("2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z");
        let with = |field: &str, value: Value| {
            let mut order = order(from, to);
            order[field] = value;
            order
        };
        let cases = [
            (order(to, from), "/to out_of_range"),
            (order(from, from), "/to out_of_range"),
            (order(from, "2026-12-01T00:00:01Z"), "/to out_of_range"),
            (order("1969-12-31T23:59:59Z", to), "/from out_of_range"),
            (order("+262142-12-31T23:59:59Z", to), "/from out_of_range] [/to out_of_range"),
            (order(from, "2026-11-20T01:00:00Z"), "/from never_fires"),
            (order("soon", to), "/from invalid_value"),
            (json!({"from": from}), "/to missing_field"),
            (with("max", json!(2)), "/max too_many"),
            (with("max", json!(0)), "/max out_of_range"),
            (with("max", json!(10_001)), "/max out_of_range"),
            (with("overlap", json!("skip")), "/overlap invalid_value"),
            (with("payload", json!({})), "/payload unsupported"),
            (with("until", json!(to)), "/until unknown_field"),
        ];
        for (order, part) in cases {
            let answer = app.json("POST", "/api/v1/jobs/nightly/backfill", &order).await;
            assert_eq!(answer.gist(), format!("422 invalid_request [{part}]"), "{order}");
        }
        let many =
            app.json("POST", "/api/v1/jobs/nightly/backfill", &order("1970-01-01T00:00:00Z", to)).await;
        let detail = many.problem()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("20780 occurrences"), "{detail}");
        let unknown = app.json("POST", "/api/v1/jobs/daily/backfill", &order(from, to)).await;
        assert_eq!(unknown.gist(), "404 not_found");
        assert_eq!(app.get("/api/v1/jobs/nightly/backfills").await.value()["data"], json!([]));
    }
}
