//! What happens to every request and every answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderValue;
use domain::Instant;
use engine::{Begun, Idempotency, SavedResponse, StoreError};

use crate::testing::{TestApp, draft};

#[tokio::test]
async fn every_answer_names_its_request() {
    let app = TestApp::new();
    for path in ["/healthz", "/api/v1/jobs", "/nowhere", "/docs/"] {
        let own = app.send("GET", path, &[("x-request-id", "trace-1.A_b")], "").await;
        assert_eq!(own.header("x-request-id"), "trace-1.A_b", "{path}");
        let bad = app.send("GET", path, &[("x-request-id", "a b\"")], "").await;
        assert_eq!(bad.header("x-request-id").len(), 32, "{path}");
    }
    let problem = app.send("GET", "/nowhere", &[("x-request-id", "mine")], "").await;
    assert_eq!(problem.value()["request_id"], "mine");
}

#[tokio::test]
async fn every_answer_is_hardened() {
    let app = TestApp::new();
    for path in ["/", "/api/v1/jobs", "/nowhere", "/docs/", "/docs/swagger-ui.css"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("script-src"), "{path}");
        assert_eq!(answer.header("cache-control") == "no-store", !path.starts_with("/docs/"), "{path}");
    }
}

#[tokio::test]
async fn there_is_nothing_elsewhere() {
    let app = TestApp::new();
    for path in [
        "/nowhere",
        "/api",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v1/jobs/",
        "/api/v1/jobs/a/b",
        "//",
        "/docs/a/b/c",
    ] {
        assert_eq!(app.get(path).await.gist(), "404 not_found", "{path}");
    }
    let head = app.send("HEAD", "/nowhere", &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (404, 0));
}

#[tokio::test]
async fn other_origins_are_allowed_one_by_one() {
    let origin = ("origin", "https://ui.example.com");
    let closed = TestApp::new();
    assert_eq!(
        closed.send("GET", "/api/v1/jobs", &[origin], "").await.header("access-control-allow-origin"),
        ""
    );
    let open = TestApp::with(|state| {
        state.options.cors_origins = vec![HeaderValue::from_static("https://ui.example.com")];
    });
    let answer = open.send("GET", "/api/v1/jobs", &[origin], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://ui.example.com");
    assert!(answer.header("access-control-expose-headers").contains("etag"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let preflight =
        [origin, ("access-control-request-method", "PATCH"), ("access-control-request-headers", "if-match")];
    let preflight = open.send("OPTIONS", "/api/v1/jobs/a", &preflight, "").await;
    assert_eq!(preflight.status, 200);
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
    let other = open.send("GET", "/api/v1/jobs", &[("origin", "https://evil.example.com")], "").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_ask() {
    let app = TestApp::new();
    for index in 0..20 {
        app.create(&format!("job {index}")).await;
    }
    let zipped = app.send("GET", "/api/v1/jobs", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(app.get("/api/v1/jobs").await.header("content-encoding"), "");
}

/// Remembers nothing; misbehaves.
struct Misbehaving {
    panics: bool,
}

#[async_trait]
impl Idempotency for Misbehaving {
    async fn begin(&self, _: &str, _: &str, _: &str, _: Instant) -> Result<Begun, StoreError> {
        assert!(!self.panics, "a secret of the inside");
        std::future::pending().await
    }

    async fn finish(&self, _: &str, _: &str, _: &SavedResponse) -> Result<(), StoreError> {
        Ok(())
    }

    async fn release(&self, _: &str, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn forget(&self, _: Instant, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let app = TestApp::with(|state| state.idempotency = Arc::new(Misbehaving { panics: true }));
    let answer = app.json_with("POST", "/api/v1/jobs", ("idempotency-key", "k"), &draft("nightly")).await;
    assert_eq!(answer.gist(), "500 internal_error");
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let app = TestApp::with(|state| {
        state.idempotency = Arc::new(Misbehaving { panics: false });
        state.options.request_timeout = Duration::from_millis(20);
    });
    let answer = app.json_with("POST", "/api/v1/jobs", ("idempotency-key", "k"), &draft("nightly")).await;
    assert_eq!((answer.gist().as_str(), answer.header("retry-after")), ("504 timed_out", "1"));
}
