//! `POST /jobs/{id}/pause`

use axum::extract::State;
use domain::{Instant, Invalid, is_in_range};
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
    /// When it is resumed by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-01T09:00:00Z")]
    pub until: Option<Instant>,
}

/// Pause a job
///
/// It does not fire until it is resumed, by a request or at `until`. What would have fired meanwhile is recorded as missed, not caught up.
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
    OptionalJson(PauseRequest { reason, until }): OptionalJson<PauseRequest>,
) -> Result<JobView, Problem> {
    let until = until.map(domain::whole_millis);
    check_pause(reason.as_deref(), until, state.scheduler.now())?;
    let expected = if_match.expected(&state, &project, &key).await?;
    Ok(state.scheduler.pause(&project.0, &key, reason.as_deref(), until, expected).await?.into())
}

/// What may be wrong with a pause.
pub(super) fn check_pause(reason: Option<&str>, until: Option<Instant>, now: Instant) -> Result<(), Invalid> {
    const LONGEST: usize = 1_024;
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST) {
        return Err(Invalid::one("/reason", "too_long", format!("longer than {LONGEST} characters")));
    }
    if until.is_some_and(|until| until <= now || !is_in_range(until)) {
        return Err(Invalid::one("/until", "out_of_range", "must lie in the future, and before 2101"));
    }
    Ok(())
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

    #[tokio::test]
    async fn it_may_end_by_itself() {
        let app = TestApp::new();
        app.create("nightly").await;
        let until = json!({"until": "2026-11-24T12:00:00+01:00"});
        let job = app.json("POST", "/api/v1/jobs/nightly/pause", &until).await.value();
        assert_eq!(
            (&job["state"], &job["paused_until"]),
            (&json!("paused"), &json!("2026-11-24T11:00:00.000Z"))
        );
        assert_eq!(job["next_fire_at"], json!(null));
        for bad in ["2026-11-24T00:00:00Z", "2020-01-01T00:00:00Z", "2101-01-01T00:00:00Z"] {
            let answer = app.json("POST", "/api/v1/jobs/nightly/pause", &json!({"until": bad})).await;
            assert_eq!(answer.gist(), "422 invalid_request [/until out_of_range]", "{bad}");
        }
        let job = app.post("/api/v1/jobs/nightly/resume").await.value();
        assert_eq!((&job["state"], &job["paused_until"]), (&json!("active"), &json!(null)));
    }
}
