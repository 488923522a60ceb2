//! `/schedules`: one endpoint, one file.

pub mod meaning;
pub mod preview;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default().routes(routes!(preview::preview_schedule))
}
