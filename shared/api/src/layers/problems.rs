//! Every error leaves as problem+json, whoever made it.

use std::any::Any;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::layers::request_id::RequestId;
use crate::problem::{Code, PROBLEM_JSON, Problem, is_passing};

/// Writes problems out with the request's id, and makes problems of bare errors (a layer's, the framework's).
pub async fn complete(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>();
    if problem.is_none() && is_json(response.headers()) {
        return response;
    }
    let problem = problem.unwrap_or_else(|| bare(status));
    let mut body = problem.body(id.as_ref().map_or("", RequestId::as_str));
    body.status = status.as_u16();
    let text = serde_json::to_vec(&body).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
    headers.remove(header::CONTENT_LENGTH);
    if is_passing(status) {
        headers.entry(header::RETRY_AFTER).or_insert(1.into());
    }
    *response.body_mut() = if head { Body::empty() } else { Body::from(text) };
    response
}

/// What a panicking handler answers. The panic's message is for the log only.
#[expect(clippy::needless_pass_by_value, reason = "the signature CatchPanicLayer asks for")]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("of an unknown kind");
    tracing::error!(panic = message, "a request handler panicked");
    Problem::new(Code::InternalError, "the service failed; its log says why").into_response()
}

fn bare(status: StatusCode) -> Problem {
    let code = Code::of_status(status);
    let detail = match code {
        Code::MethodNotAllowed => "this address does not take that method; see the Allow header",
        Code::ContentTooLarge => "the body is longer than this service accepts",
        Code::TimedOut => "the service did not finish in time",
        Code::InternalError => "the service failed; its log says why",
        _ => status.canonical_reason().unwrap_or("the request failed"),
    };
    Problem::new(code, detail)
}

/// Answers such as `/readyz`'s have a shape of their own, whatever their status.
fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json")
}
