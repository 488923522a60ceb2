//! Compressed requests are refused: a few bytes could unpack to gigabytes.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Code, Problem};

/// Answers 415 to a request whose body is encoded.
pub async fn refuse(request: Request, next: Next) -> Response {
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if request.headers().get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return next.run(request).await;
    }
    let problem = Problem::new(
        Code::UnsupportedMediaType,
        "encoded bodies are not accepted; send it without Content-Encoding",
    );
    ([(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))], problem).into_response()
}
