//! `GET /backfills/{id}`

use axum::extract::State;

use crate::extract::path::BackfillIdParam;
use crate::extract::{BackfillPath, Project};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::BackfillView;

/// Get a backfill
///
/// How far it has got, and how its runs have ended so far.
#[utoipa::path(
    get,
    path = "/backfills/{id}",
    operation_id = "getBackfill",
    tag = "backfills",
    params(BackfillIdParam),
    responses((status = 200, description = "The backfill", body = BackfillView))
)]
pub async fn get_backfill(
    State(state): State<Shared>,
    Project(project): Project,
    BackfillPath(id): BackfillPath,
) -> Result<BackfillView, Problem> {
    Ok(state.scheduler.backfill_progress(&project, id).await?.into())
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn what_names_no_backfill_is_not_found() {
        let app = TestApp::new();
        app.create("nightly").await;
        for id in ["backfill_01kc0000000000000000000000", "job_01kc0000000000000000000000", "nightly", "%00"]
        {
            assert_eq!(app.get(&format!("/api/v1/backfills/{id}")).await.gist(), "404 not_found", "{id}");
        }
    }
}
