//! `/session`: signing in and out, for browsers. One endpoint, one file.
//!
//! The key itself is not kept in the browser: it is exchanged for a cookie that scripts cannot read, that other sites cannot
//! make use of, and that ends by itself, or with the key.

pub mod create;
pub mod delete;
pub mod get;

use axum::http::{HeaderMap, HeaderValue, header};
use domain::{Principal, Reach, Role};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Shared;

const COOKIE: &str = "scheduler_session";
/// Browsers take a cookie of such a name from nobody but this very origin, over TLS.
const COOKIE_BY_TLS: &str = "__Host-scheduler_session";

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default().routes(routes!(get::get_session, create::create_session, delete::delete_session))
}

/// Who asks, and what they may do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// The name of the key.
    #[schema(example = "admin")]
    name: String,
    /// What it may do.
    role: Role,
    /// The project it is for; `null`: all of them.
    #[schema(required)]
    project: Option<String>,
    /// Whether the service runs open: whoever asks may do everything.
    open: bool,
}

impl SessionView {
    fn new(Principal { name, role, reach }: Principal, open: bool) -> Self {
        let project = match reach {
            Reach::All => None,
            Reach::Project(project) => Some(project),
        };
        Self { name, role, project, open }
    }
}

/// The session in a request's cookies.
pub(crate) fn of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let ours = [COOKIE_BY_TLS, COOKIE];
    let mut found = pairs.filter(|(name, _)| ours.contains(name));
    found.next().map(|(_, value)| value)
}

/// The header that keeps `session` in the browser for so many seconds.
fn cookie(request: &HeaderMap, session: &str, seconds: i64) -> HeaderValue {
    // A proxy says so. Whoever lies about it makes their own browser forget the cookie.
    let by_tls = request.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let (name, secure) = if by_tls { (COOKIE_BY_TLS, "; Secure") } else { (COOKIE, "") };
    let text = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
