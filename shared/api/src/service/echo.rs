//! `POST /echo`: a target to try jobs out with.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::extract::body::bytes;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::Timestamp;

/// What was received.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Echo {
    /// The method.
    #[schema(example = "POST")]
    method: String,
    /// The headers, names in lower case; values of sensitive ones are masked.
    headers: BTreeMap<String, String>,
    /// The body: as JSON where it is JSON, else as text.
    body: Value,
    /// When.
    received_at: Timestamp,
}

/// Send back what was received
///
/// A built-in target for demonstrations and first runs; operators may switch it off.
#[utoipa::path(
    post,
    path = "/echo",
    operation_id = "echo",
    tag = "service",
    request_body(content = Option<Value>, description = "Anything", content_type = "application/json"),
    responses((status = 200, description = "What was received", body = Echo))
)]
pub async fn echo(State(state): State<Shared>, request: Request) -> Result<Json<Echo>, Problem> {
    let method = request.method().to_string();
    let headers = masked(request.headers());
    let body = bytes(request, &state).await?;
    let body = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
    Ok(Json(Echo { method, headers, body, received_at: state.scheduler.now().into() }))
}

fn masked(headers: &HeaderMap) -> BTreeMap<String, String> {
    let is_secret = |name: &str| {
        ["authorization", "cookie", "key", "secret", "token", "signature"]
            .iter()
            .any(|word| name.contains(word))
            && name != "idempotency-key"
    };
    headers
        .iter()
        .map(|(name, value)| {
            let name = name.as_str();
            let shown =
                if is_secret(name) { "***".into() } else { String::from_utf8_lossy(value.as_bytes()) };
            (name.to_owned(), shown.into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn shows_what_it_was_sent_but_no_secrets() {
        let app = TestApp::new();
        let headers =
            [("content-type", "application/json"), ("authorization", "Bearer x"), ("webhook-id", "run_1")];
        let answer = app.send("POST", "/echo", &headers, r#"{"a": 1}"#).await;
        assert_eq!(answer.status, 200);
        insta::assert_json_snapshot!(answer.value(), @r#"
        {
          "body": {
            "a": 1
          },
          "headers": {
            "authorization": "***",
            "content-type": "application/json",
            "webhook-id": "run_1"
          },
          "method": "POST",
          "received_at": "2026-11-24T00:00:00.000Z"
        }
        "#);
        assert_eq!(app.send("POST", "/echo", &[], "plain").await.value()["body"], "plain");
    }

    #[tokio::test]
    async fn can_be_switched_off() {
        let app = TestApp::with(|state| state.options.echo = false);
        assert_eq!(app.post("/echo").await.gist(), "404 not_found");
    }
}
