//! `GET /`: the web UI, or where people begin without it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};

use crate::service::ui;
use crate::state::Shared;

/// The UI's page; a small one that links to the documentation where the binary was built without the UI.
pub async fn home(State(state): State<Shared>, headers: HeaderMap) -> Response {
    ui::page(&state, &headers).unwrap_or_else(|| Html(WITHOUT_UI).into_response())
}

const WITHOUT_UI: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Scheduler Service</title>\n\
     <h1>Scheduler Service</h1>\n<p>It is running. This binary was built without the web UI: install Node.js 20.19 or \
     newer and use <code>make run</code>, or run <code>npm ci &amp;&amp; npm run build</code> in <code>frontend/</code> and \
     build the binary again.</p>\n<ul>\n\
     <li><a href=\"/docs/\">API documentation</a> (<a href=\"/openapi.json\">OpenAPI</a>)</li>\n\
     <li><a href=\"/api/v1/jobs\">Jobs</a> and <a href=\"/api/v1/runs\">runs</a>, as JSON</li>\n\
     <li><a href=\"/readyz\">Readiness</a>, <a href=\"/version\">version</a>, <a href=\"/metrics\">metrics</a></li>\n\
     </ul>\n</html>\n";

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn links_to_the_docs() {
        let answer = TestApp::new().get("/").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/html; charset=utf-8")
        );
        assert!(String::from_utf8_lossy(&answer.body).contains("href=\"/docs/\""));
    }
}
