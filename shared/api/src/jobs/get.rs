//! `GET /jobs/{id}`

use axum::extract::State;

use crate::extract::path::JobIdParam;
use crate::extract::{JobPath, Project};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::JobView;

/// Get a job
///
/// By its id or by its name.
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    operation_id = "getJob",
    tag = "jobs",
    params(JobIdParam),
    responses((
        status = 200, description = "The job", body = JobView,
        headers(("ETag", description = "Its version, for `If-Match`"))
    ))
)]
pub async fn get_job(
    State(state): State<Shared>,
    Project(project): Project,
    JobPath(key): JobPath,
) -> Result<JobView, Problem> {
    Ok(state.scheduler.job(&project, &key).await?.into())
}

#[cfg(test)]
mod tests {
    use domain::JobId;
    use serde_json::json;

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn by_id_or_by_name() {
        let app = TestApp::new();
        let job = app.create("nightly").await;
        let by_id = app.get(&format!("/api/v1/jobs/{}", job["id"].as_str().unwrap())).await;
        let by_name = app.get("/api/v1/jobs/nightly").await;
        assert_eq!((by_id.status.as_u16(), by_id.header("etag")), (200, "\"v1\""));
        assert_eq!(by_id.value(), job);
        assert_eq!(by_name.value(), job);
    }

    #[tokio::test]
    async fn names_may_hold_anything_printable() {
        let app = TestApp::new();
        for (name, path) in
            [("a/b", "a%2Fb"), ("v1.2", "v1.2"), (".", "%2E"), ("50 % é?#", "50%20%25%20%C3%A9%3F%23")]
        {
            let job = app.create(name).await;
            assert_eq!(app.get(&format!("/api/v1/jobs/{path}")).await.value(), job, "{name}");
        }
    }

    #[tokio::test]
    async fn what_names_no_job_is_not_found() {
        let app = TestApp::new();
        let unknown = [
            "job_01kc0000000000000000000000",
            "nightly",
            "%00",
            "%FF",
            "job_",
            "run_01kc0000000000000000000000",
        ];
        for id in unknown.into_iter().chain([&*"x".repeat(5_000)]) {
            assert_eq!(app.get(&format!("/api/v1/jobs/{id}")).await.gist(), "404 not_found", "{id:.40}");
        }
    }

    #[tokio::test]
    async fn one_that_cannot_be_read_says_so_and_can_be_replaced() {
        let app = TestApp::new();
        let job = app.create("nightly").await;
        app.store.corrupt(job["id"].as_str().unwrap().parse::<JobId>().unwrap());
        let answer = app.get("/api/v1/jobs/nightly").await;
        assert_eq!(answer.header("etag"), "\"v2\"");
        insta::assert_json_snapshot!(answer.value(), @r#"
        {
          "created_at": "2026-11-24T00:00:00.000Z",
          "error": "the document was overwritten by a test",
          "id": "job_01m85dmb00f819aeqbe1kkwaeb",
          "last_run": null,
          "name": "nightly",
          "project": "default",
          "state": "invalid",
          "updated_at": "2026-11-24T00:00:00.000Z",
          "version": 2
        }
        "#);
        assert_eq!(app.json("PATCH", "/api/v1/jobs/nightly", &json!({})).await.gist(), "409 conflict");
        let mended = app.json("PUT", "/api/v1/jobs/nightly", &draft("nightly")).await;
        assert_eq!((mended.status.as_u16(), mended.value()["state"].as_str()), (200, Some("active")));
    }
}
