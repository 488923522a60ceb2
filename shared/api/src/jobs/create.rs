//! `POST /jobs`

use axum::extract::State;
use axum::response::Response;
use domain::JobDraft;

use crate::extract::{JsonBody, Project};
use crate::jobs::admit::admit;
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::JobView;

/// Create a job
///
/// It is active at once: its first occurrence is the first one after now.
#[utoipa::path(
    post,
    path = "/jobs",
    operation_id = "createJob",
    tag = "jobs",
    params(IdempotencyKeyHeader),
    request_body(content = JobDraft, examples(
        ("interval" = (summary = "Every two seconds, into the log", value = json!({
            "name": "heartbeat",
            "schedule": {"type": "interval", "every": "2s"},
            "target": {"type": "log", "message": "alive at {{scheduled_for}}"}
        }))),
        ("cron" = (summary = "At 02:00 in Paris on weekdays, over HTTP", value = json!({
            "name": "nightly-report",
            "labels": {"team": "billing"},
            "schedule": {"type": "cron", "expression": "0 2 * * 1-5", "timezone": "Europe/Paris"},
            "target": {"type": "http", "url": "https://example.com/report", "body": {"full": true}},
            "retry": {"max_attempts": 5, "initial": "30s"}
        }))),
        ("email" = (summary = "On Mondays at 08:00, by e-mail", value = json!({
            "name": "weekly-reminder",
            "schedule": {"type": "cron", "expression": "0 8 * * 1", "timezone": "Europe/Paris"},
            "target": {
                "type": "email", "to": ["Ada <ada@example.com>"], "subject": "Week of {{scheduled_for}}",
                "text": "Please send in your hours."
            }
        })))
    )),
    responses((
        status = 201, description = "The job, as it is stored", body = JobView,
        headers(("Location", description = "The job's address"), ("ETag", description = "Its version, `\"v1\"`"))
    ))
)]
pub async fn create_job(
    State(state): State<Shared>,
    Project(project): Project,
    JsonBody(draft): JsonBody<JobDraft>,
) -> Result<Response, Problem> {
    admit(&state, &draft)?;
    let stored = state.scheduler.create(&project, draft).await?;
    Ok(JobView::from(stored).created())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn the_answer_is_the_whole_job() {
        let app = TestApp::new();
        let answer = app.json("POST", "/api/v1/jobs", &draft("nightly")).await;
        assert_eq!(answer.status, 201);
        let job = answer.value();
        assert_eq!(answer.header("location"), format!("/api/v1/jobs/{}", job["id"].as_str().unwrap()));
        assert_eq!(answer.header("etag"), "\"v1\"");
        assert_eq!(answer.header("cache-control"), "no-store");
        insta::assert_json_snapshot!(job, @r#"
        {
          "calendars": [],
          "concurrency": null,
          "created_at": "2026-11-24T00:00:00.000Z",
          "deadline": null,
          "description": "",
          "end_at": null,
          "id": "job_01m85dmb00f819aeqbe1kkwaeb",
          "jitter": "0s",
          "labels": {},
          "last_run": null,
          "max_runs": null,
          "misfire": {
            "max": 100,
            "policy": "latest",
            "tolerance": "10s",
            "window": "1d"
          },
          "name": "nightly",
          "next_fire_at": "2026-11-24T01:00:00.000Z",
          "overlap": "skip",
          "pause_after_failures": null,
          "pause_reason": null,
          "paused_until": null,
          "project": "default",
          "retry": {
            "factor": 2.0,
            "initial": "10s",
            "jitter": true,
            "max": "10m",
            "max_attempts": 3
          },
          "runs_started": 0,
          "schedule": {
            "expression": "0 1 * * *",
            "fold": "first",
            "gap": "next_valid",
            "timezone": "UTC",
            "type": "cron"
          },
          "start_at": null,
          "state": "active",
          "target": {
            "type": "noop"
          },
          "timeout": "30s",
          "updated_at": "2026-11-24T00:00:00.000Z",
          "version": 1
        }
        "#);
        assert_eq!(app.get(answer.header("location")).await.value(), job);
    }

    #[tokio::test]
    async fn a_name_is_taken_once() {
        let app = TestApp::new();
        app.create("nightly").await;
        let again = app.json("POST", "/api/v1/jobs", &draft("nightly")).await;
        insta::assert_snapshot!(again.gist(), @"409 name_taken [/name name_taken]");
    }

    #[tokio::test]
    async fn everything_wrong_is_reported_at_once() {
        let app = TestApp::new();
        let answer = app
            .json(
                "POST",
                "/api/v1/jobs",
                &json!({
                    "name": " ",
                    "schedule": {"type": "interval", "every": "0s"},
                    "target": {"type": "http", "url": "ftp://example.com"},
                    "retry": {"max_attempts": 0}
                }),
            )
            .await;
        insta::assert_json_snapshot!(answer.problem(), @r#"
        {
          "code": "invalid_request",
          "detail": "/name: must not be empty; /target/url: scheme “ftp” is neither http nor https; /retry/max_attempts: 0 is outside 1–100; /schedule/every: 0s is shorter than 1s",
          "errors": [
            {
              "code": "too_short",
              "detail": "must not be empty",
              "pointer": "/name"
            },
            {
              "code": "invalid_value",
              "detail": "scheme “ftp” is neither http nor https",
              "pointer": "/target/url"
            },
            {
              "code": "out_of_range",
              "detail": "0 is outside 1–100",
              "pointer": "/retry/max_attempts"
            },
            {
              "code": "out_of_range",
              "detail": "0s is shorter than 1s",
              "pointer": "/schedule/every"
            }
          ],
          "request_id": "…",
          "status": 422,
          "title": "The request cannot be carried out as it is",
          "type": "/docs/errors/invalid_request"
        }
        "#);
    }

    #[tokio::test]
    async fn instants_are_written_as_everywhere() {
        let app = TestApp::new();
        let mut job = draft("nightly");
        job["start_at"] = json!("2026-12-01T10:00:00+01:00");
        job["end_at"] = json!("2027-12-01T09:00:00.1239Z");
        let job = app.json("POST", "/api/v1/jobs", &job).await.value();
        assert_eq!(job["start_at"], "2026-12-01T09:00:00.000Z");
        assert_eq!(job["end_at"], "2027-12-01T09:00:00.123Z");
    }
}
