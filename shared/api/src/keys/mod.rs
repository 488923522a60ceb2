//! `/keys`: one endpoint, one file.

pub mod create;
pub mod list;
pub mod revoke;

use domain::{Credential, Role};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;
use crate::views::Timestamp;

/// Apart from what remembers answers: the answer to making a key is kept nowhere.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(list::list_keys, create::create_key))
        .routes(routes!(revoke::revoke_key))
}

/// An API key, without the key itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyView {
    /// Its id, `key_…`.
    #[schema(value_type = String, example = "key_01kc0000000000000000000000")]
    id: String,
    /// What it is for.
    #[schema(example = "deploy pipeline")]
    name: String,
    /// What it may do.
    role: Role,
    /// The project it is for; `null`: all of them.
    #[schema(required, example = "default")]
    project: Option<String>,
    /// How the key begins.
    #[schema(example = "sk_Ab12…")]
    hint: String,
    /// When it was made.
    created_at: Timestamp,
    /// Who made it.
    created_by: String,
    /// Until when it is good; `null`: for ever.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    /// Since when it opens nothing any more.
    #[schema(required)]
    revoked_at: Option<Timestamp>,
    /// When it was last used, give or take ten minutes.
    #[schema(required)]
    last_used_at: Option<Timestamp>,
}

impl From<Credential> for KeyView {
    fn from(it: Credential) -> Self {
        Self {
            id: it.id.to_string(),
            name: it.name,
            role: it.role,
            project: it.project,
            hint: it.hint,
            created_at: it.created_at.into(),
            created_by: it.created_by,
            expires_at: it.expires_at.map(Timestamp),
            revoked_at: it.revoked_at.map(Timestamp),
            last_used_at: it.last_used_at.map(Timestamp),
        }
    }
}
