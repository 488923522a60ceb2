//! `POST /keys`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::CredentialDraft;
use serde::Serialize;

use super::KeyView;
use crate::extract::{Caller, JsonBody};
use crate::problem::Problem;
use crate::state::Shared;

/// A key that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CreatedKey {
    /// What is kept of it.
    info: KeyView,
    /// The key itself. It is shown here and never again.
    #[schema(example = "sk_Ab12…")]
    key: String,
}

/// Create an API key
///
/// The answer is the only one that holds the key itself: what is kept is its digest. Nobody makes a key that may do more than
/// their own; the key of one project makes keys of that project only. On a service that runs open, the first key closes it,
/// and must therefore be one of an administrator of all projects.
#[utoipa::path(
    post,
    path = "/keys",
    operation_id = "createKey",
    tag = "access",
    request_body(content = CredentialDraft, examples(
        ("deploy" = (summary = "For a pipeline that changes the jobs of one project", value = json!({
            "name": "deploy pipeline", "role": "editor", "project": "default"
        }))),
        ("dashboard" = (summary = "For a dashboard, for a year", value = json!({
            "name": "dashboard", "role": "viewer", "expires_at": "2027-11-24T00:00:00Z"
        })))
    )),
    responses((status = 201, description = "The key", body = CreatedKey))
)]
pub async fn create_key(
    State(state): State<Shared>,
    Caller(caller): Caller,
    JsonBody(draft): JsonBody<CredentialDraft>,
) -> Result<(StatusCode, Json<CreatedKey>), Problem> {
    let (credential, key) = state.access.create_key(&caller, draft).await?;
    let key = key.reveal().to_owned();
    Ok((StatusCode::CREATED, Json(CreatedKey { info: credential.into(), key })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn the_first_key_closes_the_service_and_is_shown_once() {
        let app = TestApp::new();
        let some = app.json("POST", "/api/v1/keys", &json!({"name": "ci", "role": "editor"})).await;
        assert_eq!(some.gist(), "409 conflict", "nobody could make another");
        let made = app.json("POST", "/api/v1/keys", &json!({"name": "root", "role": "admin"})).await;
        assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
        let made = made.value();
        let key = made["key"].as_str().unwrap();
        assert_eq!(made["info"]["created_by"], "anonymous");
        assert_eq!(made["info"]["project"], json!(null));

        assert_eq!(app.get("/api/v1/jobs").await.gist(), "401 unauthorized");
        let listed =
            app.send("GET", "/api/v1/keys", &[("authorization", &format!("Bearer {key}"))], "").await;
        assert_eq!(listed.status, 200);
        let text = String::from_utf8_lossy(&listed.body).into_owned();
        assert!(text.contains(&key[..7]) && !text.contains(&key[7..]), "{text}");
    }

    #[tokio::test]
    async fn what_is_wrong_is_pointed_at() {
        let app = TestApp::new();
        let cases = [
            (json!({}), "422 invalid_request [/name missing_field]"),
            (json!({"name": "", "role": "admin"}), "422 invalid_request [/name too_short]"),
            (json!({"name": "a", "role": "root"}), "422 invalid_request [/role invalid_value]"),
            (
                json!({"name": "a", "role": "admin", "project": "nowhere"}),
                "422 invalid_request [/project unknown]",
            ),
            (
                json!({"name": "a", "role": "admin", "expires_at": "2026-11-23T00:00:00Z"}),
                "422 invalid_request [/expires_at out_of_range]",
            ),
        ];
        for (body, gist) in cases {
            assert_eq!(app.json("POST", "/api/v1/keys", &body).await.gist(), gist, "{body}");
        }
    }
}
