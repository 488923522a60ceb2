//! The log of a run as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use domain::{Run, RunId, RunStatus};
use engine::bell::Ear;
use futures::{Stream, stream};
use serde::Serialize;
use tokio::time::sleep;

use super::LogLineView;
use crate::problem::Problem;
use crate::state::Shared;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The id of the event `end`.
const ENDED: &str = "end";
/// What other replicas write, and the end of the run, is looked for so often.
const LOOK: Duration = Duration::from_secs(1);
/// However fast lines come, they are read no more often.
const BREATH: Duration = Duration::from_millis(50);
/// A comment so often keeps proxies from taking a silent stream for a dead one.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Lines read at a time.
const PAGE: usize = 500;

/// Where a client goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// Behind this line.
    After(u64),
    /// It has seen the end.
    Ended,
}

pub(super) fn last_event(headers: &HeaderMap) -> Result<Option<Resume>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    match value.to_str() {
        Ok(ENDED) => Ok(Some(Resume::Ended)),
        Ok("") => Ok(None),
        Ok(text) if text.parse::<u64>().is_ok() => Ok(text.parse().ok().map(Resume::After)),
        _ => Err(Problem::header("Last-Event-ID", "is not the id of an event of this stream")),
    }
}

/// A stream of what follows the line numbered `after`.
pub(super) fn answer(state: Shared, run: Run, after: u64) -> Response {
    let events = Sse::new(events(state, run, after)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let mut response = events.into_response();
    // NGINX would gather events until its buffer is full.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
        .headers_mut()
        .extend([unbuffered, (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
    response
}

/// One reader of a log.
struct Tail {
    state: Shared,
    project: String,
    run: RunId,
    after: u64,
    ear: Ear,
    waiting: VecDeque<Event>,
    ended: bool,
}

#[derive(Serialize)]
struct End {
    status: RunStatus,
}

fn events(state: Shared, run: Run, after: u64) -> impl Stream<Item = Result<Event, Infallible>> {
    let ear = state.logs.listen(run.id);
    let tail =
        Tail { state, project: run.project, run: run.id, after, ear, waiting: VecDeque::new(), ended: false };
    stream::unfold(tail, |mut tail| async {
        let closing = tail.state.closing.clone();
        let event = closing.run_until_cancelled(tail.next()).await.flatten()?;
        Some((Ok(event), tail))
    })
}

impl Tail {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            // Before the look, so that what is written during it wakes the wait that follows.
            self.ear.forget();
            match self.look().await {
                Ok(true) => (),
                Ok(false) => {
                    tokio::select! {
                        () = sleep(LOOK) => (),
                        () = async { self.ear.heard().await; sleep(BREATH).await } => (),
                    }
                }
                // A client that comes back finds the store there again, or is told in words that it is not.
                Err(_) => return None,
            }
        }
    }

    /// Takes up what is new; false where nothing is.
    async fn look(&mut self) -> Result<bool, Problem> {
        // In this order: all lines of a run are written before it is finished.
        let run = self.state.scheduler.run(&self.project, self.run).await?;
        let page = self.state.logs.page(self.run, self.after, PAGE).await?;
        for entry in page.entries {
            self.after = entry.seq;
            let event = Event::default().event("line").id(entry.seq.to_string());
            self.waiting.extend(event.json_data(LogLineView::from(entry)));
        }
        if run.status.is_finished() && !page.has_more {
            let end = Event::default().event(ENDED).id(ENDED);
            self.waiting.extend(end.json_data(End { status: run.status }));
            self.ended = true;
        }
        Ok(!self.waiting.is_empty())
    }
}
