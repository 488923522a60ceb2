//! Every kind of error the API answers with: one list, shown to people at `/docs/errors/{code}`.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// What kind of error it is, as a stable word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProblemCode)]
pub enum Code {
    /// The body is not JSON.
    MalformedJson,
    /// A header or the request itself is not well-formed.
    MalformedRequest,
    /// The body is JSON, but not of a kind that can be carried out.
    InvalidRequest,
    /// A query parameter is unknown or has a bad value.
    InvalidQuery,
    /// A cursor is not one this list has handed out.
    InvalidCursor,
    /// No token, or one that is not good for this.
    Unauthorized,
    /// A token that is none of ours, or no longer.
    InvalidToken,
    /// A token that is good, but not for this.
    Forbidden,
    /// The attempt the token is for is over.
    AttemptOver,
    /// There is nothing here.
    NotFound,
    /// The address is right, the method is not.
    MethodNotAllowed,
    /// Another job has the name.
    NameTaken,
    /// The job or run is in a state in which this cannot be done.
    Conflict,
    /// The job has changed since it was read.
    Stale,
    /// The body is too large.
    ContentTooLarge,
    /// The body is of a type or encoding that is not accepted.
    UnsupportedMediaType,
    /// An idempotency key was used for another request before.
    IdempotencyKeyReused,
    /// A request with the same idempotency key is being carried out.
    RequestInProgress,
    /// A defect of the service.
    InternalError,
    /// The service cannot reach its store.
    Unavailable,
    /// The service did not finish in time.
    TimedOut,
    /// Any other error of the client.
    BadRequest,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::MalformedJson,
        Self::MalformedRequest,
        Self::InvalidRequest,
        Self::InvalidQuery,
        Self::InvalidCursor,
        Self::Unauthorized,
        Self::InvalidToken,
        Self::Forbidden,
        Self::AttemptOver,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NameTaken,
        Self::Conflict,
        Self::Stale,
        Self::ContentTooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyReused,
        Self::RequestInProgress,
        Self::InternalError,
        Self::Unavailable,
        Self::TimedOut,
        Self::BadRequest,
    ];

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.describe().0
    }

    /// The HTTP status it is answered with.
    pub fn status(self) -> StatusCode {
        self.describe().1
    }

    /// A few words, the same for every problem of this kind.
    pub fn title(self) -> &'static str {
        self.describe().2
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        self.describe().3
    }

    /// What `WWW-Authenticate` says of it (RFC 6750).
    pub fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Unauthorized => Some("Bearer"),
            Self::InvalidToken => Some("Bearer error=\"invalid_token\""),
            Self::Forbidden => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        }
    }

    /// The kind a bare status stands for: what a layer or the framework answered in few words.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PRECONDITION_FAILED => Self::Stale,
            StatusCode::PAYLOAD_TOO_LARGE => Self::ContentTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::UNPROCESSABLE_ENTITY => Self::InvalidRequest,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::GATEWAY_TIMEOUT => Self::TimedOut,
            status if status.is_server_error() => Self::InternalError,
            _ => Self::BadRequest,
        }
    }

    fn describe(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedJson => (
                "malformed_json",
                S::BAD_REQUEST,
                "The body is not JSON",
                "Send one JSON document in UTF-8, nested at most 127 deep. `detail` says where reading stopped.",
            ),
            Self::MalformedRequest => (
                "malformed_request",
                S::BAD_REQUEST,
                "The request is not well-formed",
                "`errors` names the header and says how it is written.",
            ),
            Self::InvalidRequest => (
                "invalid_request",
                S::UNPROCESSABLE_ENTITY,
                "The request cannot be carried out as it is",
                "Each entry of `errors` points at a field of the body and says what is wrong with it. Nothing was changed.",
            ),
            Self::InvalidQuery => (
                "invalid_query",
                S::UNPROCESSABLE_ENTITY,
                "A query parameter is unknown or has a bad value",
                "Each entry of `errors` names a parameter and says what it may be.",
            ),
            Self::InvalidCursor => (
                "invalid_cursor",
                S::UNPROCESSABLE_ENTITY,
                "The cursor does not belong to this list",
                "Use `next_cursor` of the page before, unchanged and with the same `sort`, or start again without a cursor.",
            ),
            Self::Unauthorized => (
                "unauthorized",
                S::UNAUTHORIZED,
                "The request has no token that is good for this",
                "Send `Authorization: Bearer` and your key; a target that reports sends the token that the call of its run brought in `X-Scheduler-Token`.",
            ),
            Self::InvalidToken => (
                "invalid_token",
                S::UNAUTHORIZED,
                "The token is not valid",
                "It is not one of this service's, has expired, or was revoked. Ask an administrator for another.",
            ),
            Self::Forbidden => (
                "forbidden",
                S::FORBIDDEN,
                "Your role does not allow this",
                "`detail` says which role it takes. Ask an administrator for a key that has it.",
            ),
            Self::AttemptOver => (
                "attempt_over",
                S::FORBIDDEN,
                "The attempt the token is for is over",
                "Stop working: it was cancelled, ran out of time, or was not heard of for too long, as `detail` says. Another attempt has a token of its own.",
            ),
            Self::NotFound => (
                "not_found",
                S::NOT_FOUND,
                "There is nothing here",
                "The job, run or address does not exist, or belongs to another project.",
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                S::METHOD_NOT_ALLOWED,
                "The address does not take this method",
                "The `Allow` header lists the methods it takes.",
            ),
            Self::NameTaken => (
                "name_taken",
                S::CONFLICT,
                "Another job has this name",
                "Choose another name, or change the job that has it.",
            ),
            Self::Conflict => (
                "conflict",
                S::CONFLICT,
                "This cannot be done in the present state",
                "`detail` says which state stands in the way.",
            ),
            Self::Stale => (
                "stale",
                S::PRECONDITION_FAILED,
                "The job has changed since it was read",
                "Read the job again, apply the change to what it is now, and send its new `ETag` as `If-Match`.",
            ),
            Self::ContentTooLarge => (
                "content_too_large",
                S::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "A request's body is at most 1 MiB unless the operator has chosen another limit.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "The body is of a type that is not accepted",
                "Send `Content-Type: application/json` and no `Content-Encoding`.",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency_key_reused",
                S::UNPROCESSABLE_ENTITY,
                "The idempotency key was used for another request",
                "A key names one request: use a new one for each, and the same one only to send the same request again.",
            ),
            Self::RequestInProgress => (
                "request_in_progress",
                S::CONFLICT,
                "The same request is being carried out",
                "Wait as long as `Retry-After` says, then send it again: you will get the first one's answer.",
            ),
            Self::InternalError => (
                "internal_error",
                S::INTERNAL_SERVER_ERROR,
                "The service failed",
                "This is a defect. The service's log has the cause beside the `request_id`.",
            ),
            Self::Unavailable => (
                "unavailable",
                S::SERVICE_UNAVAILABLE,
                "The service is not available at the moment",
                "Its store does not answer. Try again after `Retry-After`; `/readyz` shows the state.",
            ),
            Self::TimedOut => (
                "timed_out",
                S::GATEWAY_TIMEOUT,
                "The service did not finish in time",
                "Try again after `Retry-After`, with the same `Idempotency-Key` where something is to be changed.",
            ),
            Self::BadRequest => {
                ("bad_request", S::BAD_REQUEST, "The request was not understood", "`detail` says more.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_json_is_the_word_in_urls() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_bare_status_keeps_its_status() {
        for status in [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 500, 503, 504] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Code::of_status(status).status(), status);
        }
    }
}
