//! `Idempotency-Key`: a request sent twice is carried out once, and answered twice.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::{Begun, SavedResponse};
use futures::FutureExt;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::extract::Project;
use crate::extract::body::bytes;
use crate::layers::problems::panicked;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::Shared;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The headers that belong to an answer; the others belong to its transport.
const KEPT: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::RETRY_AFTER];
const LONGEST_KEY: usize = 255;

/// How the header is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct IdempotencyKeyHeader {
    /// Names this request, so that it can be sent again without being carried out again: for 24 hours the same
    /// key brings the first answer, marked with `Idempotency-Replayed: true`.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        max_length = 257,
        example = "\"2f6b0b0e-deploy-17\""
    )]
    idempotency_key: String,
}

/// Carries out a POST with a key once. Other requests pass.
pub async fn once(State(state): State<Shared>, request: Request, next: Next) -> Result<Response, Problem> {
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let Some(key) = key(request.headers())? else { return Ok(next.run(request).await) };
    let (mut parts, body) = request.into_parts();
    let project = project(&mut parts).await;
    let body = bytes(Request::from_parts(parts.clone(), body), &()).await?;
    let fingerprint = fingerprint(&parts, &body);
    let request = Request::from_parts(parts, Body::from(body));
    // In a task of its own: a caller who gives up waiting must find the answer when it comes back, not half of the work.
    let work = carry_out(Reservation { state, project, key }, fingerprint, request, next);
    match tokio::spawn(work.in_current_span()).await {
        Ok(answer) => answer,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => Ok(panicked(panic)),
            Err(_stopped) => Err(Problem::new(Code::Unavailable, "the service is shutting down")),
        },
    }
}

async fn carry_out(
    reservation: Reservation,
    fingerprint: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Reservation { state, project, key } = &reservation;
    match state.idempotency.begin(project, key, &fingerprint, state.scheduler.now()).await? {
        Begun::New => {
            // A panic must not keep the key reserved.
            let handled = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            Ok(reservation.close(handled.unwrap_or_else(panicked)).await)
        }
        Begun::Answered(saved) => Ok(replay(saved)),
        Begun::InProgress => Err(Problem::new(
            Code::RequestInProgress,
            "a request with this idempotency key is being carried out; wait for it",
        )),
        Begun::OtherRequest => Err(Problem::new(
            Code::IdempotencyKeyReused,
            "this idempotency key was used for another request; choose a new one",
        )),
    }
}

/// A key, reserved for a request or about to be.
struct Reservation {
    state: Shared,
    project: String,
    key: String,
}

impl Reservation {
    /// Keeps the answer, or frees the key where the same request may fare better next time.
    async fn close(self, response: Response) -> Response {
        if response.status().is_server_error() {
            self.release().await;
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            self.release().await;
            return Problem::new(Code::InternalError, "the answer could not be completed").into_response();
        };
        let saved = SavedResponse {
            status: parts.status.as_u16(),
            headers: kept(&parts.headers),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        if let Err(error) = self.state.idempotency.finish(&self.project, &self.key, &saved).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                error,
                "an answer could not be kept; sent again, its request may be carried out again"
            );
        }
        Response::from_parts(parts, Body::from(body))
    }

    async fn release(&self) {
        if let Err(error) = self.state.idempotency.release(&self.project, &self.key).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "an idempotency key could not be freed; it frees itself in a minute");
        }
    }
}

fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    KEPT.iter().filter_map(text).collect()
}

fn replay(SavedResponse { status, headers, body }: SavedResponse) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A problem is written anew: it names the request it answers.
    let problem =
        if status.is_client_error() { serde_json::from_str::<ProblemBody>(&body).ok() } else { None };
    let mut response = match problem {
        Some(body) => Problem::from(body).into_response(),
        None => (status, body).into_response(),
    };
    let kept = response.headers_mut();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            kept.insert(name, value);
        }
    }
    kept.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The key, quoted or bare.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let refuse = |detail: &str| Err(Problem::header("Idempotency-Key", detail));
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return refuse("is given more than once");
    }
    let Ok(text) = value.to_str() else { return refuse("is not plain ASCII") };
    let text = text.trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if key.is_empty() || key.len() > LONGEST_KEY || key.contains('"') {
        return refuse("is 1 to 255 characters, in quotes or bare");
    }
    Ok(Some(key.to_owned()))
}

/// What makes two requests the same.
fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
    let digest = Sha256::new()
        .chain_update(parts.method.as_str())
        .chain_update(b"\n")
        .chain_update(uri.path())
        .chain_update(b"\n")
        .chain_update(uri.query().unwrap_or_default())
        .chain_update(b"\n")
        .chain_update(body)
        .finalize();
    URL_SAFE_NO_PAD.encode(digest.as_slice())
}

async fn project(parts: &mut Parts) -> String {
    let Ok(Project(project)) = Project::from_request_parts(parts, &()).await;
    project
}
