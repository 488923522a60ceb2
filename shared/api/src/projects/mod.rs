//! `/projects`: one endpoint, one file.

pub mod create;
pub mod list;

use engine::access::Project;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;
use crate::views::Timestamp;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default().routes(routes!(list::list_projects, create::create_project))
}

/// What keeps the jobs of some apart from those of others.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Project)]
pub struct ProjectView {
    /// Its name.
    #[schema(example = "billing")]
    name: String,
    /// For people.
    description: String,
    /// When it was made; `null` for `default`, which is always there.
    #[schema(required)]
    created_at: Option<Timestamp>,
}

impl From<Project> for ProjectView {
    fn from(Project { name, description, created_at }: Project) -> Self {
        Self { name, description, created_at: created_at.map(Timestamp) }
    }
}
