//! `DELETE /jobs/{id}`

use axum::extract::State;
use axum::http::StatusCode;

use crate::extract::if_match::IfMatchHeader;
use crate::extract::path::JobIdParam;
use crate::extract::{IfMatch, JobPath, Project};
use crate::problem::Problem;
use crate::state::Shared;

/// Delete a job
///
/// It does not fire any more. Runs that have started go on to their end, those that wait are cancelled, and the
/// history of its runs stays: with a record of what it was due for and did not do, while it was paused or nobody looked.
#[utoipa::path(
    delete,
    path = "/jobs/{id}",
    operation_id = "deleteJob",
    tag = "jobs",
    params(JobIdParam, IfMatchHeader),
    responses((status = 204, description = "It is gone"))
)]
pub async fn delete_job(
    State(state): State<Shared>,
    project: Project,
    JobPath(key): JobPath,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let expected = if_match.expected(&state, &project, &key).await?;
    state.scheduler.delete(&project.0, &key, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn it_is_gone_and_its_runs_stay() {
        let app = TestApp::new();
        app.create("nightly").await;
        let run = app.run("nightly").await;
        let stale = app.send("DELETE", "/api/v1/jobs/nightly", &[("if-match", "\"v7\"")], "").await;
        assert_eq!(stale.gist(), "412 stale");
        let answer = app.send("DELETE", "/api/v1/jobs/nightly", &[("if-match", "\"v1\"")], "").await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
        assert_eq!(app.get("/api/v1/jobs/nightly").await.gist(), "404 not_found");
        assert_eq!(app.send("DELETE", "/api/v1/jobs/nightly", &[], "").await.gist(), "404 not_found");
        assert_eq!(app.get("/api/v1/runs").await.value()["data"][0]["id"], run["id"]);
    }

    /// A job that is due and not fired, or paused, owes its occurrences; they are recorded before it goes.
    #[tokio::test]
    async fn what_it_owed_is_recorded() {
        for (paused, reason) in [(true, "paused"), (false, "deleted")] {
            let app = TestApp::new();
            app.create("nightly").await;
            if paused {
                app.post("/api/v1/jobs/nightly/pause").await;
            }
            app.clock.advance(chrono::TimeDelta::days(3));
            let version = if paused { "\"v2\"" } else { "\"v1\"" };
            let answer = app.send("DELETE", "/api/v1/jobs/nightly", &[("if-match", version)], "").await;
            assert_eq!(answer.status, 204, "{answer:?}");
            assert_eq!(app.get("/api/v1/jobs/nightly").await.gist(), "404 not_found");
            let runs = app.get("/api/v1/runs").await.value()["data"].clone();
            let run = &runs[0];
            assert_eq!(runs.as_array().unwrap().len(), 1);
            assert_eq!(
                (&run["status"], &run["reason"], &run["count"]),
                (&json!("missed"), &json!(reason), &json!(3))
            );
            assert_eq!(run["scheduled_until"], "2026-11-26T01:00:00.000Z");
        }
    }
}
