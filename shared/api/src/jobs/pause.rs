//! `POST /jobs/{id}/pause`

use axum::extract::State;
use domain::Invalid;
use serde::Deserialize;

use crate::extract::if_match::IfMatchHeader;
use crate::extract::path::JobIdParam;
use crate::extract::{IfMatch, JobPath, OptionalJson, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::JobView;

/// How a job is to be paused.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// Why, for whoever wonders later.
    #[serde(default)]
    #[schema(max_length = 1024, example = "the report server is being moved")]
    pub reason: Option<String>,
}

/// Pause a job
///
/// It does not fire until it is resumed. What would have fired meanwhile is recorded as missed, not caught up.
#[utoipa::path(
    post,
    path = "/jobs/{id}/pause",
    operation_id = "pauseJob",
    tag = "jobs",
    params(JobIdParam, IfMatchHeader, IdempotencyKeyHeader),
    request_body(content = Option<PauseRequest>, examples(
        ("reason" = (summary = "With a reason", value = json!({"reason": "the report server is being moved"}))),
        ("plain" = (summary = "Without", value = json!({})))
    )),
    responses((
        status = 200, description = "The job, paused", body = JobView,
        headers(("ETag", description = "Its new version"))
    ))
)]
pub async fn pause_job(
    State(state): State<Shared>,
    project: Project,
    JobPath(key): JobPath,
    if_match: IfMatch,
    OptionalJson(PauseRequest { reason }): OptionalJson<PauseRequest>,
) -> Result<JobView, Problem> {
    const LONGEST: usize = 1_024;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST) {
        let detail = format!("longer than {LONGEST} characters");
        return Err(Invalid::one("/reason", "too_long", detail).into());
    }
    let expected = if_match.expected(&state, &project, &key).await?;
    Ok(state.scheduler.pause(&project.0, &key, reason.as_deref(), expected).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn it_waits_with_its_reason() {
        let app = TestApp::new();
        app.create("nightly").await;
        let answer = app.json("POST", "/api/v1/jobs/nightly/pause", &json!({"reason": "moving"})).await;
        let job = answer.value();
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"v2\""));
        assert_eq!((&job["state"], &job["pause_reason"]), (&json!("paused"), &json!("moving")));
        assert_eq!(job["next_fire_at"], json!(null));
        let again = app.post("/api/v1/jobs/nightly/pause").await.value();
        assert_eq!(again["pause_reason"], json!(null));
    }

    #[tokio::test]
    async fn only_the_version_that_was_seen_and_a_reasonable_reason() {
        let app = TestApp::new();
        app.create("nightly").await;
        let stale = app.send("POST", "/api/v1/jobs/nightly/pause", &[("if-match", "\"v7\"")], "").await;
        assert_eq!(stale.gist(), "412 stale");
        let long = json!({"reason": "x".repeat(2_000)});
        let long = app.json("POST", "/api/v1/jobs/nightly/pause", &long).await;
        assert_eq!(long.gist(), "422 invalid_request [/reason too_long]");
    }
}
