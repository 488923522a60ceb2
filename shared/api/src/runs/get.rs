//! `GET /runs/{id}`

use axum::extract::State;

use crate::extract::path::RunIdParam;
use crate::extract::{Project, RunPath};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::RunView;

/// Get a run
///
/// With every attempt so far: what was sent, what came back, what went wrong.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    operation_id = "getRun",
    tag = "runs",
    params(RunIdParam),
    responses((status = 200, description = "The run", body = RunView))
)]
pub async fn get_run(
    State(state): State<Shared>,
    Project(project): Project,
    RunPath(id): RunPath,
) -> Result<RunView, Problem> {
    let run = state.scheduler.run(&project, id).await?;
    let said = state.callbacks.progress(&run).await?;
    let mut view = RunView::from(run);
    if let Some(said) = said {
        view.callback = view.callback.map(|callback| callback.with(said));
    }
    Ok(view)
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn what_names_no_run_is_not_found() {
        let app = TestApp::new();
        app.create("nightly").await;
        for id in ["run_01kc0000000000000000000000", "job_01kc0000000000000000000000", "nightly", "%00"] {
            assert_eq!(app.get(&format!("/api/v1/runs/{id}")).await.gist(), "404 not_found", "{id}");
        }
    }
}
