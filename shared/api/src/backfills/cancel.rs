//! `POST /backfills/{id}/cancel`

use axum::extract::State;

use crate::extract::body::Nothing;
use crate::extract::path::BackfillIdParam;
use crate::extract::{BackfillPath, OptionalJson, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::BackfillView;

/// Cancel a backfill
///
/// No more runs are created, and those that wait are cancelled. What runs goes on to its end; cancel the run to stop that.
#[utoipa::path(
    post,
    path = "/backfills/{id}/cancel",
    operation_id = "cancelBackfill",
    tag = "backfills",
    params(BackfillIdParam, IdempotencyKeyHeader),
    request_body(content = Option<Nothing>, example = json!({})),
    responses((status = 200, description = "The backfill, cancelled", body = BackfillView))
)]
pub async fn cancel_backfill(
    State(state): State<Shared>,
    Project(project): Project,
    BackfillPath(id): BackfillPath,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<BackfillView, Problem> {
    Ok(state.scheduler.cancel_backfill(&project, id).await?.into())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn what_waits_is_cancelled_and_no_more_is_made() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.clock.advance(TimeDelta::days(60));
        let order =
            json!({"from": "2026-12-01T00:00:00Z", "to": "2027-01-01T00:00:00Z", "overlap": "allow_all"});
        let backfill = app.json("POST", "/api/v1/jobs/nightly/backfill", &order).await.value();
        assert_eq!((&backfill["total"], &backfill["created"]), (&json!(31), &json!(16)));
        let path = format!("/api/v1/backfills/{}/cancel", backfill["id"].as_str().unwrap());
        let cancelled = app.post(&path).await;
        assert_eq!(cancelled.status, 200);
        let cancelled = cancelled.value();
        assert_eq!((&cancelled["state"], &cancelled["reason"]), (&json!("cancelled"), &json!("requested")));
        assert_eq!((&cancelled["runs"]["cancelled"], &cancelled["runs"]["pending"]), (&json!(16), &json!(0)));
        assert_eq!(
            cancelled["finished_at"],
            app.get("/api/v1/jobs/nightly/runs").await.value()["data"][0]["finished_at"]
        );
        assert_eq!(app.post(&path).await.gist(), "409 conflict");
        let unknown = app.post("/api/v1/backfills/backfill_01kc0000000000000000000000/cancel").await;
        assert_eq!(unknown.gist(), "404 not_found");
    }
}
