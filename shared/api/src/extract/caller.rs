//! Who asks.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::{Principal, Reach, Role};
use engine::access::DEFAULT_PROJECT;

/// Whoever the gate has let in.
#[derive(Clone, Debug)]
pub struct Caller(pub Principal);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Every operation passes the gate. Should one not, its caller may do as little as can be.
        let nobody = || Principal {
            name: "nobody".to_owned(),
            role: Role::Viewer,
            reach: Reach::Project(DEFAULT_PROJECT.to_owned()),
        };
        Ok(Self(parts.extensions.get().cloned().unwrap_or_else(nobody)))
    }
}
