//! Routes and layers, put together.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span};
use utoipa_axum::router::OpenApiRouter;

use crate::layers::access::Gate;
use crate::layers::request_id::RequestId;
use crate::layers::{
    access, cors, encoding, http_metrics, idempotency, patience, problems, request_id, security,
};
use crate::state::{ApiState, Options, Shared};
use crate::{
    backfills, calendars, events, jobs, keys, overview, projects, runs, schedules, service, session,
};

/// The whole API.
///
/// Requests pass the layers from the last one below to the first, answers the other way round.
pub fn router(state: ApiState) -> Router {
    let state = Arc::new(state);
    let options = &state.options;
    let gate = Arc::new(Gate::new(state.clone(), &described().into_openapi()));
    let admitted = from_fn_with_state(gate, access::admit);
    let (versioned, _) = versioned().split_for_parts();
    let (previews, _) = schedules::routes().split_for_parts();
    let (callbacks, _) = runs::callbacks().split_for_parts();
    let (secrets, _) = secrets().split_for_parts();
    let (service, _) = service::routes(options.echo).split_for_parts();
    let versioned = versioned
        .route_layer(from_fn_with_state(state.clone(), idempotency::once))
        .merge(previews)
        .merge(callbacks)
        .merge(secrets)
        .route_layer(admitted.clone())
        .route_layer(from_fn_with_state(state.clone(), patience::wait_for_the_store));
    let versioned = if options.api { Router::new().nest(BASE, versioned) } else { Router::new() };
    let routes = versioned
        .merge(service.route_layer(admitted))
        .merge(service::pages())
        .fallback(service::ui::anything_else)
        .with_state(state.clone());
    let safe = routes
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(RequestBodyLimitLayer::new(options.body_limit))
        .layer(from_fn(encoding::refuse))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, options.request_timeout))
        .layer(CatchPanicLayer::custom(problems::panicked))
        .layer(from_fn(problems::complete))
        .layer(CompressionLayer::new());
    with_cors(safe, options)
        .layer(from_fn(security::harden))
        .layer(from_fn(http_metrics::measure))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(DefaultOnResponse::new().level(Level::DEBUG))
                .on_failure(()),
        )
        .layer(from_fn_with_state(state.clone(), request_id::identify))
}

/// Everything that is described in the OpenAPI document.
pub(crate) fn described() -> OpenApiRouter<Shared> {
    let versioned = versioned().merge(schedules::routes()).merge(runs::callbacks()).merge(secrets());
    OpenApiRouter::default().nest(BASE, versioned).merge(service::routes(true))
}

const BASE: &str = "/api/v1";

fn versioned() -> OpenApiRouter<Shared> {
    let lists = jobs::routes().merge(runs::routes()).merge(backfills::routes()).merge(calendars::routes());
    lists.merge(overview::routes()).merge(events::routes()).merge(projects::routes())
}

/// What holds or brings secrets: its answers are remembered nowhere.
fn secrets() -> OpenApiRouter<Shared> {
    keys::routes().merge(session::routes())
}

fn with_cors(router: Router, options: &Options) -> Router {
    if options.cors_origins.is_empty() { router } else { router.layer(cors::allow(&options.cors_origins)) }
}

fn span(request: &Request) -> Span {
    let extensions = request.extensions();
    tracing::info_span!(
        "http.request",
        http.method = %request.method(),
        http.route = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str),
        request.id = extensions.get::<RequestId>().map_or("", RequestId::as_str),
    )
}
