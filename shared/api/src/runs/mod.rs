//! `/runs`: one endpoint, one file.

pub mod bulk;
pub mod cancel;
pub mod get;
pub mod list;
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
}
