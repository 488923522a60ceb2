//! `/calendars`: one endpoint, one file.

pub mod delete;
pub mod get;
pub mod list;
pub mod put;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default().routes(routes!(list::list_calendars)).routes(routes!(
        get::get_calendar,
        put::put_calendar,
        delete::delete_calendar
    ))
}
