//! What happens, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::Response;
use axum::response::sse::Event as Sent;
use domain::JobId;
use engine::events::Follower;
use engine::{Cursor, Event, EventKind, News};
use futures::{Stream, stream};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::EventView;
use crate::sse::{self, HEARTBEAT};

/// How long a client that was cut off is asked to wait before it comes back.
const RETRY: Duration = Duration::from_secs(2);

/// What a client wants to hear of.
pub(super) struct Filter {
    pub(super) project: String,
    pub(super) job: Option<JobId>,
    /// Any where empty.
    pub(super) kinds: Vec<EventKind>,
}

impl Filter {
    fn admits(&self, event: &Event) -> bool {
        event.project == self.project
            && self.job.is_none_or(|job| job == event.job)
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
    }
}

/// A stream of what `follower` is told, until `closing`.
pub(super) fn answer(closing: CancellationToken, follower: Follower, filter: Filter) -> Response {
    let client = Client {
        follower,
        filter,
        begun: false,
        here: None,
        heartbeat: Instant::now() + HEARTBEAT,
        waiting: VecDeque::new(),
    };
    // Its heartbeats carry ids, so that a client that nothing is of interest to does not fall behind.
    sse::answer(events(closing, client), false)
}

/// One reader of what happens.
struct Client {
    follower: Follower,
    filter: Filter,
    /// It has been told where it begins.
    begun: bool,
    here: Option<Cursor>,
    heartbeat: Instant,
    waiting: VecDeque<Sent>,
}

fn events(closing: CancellationToken, client: Client) -> impl Stream<Item = Result<Sent, Infallible>> {
    stream::unfold((closing, client), |(closing, mut client)| async {
        let event = closing.run_until_cancelled(client.next()).await.flatten()?;
        Some((Ok(event), (closing, client)))
    })
}

impl Client {
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.heartbeat = Instant::now() + HEARTBEAT;
                return Some(event);
            }
            match timeout_at(self.heartbeat, self.follower.next()).await {
                Ok(Ok(news)) => self.hear(news),
                // A client that comes back finds the store there again, or is told in words that it is not.
                Ok(Err(_)) => return None,
                Err(_silence) => {
                    let heartbeat = Sent::default().comment("heartbeat");
                    let here = self.here.map(|here| here.to_string());
                    self.waiting.push_back(match here {
                        Some(here) => heartbeat.id(here),
                        None => heartbeat,
                    });
                }
            }
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Here(here) => {
                // Whoever is cut off before the first event comes back to this place.
                if !std::mem::replace(&mut self.begun, true) {
                    self.waiting.push_back(Sent::default().id(here.to_string()).retry(RETRY));
                }
                self.here = Some(here);
            }
            News::Reset(here) => {
                let reset = Sent::default().event("reset").id(here.to_string()).data("{}");
                self.waiting.push_back(if self.begun { reset } else { reset.retry(RETRY) });
                (self.begun, self.here) = (true, Some(here));
            }
            News::Events(events) => {
                self.here = events.last().map(|(here, _)| *here);
                for (here, event) in events.into_iter().filter(|(_, event)| self.filter.admits(event)) {
                    let sent = Sent::default().event(event.kind.as_str()).id(here.to_string());
                    // Ids and words always become JSON.
                    self.waiting.extend(sent.json_data(EventView::from(event)));
                }
            }
        }
    }
}
