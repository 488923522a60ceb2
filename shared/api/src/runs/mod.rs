//! `/runs`: one endpoint, one file.

pub mod append_log;
pub mod bulk;
#[cfg(test)]
mod callback_tests;
pub mod cancel;
pub mod complete;
pub mod get;
pub mod heartbeat;
pub mod list;
pub mod log;
pub mod retry;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(list::list_runs))
        .routes(routes!(bulk::change_runs))
        .routes(routes!(get::get_run))
        .routes(routes!(cancel::cancel_run))
        .routes(routes!(retry::retry_run))
        .routes(routes!(log::run_log))
}

/// What targets report, each with the token of its run. Apart from the others: a repeated report is recognised by itself,
/// and its answer is for nobody who merely knows an idempotency key.
pub(crate) fn callbacks() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(heartbeat::heartbeat_run))
        .routes(routes!(append_log::append_run_log))
        .routes(routes!(complete::complete_run))
}
