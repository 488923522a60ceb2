//! `POST /session`

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use engine::access::SESSION_LASTS;
use serde::Deserialize;

use super::{SessionView, cookie};
use crate::extract::JsonBody;
use crate::layers::access::refuse;
use crate::problem::Problem;
use crate::state::Shared;

/// What a browser signs in with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// An API key, or the operator's.
    #[schema(example = "sk_Ab12…")]
    key: String,
}

/// Sign a browser in
///
/// Exchanges a key for a cookie that is good for twelve hours, or as long as the key is. Programs need none: they send the
/// key itself.
#[utoipa::path(
    post,
    path = "/session",
    operation_id = "createSession",
    tag = "access",
    request_body(content = SignIn, example = json!({"key": "sk_Ab12…"})),
    responses((
        status = 200, description = "Whose key it is", body = SessionView,
        headers(("Set-Cookie", description = "The session: `HttpOnly`, `SameSite=Strict`"))
    ))
)]
pub async fn create_session(
    State(state): State<Shared>,
    headers: HeaderMap,
    JsonBody(SignIn { key }): JsonBody<SignIn>,
) -> Result<Response, Problem> {
    let (session, principal) = state.access.session(key.trim()).await.map_err(refuse)?;
    let open = state.access.is_open().await?;
    let cookie = cookie(&headers, &session, SESSION_LASTS.num_seconds());
    Ok(([(header::SET_COOKIE, cookie)], Json(SessionView::new(principal, open))).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    const KEY: &str = "the-operators-key-0123456789abcdef";

    fn closed() -> TestApp {
        TestApp::with(|state| state.access = state.access.clone().with_admin_key(KEY))
    }

    #[tokio::test]
    async fn a_session_does_what_its_key_does_until_it_ends() {
        let app = closed();
        let bad = app.json("POST", "/api/v1/session", &json!({"key": "sk_x"})).await;
        assert_eq!((bad.gist().as_str(), bad.header("set-cookie")), ("401 invalid_token", ""));
        let signed_in = app.json("POST", "/api/v1/session", &json!({"key": KEY})).await;
        assert_eq!(
            signed_in.value(),
            json!({"name": "admin", "role": "admin", "project": null, "open": false})
        );
        let set = signed_in.header("set-cookie").to_owned();
        assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "{set}");
        assert!(!set.contains(KEY), "{set}");
        let cookie = format!("theme=dark; {}", set.split(';').next().unwrap());
        let ask = async |path: &str| app.send("GET", path, &[("cookie", cookie.as_str())], "").await;
        assert_eq!(ask("/api/v1/jobs").await.status, 200);
        assert_eq!(ask("/api/v1/session").await.value(), signed_in.value());
        app.clock.set(testkit::at("2026-11-24T12:00:00Z"));
        assert_eq!(ask("/api/v1/jobs").await.gist(), "401 invalid_token");
    }

    #[tokio::test]
    async fn over_tls_the_cookie_is_for_tls_alone() {
        let app = closed();
        let by_tls = ("x-forwarded-proto", "https");
        let answer = app.json_with("POST", "/api/v1/session", by_tls, &json!({"key": KEY})).await;
        let set = answer.header("set-cookie");
        assert!(set.starts_with("__Host-scheduler_session=") && set.ends_with("; Secure"), "{set}");
        let cookie = set.split(';').next().unwrap();
        assert_eq!(app.send("GET", "/api/v1/jobs", &[("cookie", cookie)], "").await.status, 200);
    }

    #[tokio::test]
    async fn pages_of_other_sites_cannot_use_it() {
        let app = closed();
        let signed_in = app.json("POST", "/api/v1/session", &json!({"key": KEY})).await;
        let cookie = ("cookie", signed_in.header("set-cookie").split(';').next().unwrap());
        let host = ("host", "scheduler.example.com");
        let own = ("origin", "https://scheduler.example.com");
        let other = ("origin", "https://evil.example.com");
        let ask = async |headers: &[(&str, &str)]| {
            app.send("DELETE", "/api/v1/jobs/none", headers, "").await.status.as_u16()
        };
        assert_eq!(ask(&[cookie, host]).await, 404);
        assert_eq!(ask(&[cookie, host, own]).await, 404);
        assert_eq!(ask(&[cookie, host, other]).await, 403);
        assert_eq!(ask(&[cookie, host, ("origin", "null")]).await, 403);
        assert_eq!(ask(&[cookie, host, other, ("sec-fetch-site", "same-origin")]).await, 404);
        assert_eq!(ask(&[cookie, host, ("sec-fetch-site", "cross-site")]).await, 403);
        let key = format!("Bearer {KEY}");
        assert_eq!(ask(&[host, other, ("authorization", &key)]).await, 404, "a key is sent on purpose");
        let open = TestApp::new();
        let run = open.send("POST", "/api/v1/jobs/none/run", &[host, other], "").await;
        assert_eq!(run.gist(), "403 forbidden");
    }
}
