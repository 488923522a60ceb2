//! The router on a store in memory and a clock that stands still. Also compiled into `tests/it`.
#![allow(
    unreachable_pub,
    dead_code,
    reason = "compiled into two test crates, neither of which exports or uses all of it"
)]

use std::sync::Arc;

use api::{ApiState, BuildInfo, Options, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use bytes::Bytes;
use domain::time::Zone;
use engine::{
    Access, Callbacks, Clock, DueJob, Feed, Logs, Overview, Scheduler, SessionKey, Store, TokenKey,
};
use serde_json::{Value, json};
use testkit::{ManualClock, MemoryStore, RecordingAlarm, SeededEntropy, at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The API under test.
pub struct TestApp {
    /// What answers.
    pub router: Router,
    /// Who may do what.
    pub access: Access,
    /// What is kept.
    pub store: MemoryStore,
    /// What takes reports.
    pub callbacks: Callbacks,
    /// The logs of runs, as this process writes them.
    pub logs: Logs,
    /// The time: a Tuesday, one hour before the first occurrence of `nightly`.
    pub clock: ManualClock,
}

/// An answer, with its body.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl TestApp {
    /// The API as it is by default.
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    /// The API, changed.
    pub fn with(change: impl FnOnce(&mut ApiState)) -> Self {
        let store = MemoryStore::new();
        let clock = ManualClock::new(at("2026-11-24T00:00:00Z"));
        let scheduler = Scheduler::new(
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            Arc::new(clock.clone()),
            Arc::new(RecordingAlarm::default()),
            Arc::new(SeededEntropy::new(7)),
            Zone::default(),
        );
        let now = clock.clone();
        let logs = Logs::new(Arc::new(store.clone()), Arc::new(clock.clone()));
        let callbacks = Callbacks::new(
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            logs.clone(),
            Arc::new(clock.clone()),
            Arc::new(RecordingAlarm::default()),
            TokenKey::derived(b"test"),
        );
        let access = Access::new(
            Arc::new(store.clone()),
            Arc::new(clock.clone()),
            Arc::new(SeededEntropy::new(8)),
            SessionKey::from(&TokenKey::derived(b"test")),
        );
        let mut state = ApiState {
            access: access.open_at_first(),
            scheduler,
            overview: Overview::new(
                Arc::new(store.clone()),
                Arc::new(store.clone()),
                Arc::new(clock.clone()),
            ),
            idempotency: Arc::new(store.clone()),
            callbacks: callbacks.clone(),
            logs: logs.clone(),
            feed: Some(Feed::new(Arc::new(store.clone()))),
            store: Arc::new(store.clone()),
            last_look: Some(Arc::new(move || now.now())),
            metrics: Arc::new(|| "scheduler_jobs 1\n".to_owned()),
            ui: None,
            build: BuildInfo { version: "0.0.0-test", git_sha: Some("abc123") },
            closing: CancellationToken::new(),
            options: Options::default(),
        };
        change(&mut state);
        let access = state.access.clone();
        Self { router: router(state), access, store, callbacks, logs, clock }
    }

    /// Sends a request.
    pub async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request with a body of `content_type`, unless that is empty, and `headers`.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        self.call(request).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Sends JSON with one more header.
    pub async fn json_with(&self, method: &str, path: &str, header: (&str, &str), body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json"), header], body.to_string()).await
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Sends a POST without a body.
    pub async fn post(&self, path: &str) -> Answer {
        self.send("POST", path, &[], "").await
    }

    /// Stores a job and returns it as the API shows it.
    pub async fn create(&self, name: &str) -> Value {
        let answer = self.json("POST", "/api/v1/jobs", &draft(name)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.value()
    }

    /// Fires what is due at `now`, as a worker would.
    pub async fn fire(&self, now: &str) {
        let now = at(now);
        let mut decide = |due: DueJob| {
            let job = due.job.as_deref().unwrap();
            domain::fire(job, due.next_fire_at, now, due.active, due.runs_started)
        };
        self.store.fire_due(now, 1_000, &mut decide).await.unwrap();
    }

    /// Runs a job now and returns the run as the API shows it.
    pub async fn run(&self, name: &str) -> Value {
        let answer = self.post(&format!("/api/v1/jobs/{name}/run")).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.value()
    }
}

impl Answer {
    /// The body as JSON.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The body, which must be a complete problem of this answer's status. Its request's id is masked.
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let mut problem = self.value();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        assert_eq!(
            problem["type"],
            format!("/docs/errors/{}", problem["code"].as_str().unwrap()),
            "{problem}"
        );
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        problem["request_id"] = json!("…");
        problem
    }

    /// Status, code and places of a problem, in one line.
    pub fn gist(&self) -> String {
        let problem = self.problem();
        let places = ["pointer", "parameter", "header"];
        let part = |error: &Value| {
            let place = places.iter().find_map(|member| error[member].as_str()).unwrap_or("?");
            format!(" [{place} {}]", error["code"].as_str().unwrap())
        };
        let parts: String = problem["errors"].as_array().unwrap().iter().map(part).collect();
        format!("{} {}{parts}", self.status.as_u16(), problem["code"].as_str().unwrap())
    }

    /// A header's value, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A job that is due at 01:00 every day.
pub fn draft(name: &str) -> Value {
    json!({
        "name": name,
        "schedule": {"type": "cron", "expression": "0 1 * * *"},
        "target": {"type": "noop"}
    })
}
