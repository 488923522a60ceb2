//! Whose jobs a request is about.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use engine::access::DEFAULT_PROJECT;

/// The project a request is about, as the gate has found out ([`crate::layers::access`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project(pub String);

impl Default for Project {
    fn default() -> Self {
        Self(DEFAULT_PROJECT.to_owned())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Project {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
