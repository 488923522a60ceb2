//! A target that writes down every call, independently of what the service records.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;

use crate::service::wall_clock;

/// One call, as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) run: String,
    pub(crate) job: String,
    pub(crate) attempt: u64,
    pub(crate) scheduled_for: DateTime<Utc>,
    pub(crate) at: DateTime<Utc>,
}

type Calls = Arc<Mutex<Vec<Received>>>;

/// Listens on every address of the machine, so that a process in a network of its own reaches it, too.
pub(crate) struct Receiver {
    calls: Calls,
    port: u16,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let calls = Calls::default();
        let listener = TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], 0))).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(receive).with_state(calls.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { calls, port }
    }

    /// Where to call it; it takes `takes_ms` to answer.
    pub(crate) fn url(&self, host: &str, takes_ms: u64) -> String {
        format!("http://{host}:{}/{takes_ms}", self.port)
    }

    pub(crate) fn calls(&self) -> Vec<Received> {
        self.calls.lock().unwrap().clone()
    }
}

async fn receive(State(calls): State<Calls>, uri: Uri, headers: HeaderMap) {
    let at = wall_clock();
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let call = Received {
        run: text("webhook-id"),
        job: text("x-scheduler-job-name"),
        attempt: text("x-scheduler-attempt").parse().unwrap(),
        scheduled_for: text("x-scheduler-scheduled-for").parse().unwrap(),
        at,
    };
    calls.lock().unwrap().push(call);
    let takes_ms: u64 = uri.path().trim_start_matches('/').parse().unwrap();
    tokio::time::sleep(Duration::from_millis(takes_ms)).await;
}
