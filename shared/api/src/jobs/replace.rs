//! `PUT /jobs/{id}`

use axum::extract::State;
use domain::JobDraft;

use crate::extract::if_match::IfMatchHeader;
use crate::extract::path::JobIdParam;
use crate::extract::{IfMatch, JobPath, JsonBody, Project};
use crate::jobs::admit::admit;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::JobView;

/// Replace a job's definition
///
/// What is left out returns to its default. A changed schedule counts from now; any other change keeps the next
/// occurrence. This also mends a job that is `invalid`.
#[utoipa::path(
    put,
    path = "/jobs/{id}",
    operation_id = "replaceJob",
    tag = "jobs",
    params(JobIdParam, IfMatchHeader),
    request_body(content = JobDraft, examples(
        ("log" = (summary = "Hourly, into the log", value = json!({
            "name": "heartbeat",
            "schedule": {"type": "cron", "expression": "@hourly"},
            "target": {"type": "log", "message": "still alive"}
        }))),
        ("date" = (summary = "Once, over HTTP", value = json!({
            "name": "year-end",
            "schedule": {"type": "date", "at": "2099-12-31T23:00:00", "timezone": "Europe/Paris"},
            "target": {"type": "http", "method": "PUT", "url": "https://example.com/close"}
        })))
    )),
    responses((
        status = 200, description = "The job, as it is stored", body = JobView,
        headers(("ETag", description = "Its new version"))
    ))
)]
pub async fn replace_job(
    State(state): State<Shared>,
    project: Project,
    JobPath(key): JobPath,
    if_match: IfMatch,
    JsonBody(draft): JsonBody<JobDraft>,
) -> Result<JobView, Problem> {
    admit(&state, &draft)?;
    let expected = if_match.expected(&state, &project, &key).await?;
    Ok(state.scheduler.replace(&project.0, &key, draft, expected).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn what_is_left_out_returns_to_its_default() {
        let app = TestApp::new();
        let mut first = draft("nightly");
        first["labels"] = json!({"team": "billing"});
        app.json("POST", "/api/v1/jobs", &first).await;
        let answer = app.json("PUT", "/api/v1/jobs/nightly", &draft("weekly")).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"v2\""));
        assert_eq!(answer.value()["labels"], json!({}));
        assert_eq!(app.get("/api/v1/jobs/nightly").await.status, 404);
        assert_eq!(app.get("/api/v1/jobs/weekly").await.value(), answer.value());
    }

    #[tokio::test]
    async fn nobody_overwrites_a_change_they_have_not_seen() {
        let app = TestApp::new();
        app.create("nightly").await;
        let put = |tag| {
            let app = &app;
            async move { app.json_with("PUT", "/api/v1/jobs/nightly", ("if-match", tag), &draft("nightly")).await }
        };
        assert_eq!(put("\"v1\"").await.status, 200);
        let stale = put("\"v1\"").await;
        assert_eq!((stale.gist().as_str(), stale.header("etag")), ("412 stale", "\"v2\""));
        assert_eq!(put("\"foreign\"").await.gist(), "412 stale");
        assert_eq!(put("v2").await.gist(), "400 malformed_request [If-Match malformed]");
        assert_eq!(put("W/\"v2\"").await.status, 200);
        assert_eq!(put("\"v9\", \"v3\"").await.status, 200);
        assert_eq!(put("*").await.header("etag"), "\"v5\"");
    }

    #[tokio::test]
    async fn a_taken_name_and_an_unknown_job() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.create("weekly").await;
        let taken = app.json("PUT", "/api/v1/jobs/nightly", &draft("weekly")).await;
        assert_eq!(taken.gist(), "409 name_taken [/name name_taken]");
        assert_eq!(app.json("PUT", "/api/v1/jobs/daily", &draft("daily")).await.gist(), "404 not_found");
    }
}
