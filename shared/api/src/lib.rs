//! The HTTP API: an axum router, its OpenAPI document, and problem+json for everything that goes wrong.
//!
//! The only crate that knows HTTP shapes. Handlers read a request, ask [`engine::Scheduler`], and show what it
//! answers; they decide nothing. Runs wherever a [`Router`](axum::Router) runs: in a server, or in a Lambda.

#[cfg(test)]
extern crate self as api;

pub mod access;
pub mod backfills;
pub mod bulk;
pub mod calendars;
pub mod cursor;
pub mod events;
pub mod extract;
pub mod jobs;
pub mod keys;
pub mod layers;
pub mod openapi;
pub mod overview;
pub mod problem;
pub mod projects;
pub mod router;
pub mod runs;
pub mod schedules;
pub mod service;
pub mod session;
pub mod sse;
pub mod state;
#[cfg(test)]
mod testing;
pub mod views;

pub use self::extract::Project;
pub use self::openapi::{document as openapi, json as openapi_json};
pub use self::problem::{Code, PartProblem, Problem, ProblemBody};
pub use self::router::router;
pub use self::schedules::meaning::{Jitter, SchedulePreview};
pub use self::state::{ApiState, Assets, BuildInfo, LastLook, MetricsRenderer, Options};
