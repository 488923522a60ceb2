//! What is not about jobs: health, metrics, documentation, the demo target. Outside `/api/v1`, without a project.

pub mod docs;
pub mod echo;
pub mod errors;
pub mod health;
pub mod home;
pub mod metrics;
pub mod ready;
pub(crate) mod ui;
pub mod version;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

/// What is described in the OpenAPI document.
pub(crate) fn routes(echo: bool) -> OpenApiRouter<Shared> {
    let router = OpenApiRouter::default()
        .routes(routes!(health::health))
        .routes(routes!(ready::ready))
        .routes(routes!(version::version))
        .routes(routes!(metrics::metrics));
    if echo { router.routes(routes!(echo::echo)) } else { router }
}

/// Pages for people, and the OpenAPI document itself.
pub(crate) fn pages() -> Router<Shared> {
    Router::new()
        .route("/", get(home::home))
        .route("/openapi.json", get(docs::openapi_json))
        .route("/docs", get(docs::to_docs))
        .route("/docs/", get(docs::index))
        .route("/docs/{file}", get(docs::file))
        .route("/docs/errors", get(errors::list))
        .route("/docs/errors/{code}", get(errors::explain))
}
