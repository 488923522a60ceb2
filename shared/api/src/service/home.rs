//! `GET /`: where people begin, until there is a user interface.

use axum::response::Html;

/// A small page that links to the documentation.
pub async fn home() -> Html<&'static str> {
    Html(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Scheduler Service</title>\n\
         <h1>Scheduler Service</h1>\n<p>It is running.</p>\n<ul>\n\
         <li><a href=\"/docs/\">API documentation</a> (<a href=\"/openapi.json\">OpenAPI</a>)</li>\n\
         <li><a href=\"/api/v1/jobs\">Jobs</a> and <a href=\"/api/v1/runs\">runs</a>, as JSON</li>\n\
         <li><a href=\"/readyz\">Readiness</a>, <a href=\"/version\">version</a>, <a href=\"/metrics\">metrics</a></li>\n\
         </ul>\n</html>\n",
    )
}

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
