//! A name for every request: in the answer, in problems, in the log.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::state::Shared;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The caller's, if it can safely be written to a log; else a new one.
    fn of(headers: &HeaderMap, random: impl FnOnce() -> u128) -> Self {
        let given = headers.get(X_REQUEST_ID).filter(|value| is_sane(value.as_bytes()));
        given.cloned().map_or_else(|| new(random()), Self)
    }
}

/// Gives the request an id and the answer the same one.
pub async fn identify(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), || state.scheduler.random());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(X_REQUEST_ID, id.0);
    response
}

fn is_sane(text: &[u8]) -> bool {
    (1..=128).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

fn new(random: u128) -> RequestId {
    let id = Uuid::from_u128(random);
    // Hexadecimal digits are always a header's value.
    RequestId(HeaderValue::try_from(id.simple().to_string()).unwrap_or(HeaderValue::from_static("unknown")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_are_taken_over() {
        let of = |text: &str| {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, value)]);
            RequestId::of(&headers, || 7).as_str().to_owned()
        };
        assert_eq!(of("trace-1.A_b"), "trace-1.A_b");
        for bad in ["", "a b", "a\"b", "é", &"x".repeat(129)] {
            assert_eq!(of(bad).len(), 32, "{bad}");
        }
    }
}
