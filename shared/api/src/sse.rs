//! What all streams of server-sent events have in common.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures::Stream;

use crate::problem::Problem;

/// Something so often keeps proxies from taking a silent stream for a dead one.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// However fast news comes, it is looked for no more often.
pub(crate) const BREATH: Duration = Duration::from_millis(50);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How the header is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes parameters")]
pub struct LastEventId {
    /// The `id` of the last event seen: the stream goes on behind it. An `EventSource` sends it by itself.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: String,
}

/// The id of the last event that the client has seen, if it has seen any. An id that is no text is one nobody gave out.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(LAST_EVENT_ID)?;
    value.to_str().map_or(Some("?"), |id| Some(id).filter(|id| !id.is_empty()))
}

/// What is wrong with an id.
pub(crate) fn unknown_id() -> Problem {
    Problem::header("Last-Event-ID", "is not the id of an event of this stream")
}

/// Answers with a stream. With `heartbeat` it is kept alive by comments.
pub(crate) fn answer(
    events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
    heartbeat: bool,
) -> Response {
    let events = Sse::new(events);
    let mut response = if heartbeat {
        events.keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
    } else {
        events.into_response()
    };
    // NGINX would gather events until its buffer is full.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
        .headers_mut()
        .extend([unbuffered, (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
    response
}
