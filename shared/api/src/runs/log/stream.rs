//! The log of a run as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use domain::{Run, RunId, RunStatus};
use engine::bell::Ear;
use futures::{Stream, stream};
use serde::Serialize;
use tokio::time::sleep;

use super::LogLineView;
use crate::problem::Problem;
use crate::sse::{self, BREATH, last_event_id, unknown_id};
use crate::state::Shared;

/// The id of the event `end`.
const ENDED: &str = "end";
/// What other replicas write, and the end of the run, is looked for so often.
const LOOK: Duration = Duration::from_secs(1);
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
    match last_event_id(headers) {
        None => Ok(None),
        Some(ENDED) => Ok(Some(Resume::Ended)),
        Some(id) => id.parse().map(|after| Some(Resume::After(after))).map_err(|_| unknown_id()),
    }
}

/// A stream of what follows the line numbered `after`.
pub(super) fn answer(state: Shared, run: Run, after: u64) -> Response {
    sse::answer(events(state, run, after), true)
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
