//! The token a request brings: a caller's key, or what a target reports with.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::problem::{Code, Problem};

/// The bearer token of the `Authorization` header.
pub struct Bearer(pub String);

/// There is an `Authorization` header, but no token can be meant by it.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The bearer token, `None` without an `Authorization` header.
///
/// # Errors
/// [`Unreadable`] where there are several such headers, or one of another kind.
pub fn token(headers: &HeaderMap) -> Result<Option<&str>, Unreadable> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let (scheme, token) = text.and_then(|text| text.split_once(' ')).ok_or(Unreadable)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(Unreadable) }
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = "send Authorization: Bearer and the token of the run";
        let token = token(&parts.headers).ok().flatten();
        token.map(|token| Self(token.to_owned())).ok_or_else(|| Problem::new(Code::Unauthorized, missing))
    }
}
