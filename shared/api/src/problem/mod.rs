//! Errors as the API tells them: RFC 9457, `application/problem+json`.
//!
//! A handler or layer answers with a [`Problem`]. The layer [`crate::layers::problems`] then writes it out with
//! the id of the request, and turns whatever bare error somebody else has answered into one.

mod code;

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{FieldError, Invalid};
use engine::callbacks::Refusal;
use engine::{SchedulerError, StoreError};
use serde::{Deserialize, Serialize};

pub use self::code::Code;
use crate::extract::if_match::etag;

/// The media type of problems.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How long to wait before trying again, in seconds.
const RETRY_AFTER: u32 = 1;

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What kind of problem.
    pub code: Code,
    /// What happened this time, in a sentence.
    pub detail: Cow<'static, str>,
    /// What is wrong, part by part.
    pub errors: Vec<PartProblem>,
    /// The job's version, where the caller's is another.
    pub version: Option<u64>,
}

/// What is wrong with one part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PartProblem {
    /// JSON pointer (RFC 6901) to a field of the body, `""` for the body as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/schedule/expression")]
    pub pointer: Option<String>,
    /// The name of a query parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The name of a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A stable word for programs, such as `out_of_range`.
    #[schema(example = "out_of_range")]
    pub code: String,
    /// A sentence for people.
    #[schema(example = "hour 25 is outside 0–23")]
    pub detail: String,
}

/// A problem as it is written: RFC 9457.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Where this kind of problem is explained.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors/invalid_request")]
    pub kind: String,
    /// What kind of problem it is, in a few words.
    #[schema(example = "The request cannot be carried out as it is")]
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// What happened this time.
    #[schema(example = "/schedule/expression: hour 25 is outside 0–23")]
    pub detail: String,
    /// What kind of problem it is, for programs.
    pub code: Code,
    /// Names the request in the service's log.
    #[schema(example = "01kc0000000000000000000000")]
    pub request_id: String,
    /// What is wrong, part by part; empty where there is nothing to point at.
    #[serde(default)]
    #[schema(required)]
    pub errors: Vec<PartProblem>,
}

impl Problem {
    /// A problem without parts.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), version: None }
    }

    /// A problem with these parts, which its detail repeats for those who read nothing else.
    pub fn with_parts(code: Code, errors: Vec<PartProblem>) -> Self {
        let sentences: Vec<String> = errors.iter().take(5).map(ToString::to_string).collect();
        let more = if errors.len() > sentences.len() { "; …" } else { "" };
        Self { code, detail: format!("{}{more}", sentences.join("; ")).into(), errors, version: None }
    }

    /// A malformed header.
    pub fn header(name: &str, detail: impl Into<String>) -> Self {
        let part = PartProblem { header: Some(name.to_owned()), ..PartProblem::new("malformed", detail) };
        Self::with_parts(Code::MalformedRequest, vec![part])
    }

    /// There is nothing at this address.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::NotFound, detail)
    }

    /// The body, with the id of the request it belongs to.
    pub fn body(&self, request_id: &str) -> ProblemBody {
        ProblemBody {
            kind: format!("/docs/errors/{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone().into_owned(),
            code: self.code,
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        }
    }
}

impl PartProblem {
    /// Something wrong that nothing points at yet.
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: None, header: None, code: code.to_owned(), detail: detail.into() }
    }

    /// Something wrong with a query parameter.
    pub fn parameter(name: &str, code: &str, detail: impl Into<String>) -> Self {
        Self { parameter: Some(name.to_owned()), ..Self::new(code, detail) }
    }
}

impl std::fmt::Display for PartProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pointer.as_ref().or(self.parameter.as_ref()).or(self.header.as_ref()) {
            Some(place) if !place.is_empty() => write!(f, "{place}: {}", self.detail),
            _ => f.write_str(&self.detail),
        }
    }
}

impl From<FieldError> for PartProblem {
    fn from(FieldError { pointer, code, detail }: FieldError) -> Self {
        Self { pointer: Some(pointer), parameter: None, header: None, code, detail }
    }
}

impl From<Invalid> for Problem {
    fn from(Invalid(errors): Invalid) -> Self {
        Self::with_parts(Code::InvalidRequest, errors.into_iter().map(PartProblem::from).collect())
    }
}

impl From<SchedulerError> for Problem {
    fn from(error: SchedulerError) -> Self {
        match error {
            SchedulerError::NotFound { what, .. } => Self::not_found(format!("there is no such {what}")),
            SchedulerError::Invalid(invalid) => invalid.into(),
            SchedulerError::NameTaken(_) => Self {
                errors: vec![FieldError::new("/name", "name_taken", "another job has this name").into()],
                ..Self::new(Code::NameTaken, error.to_string())
            },
            SchedulerError::Stale { what, current: 0, .. } => {
                Self::new(Code::Stale, format!("there is no such {what} any more"))
            }
            SchedulerError::Stale { what, current, .. } => Self {
                version: Some(current),
                ..Self::new(Code::Stale, format!("the {what} has changed: it is at version {current} now"))
            },
            SchedulerError::Conflict(detail) => Self::new(Code::Conflict, detail),
            SchedulerError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::new(Code::Unauthorized, "the token is not one of this run"),
            Refusal::NoRun => Self::not_found("there is no such run"),
            Refusal::Over(_) => Self::new(Code::AttemptOver, refusal.to_string()),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    /// The cause goes to the log, here and nowhere else; clients learn nothing of what is behind.
    fn from(error: StoreError) -> Self {
        let cause = &error as &dyn std::error::Error;
        if let StoreError::Unavailable(_) = error {
            tracing::warn!(error = cause, "the store is not available");
            return Self::new(Code::Unavailable, "the store does not answer; try again in a moment");
        }
        tracing::error!(error = cause, "a request failed in the store");
        Self::new(Code::InternalError, "the service failed; its log says why")
    }
}

impl From<ProblemBody> for Problem {
    fn from(body: ProblemBody) -> Self {
        Self { code: body.code, detail: body.detail.into(), errors: body.errors, version: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let mut response = (status, Json(self.body(""))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if is_passing(status) || self.code == Code::RequestInProgress {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER.into());
        }
        if let Some(challenge) = self.code.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(version) = self.version {
            headers.insert(header::ETAG, etag(version));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Whether the same request may succeed a moment later.
pub fn is_passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_cause_reaches_the_client() {
        let error = StoreError::Failed("SELECT secret FROM jobs".into());
        let problem = Problem::from(error);
        assert_eq!(problem.code, Code::InternalError);
        assert!(!problem.detail.contains("SELECT"));
    }

    #[test]
    fn a_detail_repeats_a_few_parts_only() {
        let errors = (0..9).map(|index| FieldError::new(format!("/{index}"), "x", "bad")).collect();
        let problem = Problem::from(Invalid(errors));
        insta::assert_snapshot!(problem.detail, @"/0: bad; /1: bad; /2: bad; /3: bad; /4: bad; …");
        assert_eq!(problem.errors.len(), 9);
    }
}
