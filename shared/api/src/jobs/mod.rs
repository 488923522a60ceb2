//! `/jobs`: one endpoint, one file.

mod admit;
pub mod bulk;
pub mod create;
pub mod delete;
pub(crate) mod filter;
pub mod get;
pub mod list;
pub mod pause;
pub mod replace;
pub mod resume;
pub mod run;
pub mod runs;
pub mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(list::list_jobs, create::create_job))
        .routes(routes!(get::get_job, replace::replace_job, update::update_job, delete::delete_job))
        .routes(routes!(bulk::change_jobs))
        .routes(routes!(run::run_job))
        .routes(routes!(pause::pause_job))
        .routes(routes!(resume::resume_job))
        .routes(routes!(runs::list_job_runs))
}
