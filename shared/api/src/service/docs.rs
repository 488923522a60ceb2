//! `GET /docs`: the OpenAPI document as a page, from assets compiled in. And the document itself.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use utoipa_swagger_ui::{Config, serve};

use crate::layers::security::DOCS_POLICY;
use crate::openapi;
use crate::problem::{Code, Problem};

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| openapi::json().into());

// The online validator would be told of every private address the docs are opened at.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    Arc::new(Config::from("/openapi.json").validator_url("none").display_operation_id(true))
});

/// The OpenAPI document.
pub async fn openapi_json() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}

/// The page's own links are relative to `/docs/`.
pub async fn to_docs() -> Redirect {
    Redirect::permanent("/docs/")
}

/// The page.
pub async fn index() -> Result<Response, Problem> {
    asset("index.html")
}

/// What the page consists of.
pub async fn file(
    name: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let Ok(Path(name)) = name else { return Err(Problem::not_found("there is no such file")) };
    asset(&name)
}

fn asset(name: &str) -> Result<Response, Problem> {
    let found = serve(name, CONFIG.clone()).map_err(|error| {
        tracing::error!(%error, "the docs could not be served");
        Problem::new(Code::InternalError, "the docs could not be served")
    })?;
    let file = found.ok_or_else(|| Problem::not_found("there is no such file"))?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    if let Ok(content_type) = file.content_type.parse() {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, DOCS_POLICY);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn everything_the_page_loads_is_served_from_here() {
        let app = TestApp::new();
        let moved = app.get("/docs").await;
        assert_eq!((moved.status.as_u16(), moved.header("location")), (308, "/docs/"));
        let page = app.get("/docs/").await;
        assert_eq!(page.header("content-type"), "text/html");
        assert!(page.header("content-security-policy").starts_with("default-src 'self'; style-src"));
        let html = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(!html.contains("://"), "{html}");
        let loaded: Vec<&str> =
            html.split(['"', '\'']).filter(|text| text.contains(".js") || text.contains(".css")).collect();
        assert_eq!(loaded.len(), 5, "{html}");
        for file in loaded {
            assert_eq!(
                app.get(&format!("/docs/{}", file.trim_start_matches("./"))).await.status,
                200,
                "{file}"
            );
        }
        // A policy without 'unsafe-inline' for scripts lets none of these run.
        assert!(!html.contains("<script>") && !html.contains("onload="), "{html}");
        let start = app.get("/docs/swagger-initializer.js").await;
        assert!(String::from_utf8_lossy(&start.body).contains("\"url\": \"/openapi.json\""));
        assert_eq!(app.get("/docs/nothing.js").await.gist(), "404 not_found");
    }

    #[tokio::test]
    async fn the_document_is_the_one_that_is_committed() {
        let answer = TestApp::new().get("/openapi.json").await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.body, crate::openapi_json());
    }
}
