//! `/stats` and `/timeline`: one endpoint, one file.

pub mod attention;
pub mod stats;
pub mod timeline;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default().routes(routes!(stats::get_stats)).routes(routes!(timeline::get_timeline))
}
