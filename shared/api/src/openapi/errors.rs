//! The problems each operation may answer with, derived from what it takes.

use axum::http::{Method, StatusCode};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::openapi::schemas::operations;

/// Every status the API answers problems with, and what it is called in the document.
const PROBLEMS: [(StatusCode, &str, &str); 12] = [
    (StatusCode::BAD_REQUEST, "BadRequest", "The request is malformed: its JSON, or a header"),
    (StatusCode::UNAUTHORIZED, "Unauthorized", "There is no token, or it is not good for this"),
    (
        StatusCode::FORBIDDEN,
        "Forbidden",
        "The role does not allow it, or the attempt that the token is for is over",
    ),
    (StatusCode::NOT_FOUND, "NotFound", "There is no such job, run, backfill, calendar, key or project"),
    (StatusCode::CONFLICT, "Conflict", "The name is taken, or the present state does not allow it"),
    (StatusCode::PRECONDITION_FAILED, "PreconditionFailed", "There has been a change since it was read"),
    (StatusCode::PAYLOAD_TOO_LARGE, "ContentTooLarge", "The body is too large"),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        "The body is not JSON by its type, or it is encoded",
    ),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "UnprocessableContent",
        "Fields or parameters are wrong; `errors` points at each",
    ),
    (StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "The service failed"),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "Unavailable",
        "The store does not answer; try again after `Retry-After`",
    ),
    (StatusCode::GATEWAY_TIMEOUT, "TimedOut", "The service did not finish in time"),
];

/// Adds the problems to all operations.
pub(super) fn complete(document: &mut OpenApi) {
    for (address, path) in &mut document.paths.paths {
        let versioned = address.starts_with("/api/");
        for (method, operation) in operations(path) {
            let writes = method != Method::GET && !address.contains("/schedules/");
            describe(operation, versioned, writes);
        }
    }
    let components = document.components.get_or_insert_default();
    for (_, name, description) in PROBLEMS {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", content)
            .build();
        components.responses.insert(name.to_owned(), response.into());
    }
}

fn describe(operation: &mut Operation, versioned: bool, writes: bool) {
    let parameters: Vec<_> = operation.parameters.iter().flatten().filter_map(inline).collect();
    let has = |place: ParameterIn| parameters.iter().any(|parameter| parameter.parameter_in == place);
    let named = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
    let body = operation.request_body.is_some();
    let reports = operation.tags.iter().flatten().any(|tag| tag == "callbacks");
    let token = operation.security.as_ref().is_some_and(|security| !security.is_empty());
    let signs_in = operation.operation_id.as_deref() == Some("createSession");
    // In the order of `PROBLEMS`.
    let conditions = [
        (400, versioned && (body || named("If-Match") || named("Idempotency-Key"))),
        (401, token || signs_in),
        (403, token),
        (404, has(ParameterIn::Path) || (token && versioned)),
        (409, versioned && writes && !reports),
        (412, named("If-Match")),
        (413, body),
        (415, body),
        (422, versioned && (body || has(ParameterIn::Query))),
        (500, versioned),
        (503, versioned),
        (504, versioned),
    ];
    for ((status, applies), (_, name, _)) in conditions.into_iter().zip(PROBLEMS) {
        if applies {
            let response = RefOr::Ref(Ref::from_response_name(name));
            operation.responses.responses.insert(status.to_string(), response);
        }
    }
}

fn inline(parameter: &RefOr<Parameter>) -> Option<&Parameter> {
    match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    }
}
