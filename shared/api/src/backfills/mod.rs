//! `/backfills`, and those of a job: one endpoint, one file.

pub mod cancel;
pub mod create;
pub mod get;
pub mod list;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(create::backfill_job))
        .routes(routes!(list::list_backfills))
        .routes(routes!(get::get_backfill))
        .routes(routes!(cancel::cancel_backfill))
}
