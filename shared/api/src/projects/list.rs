//! `GET /projects`

use axum::Json;
use axum::extract::State;

use super::ProjectView;
use crate::extract::Caller;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::Page;

/// List projects
///
/// By name, all at once: there are a thousand at most. With the key of one project it is that one alone.
#[utoipa::path(
    get,
    path = "/projects",
    operation_id = "listProjects",
    tag = "access",
    responses((status = 200, description = "The projects", body = Page<ProjectView>))
)]
pub async fn list_projects(
    State(state): State<Shared>,
    Caller(caller): Caller,
) -> Result<Json<Page<ProjectView>>, Problem> {
    let all = state.access.projects(&caller).await?;
    Ok(Json(Page {
        data: all.into_iter().map(ProjectView::from).collect(),
        next_cursor: None,
        has_more: false,
    }))
}
