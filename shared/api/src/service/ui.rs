//! The web UI: files that the binary brings, and its page for every address that is nobody else's.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::problem::Problem;
use crate::state::{ApiState, Assets, Shared};

/// Names of these files change with their contents.
const HASHED: &str = "assets/";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Asked for again each time, at the cost of a few hundred bytes: it names the others.
const NEVER: HeaderValue = HeaderValue::from_static("no-cache");
const INDEX: &str = "index.html";

/// `GET /`, where there is a UI.
pub(crate) fn page(state: &ApiState, headers: &HeaderMap) -> Option<Response> {
    file(state.ui.as_ref()?, INDEX, headers)
}

/// What is answered where no route is: a file of the UI, its page (the UI has routes of its own), or that there is
/// nothing.
pub(crate) async fn anything_else(State(state): State<Shared>, request: Request) -> Response {
    let nothing = || Problem::not_found("there is nothing at this address").into_response();
    let Some(ui) = &state.ui else { return nothing() };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return nothing();
    }
    let (path, headers) = (request.uri().path().trim_start_matches('/'), request.headers());
    if let Some(found) = file(ui, path, headers) {
        return found;
    }
    // Whoever asks for data, or for a file that is gone, must not be given a page.
    let ours = path.starts_with(HASHED) || path.split('/').next() == Some("api");
    if ours || !wants_page(headers) { nothing() } else { page(&state, headers).unwrap_or_else(nothing) }
}

fn file(ui: &Assets, path: &str, headers: &HeaderMap) -> Option<Response> {
    let content_type = content_type(path)?;
    let packed = accepts_brotli(headers).then(|| ui(&format!("{path}.br"))).flatten();
    let encoding = packed.is_some().then_some(HeaderValue::from_static("br"));
    let bytes: Bytes = packed.or_else(|| ui(path))?;
    let mut response = (StatusCode::OK, bytes).into_response();
    let sent = response.headers_mut();
    sent.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    sent.insert(header::CACHE_CONTROL, if path.starts_with(HASHED) { FOR_EVER } else { NEVER });
    sent.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        sent.insert(header::CONTENT_ENCODING, encoding);
    }
    Some(response)
}

/// By the end of the name; `None` for what is not served, such as the packed forms themselves.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    listed(headers, header::ACCEPT_ENCODING).any(|(name, refused)| name == "br" && !refused)
}

fn wants_page(headers: &HeaderMap) -> bool {
    listed(headers, header::ACCEPT).any(|(name, refused)| name == "text/html" && !refused)
}

/// The items of a header that lists what somebody accepts, and whether each is refused (`;q=0`).
fn listed(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = (&str, bool)> {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        (name, parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use crate::testing::{Answer, TestApp};

    const PAGE: &[(&str, &str)] = &[("accept", "text/html,application/xhtml+xml")];

    fn with_ui() -> TestApp {
        TestApp::with(|state| {
            state.ui = Some(Arc::new(|path: &str| {
                let text = match path {
                    "index.html" => "<!doctype html>the UI",
                    "robots.txt" => "User-agent: *",
                    "assets/app-1a2b.js" => "script",
                    "assets/app-1a2b.js.br" => "packed",
                    ".vite/manifest.json" => "{}",
                    _ => return None,
                };
                Some(Bytes::from_static(text.as_bytes()))
            }));
        })
    }

    fn body(answer: &Answer) -> String {
        String::from_utf8_lossy(&answer.body).into_owned()
    }

    #[tokio::test]
    async fn its_page_is_at_the_root_and_at_every_route_of_its_own() {
        let app = with_ui();
        for path in ["/", "/jobs", "/jobs/job_01kc", "/runs/a%2Fb.c", "/timeline?hours=6"] {
            let answer = app.send("GET", path, PAGE, "").await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(body(&answer), "<!doctype html>the UI", "{path}");
            assert_eq!(answer.header("cache-control"), "no-cache");
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            assert!(
                answer.header("content-security-policy").starts_with("default-src 'self'; frame-ancestors")
            );
            assert_eq!(answer.header("x-frame-options"), "DENY");
        }
    }

    #[tokio::test]
    async fn who_asks_for_data_gets_no_page() {
        let app = with_ui();
        for path in ["/api/v1/nothing", "/api", "/assets/gone-0000.js"] {
            assert_eq!(app.send("GET", path, PAGE, "").await.gist(), "404 not_found", "{path}");
        }
        for path in ["/jobs", "/nothing", "/.vite/manifest.json", "/assets/app-1a2b.js.br", "/../Cargo.toml"]
        {
            assert_eq!(app.get(path).await.gist(), "404 not_found", "{path}");
        }
        let refused = app.send("GET", "/jobs", &[("accept", "text/html;q=0, application/json")], "").await;
        assert_eq!(refused.gist(), "404 not_found");
        assert_eq!(app.send("POST", "/jobs", PAGE, "").await.gist(), "404 not_found");
    }

    #[tokio::test]
    async fn files_are_kept_for_ever_and_packed_for_who_can_unpack() {
        let app = with_ui();
        let plain = app.get("/assets/app-1a2b.js").await;
        assert_eq!((plain.status.as_u16(), body(&plain).as_str()), (200, "script"));
        assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
        let packed =
            app.send("GET", "/assets/app-1a2b.js", &[("accept-encoding", "gzip, br;q=0.9")], "").await;
        assert_eq!((packed.header("content-encoding"), body(&packed).as_str()), ("br", "packed"));
        assert_eq!(packed.header("vary"), "accept-encoding");
        let refused = app.send("GET", "/assets/app-1a2b.js", &[("accept-encoding", "br;q=0")], "").await;
        assert_eq!(body(&refused), "script");
        let robots = app.get("/robots.txt").await;
        assert_eq!(
            (robots.header("cache-control"), robots.header("content-type")),
            ("no-cache", "text/plain; charset=utf-8")
        );
    }

    #[tokio::test]
    async fn a_head_request_is_answered_without_a_body() {
        let answer = with_ui().send("HEAD", "/jobs", PAGE, "").await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    }

    #[tokio::test]
    async fn without_a_ui_there_is_nothing_and_the_root_says_how_to_get_it() {
        let app = TestApp::new();
        assert_eq!(app.send("GET", "/jobs", PAGE, "").await.gist(), "404 not_found");
        let root = app.send("GET", "/", PAGE, "").await;
        assert!(body(&root).contains("npm"), "{}", body(&root));
    }
}
