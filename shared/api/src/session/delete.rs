//! `DELETE /session`

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use super::cookie;

/// Sign a browser out
///
/// It forgets its session. Signing out everywhere is revoking the key.
#[utoipa::path(
    delete,
    path = "/session",
    operation_id = "deleteSession",
    tag = "access",
    responses((
        status = 204, description = "It has none any more",
        headers(("Set-Cookie", description = "Nothing, from now on"))
    ))
)]
pub async fn delete_session(headers: HeaderMap) -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(&headers, "", 0))])
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn the_browser_forgets() {
        let answer = TestApp::new().send("DELETE", "/api/v1/session", &[], "").await;
        assert_eq!(answer.status, 204);
        assert!(answer.header("set-cookie").starts_with("scheduler_session=; Path=/;"), "{answer:?}");
        assert!(answer.header("set-cookie").contains("Max-Age=0"));
    }
}
