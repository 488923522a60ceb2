//! `PATCH /jobs/{id}`

use axum::extract::State;

use crate::extract::if_match::IfMatchHeader;
use crate::extract::path::JobIdParam;
use crate::extract::{IfMatch, JobPath, MergePatch, Project};
use crate::jobs::admit::admit_patch;
use crate::openapi::JobPatch;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::JobView;

/// Change parts of a job
///
/// A JSON merge patch (RFC 7396): fields sent replace those stored, `null` returns a field to its default, the others
/// stay. A schedule or target of another `type` replaces the old one whole.
#[utoipa::path(
    patch,
    path = "/jobs/{id}",
    operation_id = "updateJob",
    tag = "jobs",
    params(JobIdParam, IfMatchHeader),
    request_body(content(
        (JobPatch = "application/merge-patch+json", examples(
            ("schedule" = (summary = "Another interval", value = json!({"schedule": {"every": "10m"}}))),
            ("label" = (summary = "Add one label, remove another", value = json!({"labels": {"team": "ops", "old": null}})))
        )),
        (JobPatch = "application/json", examples(
            ("timeout" = (summary = "A longer timeout", value = json!({"timeout": "2m"}))),
            ("retry" = (summary = "The default retries again", value = json!({"retry": null})))
        ))
    )),
    responses((
        status = 200, description = "The job, as it is stored", body = JobView,
        headers(("ETag", description = "Its new version"))
    ))
)]
pub async fn update_job(
    State(state): State<Shared>,
    project: Project,
    JobPath(key): JobPath,
    if_match: IfMatch,
    MergePatch(patch): MergePatch,
) -> Result<JobView, Problem> {
    admit_patch(&state, &patch)?;
    let expected = if_match.expected(&state, &project, &key).await?;
    Ok(state.scheduler.patch(&project.0, &key, &patch, expected).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn fields_sent_replace_those_stored() {
        let app = TestApp::new();
        let before = app.create("nightly").await;
        let patch =
            json!({"schedule": {"timezone": "Europe/Paris"}, "timeout": "1m", "labels": {"team": "ops"}});
        let answer = app
            .send(
                "PATCH",
                "/api/v1/jobs/nightly",
                &[("content-type", "application/merge-patch+json"), ("if-match", "\"v1\"")],
                patch.to_string(),
            )
            .await;
        let after = answer.value();
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"v2\""));
        assert_eq!(after["schedule"]["expression"], before["schedule"]["expression"]);
        assert_eq!((&after["timeout"], &after["labels"]), (&json!("1m"), &json!({"team": "ops"})));
        assert_eq!(after["next_fire_at"], "2026-11-25T00:00:00.000Z");
        let reset = app
            .json("PATCH", "/api/v1/jobs/nightly", &json!({"timeout": null, "labels": null}))
            .await
            .value();
        assert_eq!((&reset["timeout"], &reset["labels"]), (&json!("30s"), &json!({})));
    }

    #[tokio::test]
    async fn what_is_wrong_is_pointed_at_and_nothing_changes() {
        let app = TestApp::new();
        let before = app.create("nightly").await;
        let cases = [
            (
                json!({"schedule": {"type": "interval"}}),
                "422 invalid_request [/schedule/every missing_field]",
            ),
            (json!({"schedule": {"every": "5m"}}), "422 invalid_request [/schedule/every unknown_field]"),
            (json!({"schedule": null}), "422 invalid_request [/schedule missing_field]"),
            (json!({"id": "job_x"}), "422 invalid_request [/id unknown_field]"),
            (
                json!({"retry": {"max_attempts": 1.5}}),
                "422 invalid_request [/retry/max_attempts invalid_type]",
            ),
            (json!([]), "422 invalid_request [ invalid_type]"),
            (json!(null), "422 invalid_request [ invalid_type]"),
        ];
        for (patch, gist) in cases {
            assert_eq!(app.json("PATCH", "/api/v1/jobs/nightly", &patch).await.gist(), gist, "{patch}");
        }
        assert_eq!(app.get("/api/v1/jobs/nightly").await.value(), before);
    }

    #[tokio::test]
    async fn a_json_patch_is_something_else() {
        let app = TestApp::new();
        app.create("nightly").await;
        let headers = [("content-type", "application/json-patch+json")];
        let answer = app.send("PATCH", "/api/v1/jobs/nightly", &headers, "[]").await;
        assert_eq!(answer.gist(), "415 unsupported_media_type");
    }
}
