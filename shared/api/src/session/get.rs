//! `GET /session`

use axum::Json;
use axum::extract::State;

use super::SessionView;
use crate::extract::Caller;
use crate::problem::Problem;
use crate::state::Shared;

/// Tell who asks
#[utoipa::path(
    get,
    path = "/session",
    operation_id = "getSession",
    tag = "access",
    responses((status = 200, description = "You", body = SessionView))
)]
pub async fn get_session(
    State(state): State<Shared>,
    Caller(caller): Caller,
) -> Result<Json<SessionView>, Problem> {
    Ok(Json(SessionView::new(caller, state.access.is_open().await?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn an_open_service_says_so() {
        let answer = TestApp::new().get("/api/v1/session").await;
        assert_eq!(
            answer.value(),
            json!({"name": "anonymous", "role": "admin", "project": null, "open": true})
        );
    }
}
