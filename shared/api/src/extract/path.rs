//! Ids in paths. Whatever cannot name anything names nothing: 404, never 400.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use domain::{BackfillId, CredentialId, RunId};
use engine::JobKey;

use crate::problem::Problem;

/// The `{id}` of a job: its id, or its percent-encoded name.
#[derive(Debug, PartialEq, Eq)]
pub struct JobPath(pub JobKey);

/// The `{id}` of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct RunPath(pub RunId);

/// The `{id}` of a backfill.
#[derive(Debug, PartialEq, Eq)]
pub struct BackfillPath(pub BackfillId);

/// The `{id}` of a key.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyPath(pub CredentialId);

/// The `{name}` of a calendar.
#[derive(Debug, PartialEq, Eq)]
pub struct CalendarPath(pub String);

/// How `{id}` of a job is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct JobIdParam {
    /// The job's id, or its percent-encoded name.
    #[param(example = "nightly-report")]
    id: String,
}

/// How `{id}` of a run is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct RunIdParam {
    /// The run's id.
    #[param(example = "run_01kc0000000000000000000000")]
    id: String,
}

/// How `{id}` of a backfill is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct BackfillIdParam {
    /// The backfill's id.
    #[param(example = "backfill_01kc0000000000000000000000")]
    id: String,
}

/// How `{id}` of a key is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct KeyIdParam {
    /// The key's id.
    #[param(example = "key_01kc0000000000000000000000")]
    id: String,
}

/// How `{name}` of a calendar is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct CalendarNameParam {
    /// The calendar's percent-encoded name.
    #[param(example = "holidays")]
    name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for CalendarPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        segment(parts, state).await.map(Self).ok_or_else(|| Problem::not_found("there is no such calendar"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        segment(parts, state)
            .await
            .map(|text| Self(JobKey::from(text.as_str())))
            .ok_or_else(|| Problem::not_found("there is no such job"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RunPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        segment(parts, state)
            .await
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::not_found("there is no such run"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BackfillPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        segment(parts, state)
            .await
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::not_found("there is no such backfill"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for KeyPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        segment(parts, state)
            .await
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::not_found("there is no such key"))
    }
}

/// The decoded segment, unless no name can have this form. Stores are never asked for text they cannot hold.
async fn segment<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    const LONGEST: usize = 128 * 4;
    let Path(text) = Path::<String>::from_request_parts(parts, state).await.ok()?;
    (text.len() <= LONGEST && !text.chars().any(char::is_control)).then_some(text)
}
