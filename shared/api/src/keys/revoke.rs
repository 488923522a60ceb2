//! `DELETE /keys/{id}`

use axum::Json;
use axum::extract::State;

use super::KeyView;
use crate::extract::path::KeyIdParam;
use crate::extract::{Caller, KeyPath};
use crate::problem::Problem;
use crate::state::Shared;

/// Revoke an API key
///
/// It opens nothing any more: at once here, and on every other replica a second later at most; browsers that signed in with
/// it are signed out. The record of it stays.
#[utoipa::path(
    delete,
    path = "/keys/{id}",
    operation_id = "revokeKey",
    tag = "access",
    params(KeyIdParam),
    responses((status = 200, description = "It is revoked", body = KeyView))
)]
pub async fn revoke_key(
    State(state): State<Shared>,
    Caller(caller): Caller,
    KeyPath(id): KeyPath,
) -> Result<Json<KeyView>, Problem> {
    Ok(Json(state.access.revoke_key(&caller, id).await?.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn a_revoked_key_opens_nothing_and_stays_in_the_list() {
        let app = TestApp::new();
        let root = app.json("POST", "/api/v1/keys", &json!({"name": "root", "role": "admin"})).await.value();
        let root = format!("Bearer {}", root["key"].as_str().unwrap());
        let root = ("authorization", root.as_str());
        let draft = json!({"name": "ci", "role": "viewer"});
        let made = app.json_with("POST", "/api/v1/keys", root, &draft).await.value();
        let key = format!("Bearer {}", made["key"].as_str().unwrap());
        let with_key = [("authorization", key.as_str())];
        assert_eq!(app.send("GET", "/api/v1/jobs", &with_key, "").await.status, 200);

        let path = format!("/api/v1/keys/{}", made["info"]["id"].as_str().unwrap());
        let revoked = app.send("DELETE", &path, &[root], "").await;
        assert_eq!(
            (revoked.status.as_u16(), &revoked.value()["revoked_at"]),
            (200, &json!("2026-11-24T00:00:00.000Z"))
        );
        assert_eq!(app.send("GET", "/api/v1/jobs", &with_key, "").await.gist(), "401 invalid_token");
        let again = app.send("DELETE", &path, &[root], "").await;
        assert_eq!(again.value(), revoked.value());
        assert_eq!(app.send("GET", "/api/v1/keys", &[root], "").await.value()["data"][1], revoked.value());
        for nobody in ["/api/v1/keys/key_01kc0000000000000000000000", "/api/v1/keys/x"] {
            assert_eq!(app.send("DELETE", nobody, &[root], "").await.gist(), "404 not_found");
        }
    }
}
