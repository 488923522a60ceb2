//! `GET /jobs/{id}/runs`

use axum::extract::{OriginalUri, State};
use axum::response::Response;

use crate::extract::path::JobIdParam;
use crate::extract::{JobPath, Project};
use crate::problem::Problem;
use crate::runs::list::{ListRunsParams, page_of_job};
use crate::state::Shared;
use crate::views::{Page, RunView};

/// List a job's runs
///
/// Page by page, newest nominal time first.
#[utoipa::path(
    get,
    path = "/jobs/{id}/runs",
    operation_id = "listJobRuns",
    tag = "jobs",
    params(JobIdParam, ListRunsParams),
    responses((
        status = 200, description = "One page of runs", body = Page<RunView>,
        headers(("Link", description = "`rel=\"next\"`, where there is a next page"))
    ))
)]
pub async fn list_job_runs(
    State(state): State<Shared>,
    Project(project): Project,
    JobPath(key): JobPath,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let stored = state.scheduler.job(&project, &key).await?;
    page_of_job(&state, project, stored.id(), &uri).await
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn only_the_runs_of_this_job() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.create("weekly").await;
        let run = app.run("nightly").await;
        app.run("weekly").await;
        let page = app.get("/api/v1/jobs/nightly/runs?limit=1").await.value();
        assert_eq!((&page["data"][0], page["data"].as_array().unwrap().len()), (&run, 1));
        assert_eq!(page["has_more"], false);
        assert_eq!(app.get("/api/v1/jobs/daily/runs").await.gist(), "404 not_found");
    }
}
