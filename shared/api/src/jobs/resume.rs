//! `POST /jobs/{id}/resume`

use axum::extract::State;

use crate::extract::body::Nothing;
use crate::extract::if_match::IfMatchHeader;
use crate::extract::path::JobIdParam;
use crate::extract::{IfMatch, JobPath, OptionalJson, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::JobView;

/// Resume a paused job
///
/// It fires again from now on; nothing fires for the time of the pause. A job that is not paused stays as it is.
#[utoipa::path(
    post,
    path = "/jobs/{id}/resume",
    operation_id = "resumeJob",
    tag = "jobs",
    params(JobIdParam, IfMatchHeader, IdempotencyKeyHeader),
    request_body(content = Option<Nothing>, example = json!({})),
    responses((
        status = 200, description = "The job, active again", body = JobView,
        headers(("ETag", description = "Its new version"))
    ))
)]
pub async fn resume_job(
    State(state): State<Shared>,
    project: Project,
    JobPath(key): JobPath,
    if_match: IfMatch,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<JobView, Problem> {
    let expected = if_match.expected(&state, &project, &key).await?;
    Ok(state.scheduler.resume(&project.0, &key, expected).await?.into())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn it_fires_from_now_on() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.post("/api/v1/jobs/nightly/pause").await;
        app.clock.advance(TimeDelta::days(3));
        let stale = app.send("POST", "/api/v1/jobs/nightly/resume", &[("if-match", "\"v1\"")], "").await;
        assert_eq!(stale.gist(), "412 stale");
        let job = app.post("/api/v1/jobs/nightly/resume").await.value();
        assert_eq!(
            (&job["state"], &job["next_fire_at"]),
            (&json!("active"), &json!("2026-11-27T01:00:00.000Z"))
        );
        let runs = app.get("/api/v1/jobs/nightly/runs").await.value();
        assert_eq!((&runs["data"][0]["status"], &runs["data"][0]["count"]), (&json!("missed"), &json!(3)));
    }

    #[tokio::test]
    async fn one_that_is_not_paused_stays_as_it_is() {
        let app = TestApp::new();
        let job = app.create("nightly").await;
        assert_eq!(app.post("/api/v1/jobs/nightly/resume").await.value(), job);
    }
}
