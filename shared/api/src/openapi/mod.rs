//! The OpenAPI document, generated from the handlers.
//!
//! What utoipa derives is completed in three steps: `schemas` makes it say exactly what the service accepts, `access` who
//! may call each operation, `errors` adds to every operation the problems it may answer with.

mod access;
mod errors;
mod schemas;

use utoipa::OpenApi as _;
use utoipa::openapi::{License, OpenApi, Server};

use crate::events::{EventType, EventView};
use crate::problem::ProblemBody;
use crate::router;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Scheduler Service",
        description = "Stores jobs (when + what to call), fires each one once and on time, calls its target, retries, \
                       and keeps a complete record of what ran and of what did not run and why.\n\n\
                       Errors are `application/problem+json` (RFC 9457); `/docs/errors` explains each kind. \
                       Every answer has an `X-Request-Id`, the caller's own if it sent one."
    ),
    components(schemas(ProblemBody, EventView, EventType)),
    tags(
        (name = "jobs", description = "What is to be done, and when"),
        (name = "runs", description = "What was done, and what was not and why"),
        (name = "backfills", description = "Carrying out occurrences of the past"),
        (name = "overview", description = "The whole of a project at a glance"),
        (name = "callbacks", description = "What targets report of work they have taken"),
        (name = "schedules", description = "Trying schedules out"),
        (name = "calendars", description = "Times that jobs leave out or keep to"),
        (name = "access", description = "Who may do what: keys, projects, sessions of browsers"),
        (name = "service", description = "The service itself: health, metrics, version, a target for demonstrations")
    )
)]
struct Base;

/// What a patch may hold; its schema is made from that of a whole job.
#[derive(utoipa::ToSchema)]
pub struct JobPatch {}

/// The OpenAPI document.
pub fn document() -> OpenApi {
    let mut document = Base::openapi();
    document.merge(router::described().into_openapi());
    document.info.license = Some(License::new("MIT OR Apache-2.0"));
    document.servers = Some(vec![Server::new("/")]);
    schemas::complete(&mut document);
    access::complete(&mut document);
    errors::complete(&mut document);
    document
}

/// The OpenAPI document as it is committed and served.
pub fn json() -> String {
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
