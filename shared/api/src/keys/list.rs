//! `GET /keys`

use axum::Json;
use axum::extract::State;

use super::KeyView;
use crate::extract::Caller;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::Page;

/// List API keys
///
/// The oldest first, all at once: there are a thousand at most. Those that were revoked stay in the list; with the key of one
/// project it holds that project's.
#[utoipa::path(
    get,
    path = "/keys",
    operation_id = "listKeys",
    tag = "access",
    responses((status = 200, description = "The keys", body = Page<KeyView>))
)]
pub async fn list_keys(
    State(state): State<Shared>,
    Caller(caller): Caller,
) -> Result<Json<Page<KeyView>>, Problem> {
    let keys = state.access.keys(&caller).await?;
    Ok(Json(Page { data: keys.into_iter().map(KeyView::from).collect(), next_cursor: None, has_more: false }))
}
