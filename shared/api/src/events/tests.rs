//! Streams of what happens: in order, from where the client was, and nothing of others.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use engine::{Purge, Store};
use futures::StreamExt;
use serde_json::{Value, json};
use testkit::{at, job};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::testing::{TestApp, draft};

const PATH: &str = "/api/v1/events";

/// A stream being read.
struct Reader {
    body: BodyDataStream,
    id: String,
}

/// A part of a stream: an event's type and data, or nothing but an id.
#[derive(Debug, PartialEq)]
struct Part(String, Value);

impl Reader {
    async fn open(app: &TestApp, path: &str, last_event: Option<&str>) -> Self {
        let mut request = Request::get(path);
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        let answer = app.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-cache");
        Self { body: answer.into_body().into_data_stream(), id: String::new() }
    }

    /// Begins to follow: it is told where.
    async fn begin(app: &TestApp, path: &str) -> Self {
        let mut reader = Self::open(app, path, None).await;
        assert_eq!(reader.next().await, Some(Part("retry 2000".to_owned(), Value::Null)));
        assert!(!reader.id.is_empty());
        reader
    }

    async fn next(&mut self) -> Option<Part> {
        let frame = self.body.next().await?.unwrap();
        let event = String::from_utf8(frame.to_vec()).unwrap();
        assert!(event.ends_with("\n\n") && event.trim_end().matches("\n\n").count() == 0, "{event:?}");
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        self.id = field("id:").unwrap().to_owned();
        let data = field("data:").map_or(Value::Null, |data| serde_json::from_str(data).unwrap());
        let retry = field("retry:").map(|retry| format!("retry {retry}"));
        let kind = field("event:").map(str::to_owned).or(retry).or(field(":").map(str::to_owned));
        Some(Part(kind.unwrap(), data))
    }

    /// The next event in a few words.
    async fn word(&mut self) -> String {
        let Part(kind, data) = self.next().await.unwrap();
        if kind != "reset" {
            assert_eq!(data["type"], kind.as_str());
        }
        let standing = data["status"].as_str().or(data["state"].as_str());
        standing.map_or(kind.clone(), |standing| format!("{kind} {standing}"))
    }
}

async fn cancel(app: &TestApp, run: &Value) {
    let path = format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap());
    assert_eq!(app.post(&path).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_told_as_it_happens() {
    let app = TestApp::new();
    let mut reader = Reader::begin(&app, PATH).await;
    let job = app.create("nightly").await;
    assert_eq!(
        reader.next().await.unwrap(),
        Part(
            "job.created".to_owned(),
            json!({"type": "job.created", "job_id": job["id"], "state": "active"})
        )
    );
    let run = app.run("nightly").await;
    assert_eq!(
        reader.next().await.unwrap(),
        Part(
            "run.created".to_owned(),
            json!({"type": "run.created", "job_id": job["id"], "run_id": run["id"], "status": "pending"})
        )
    );
    cancel(&app, &run).await;
    assert_eq!(reader.word().await, "run.changed pending");
    assert_eq!(reader.word().await, "run.finished cancelled");
    app.post("/api/v1/jobs/nightly/pause").await;
    assert_eq!(reader.word().await, "job.updated paused");
    app.send("DELETE", "/api/v1/jobs/nightly", &[], "").await;
    let Part(kind, data) = reader.next().await.unwrap();
    assert_eq!((kind.as_str(), data), ("job.deleted", json!({"type": "job.deleted", "job_id": job["id"]})));
}

#[tokio::test(start_paused = true)]
async fn a_client_hears_of_what_it_asked_for_and_of_nobody_elses() {
    let app = TestApp::new();
    app.create("nightly").await;
    app.create("hourly").await;
    let mut all = Reader::begin(&app, PATH).await;
    let mut of_job = Reader::begin(&app, &format!("{PATH}?job=nightly")).await;
    let mut jobs = Reader::begin(&app, &format!("{PATH}?types=job.*")).await;
    let mut some =
        Reader::begin(&app, &format!("{PATH}?types=run.finished,job.deleted&types=job.created")).await;
    app.store.insert_job(&job("foreign").project("other").build()).await.unwrap();
    let run = app.run("hourly").await;
    app.run("nightly").await;
    app.post("/api/v1/jobs/hourly/pause").await;
    cancel(&app, &run).await;
    assert_eq!(all.word().await, "run.created pending");
    assert_eq!(all.word().await, "run.created pending");
    assert_eq!(all.word().await, "job.updated paused");
    assert_eq!(of_job.word().await, "run.created pending");
    assert_eq!(jobs.word().await, "job.updated paused");
    assert_eq!(some.word().await, "run.finished cancelled");
}

/// Cut off wherever it may be, also in the midst of what was told at once, a client gets the rest.
#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_misses_nothing_and_hears_nothing_twice() {
    let app = TestApp::new();
    let mut first = Reader::begin(&app, PATH).await;
    let begin = first.id.clone();
    for name in ["a", "b", "c"] {
        app.create(name).await;
    }
    app.fire("2026-11-24T01:00:00Z").await;
    app.create("d").await;
    let mut whole = Vec::new();
    let mut ids = vec![begin];
    for _ in 0..7 {
        whole.push(first.next().await.unwrap());
        ids.push(first.id.clone());
    }
    for (seen, id) in ids.iter().enumerate() {
        let mut again = Reader::open(&app, PATH, Some(id)).await;
        for part in &whole[seen..] {
            assert_eq!(again.next().await.as_ref(), Some(part), "behind {id}");
        }
        if seen < whole.len() {
            assert_eq!(again.id, *ids.last().unwrap());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_go_on_begins_anew() {
    let app = TestApp::new();
    let gone = Reader::begin(&app, PATH).await.id;
    app.create("nightly").await;
    app.store.purge_events(at("2099-01-01T00:00:00Z"), 100).await.unwrap();
    for id in [gone.as_str(), "x", "1-2-3-4", "9-9", "-1", "0-999-1", "0-0"] {
        let mut reader = Reader::open(&app, PATH, Some(id)).await;
        assert_eq!(reader.next().await.unwrap(), Part("reset".to_owned(), json!({})), "{id}");
        app.post("/api/v1/jobs/nightly/pause").await;
        assert_eq!(reader.word().await, "job.updated paused", "{id}");
        app.post("/api/v1/jobs/nightly/resume").await;
        assert_eq!(reader.word().await, "job.updated active", "{id}");
    }
}

/// What it does not want to hear of passes all the same: its heartbeats tell it where it is.
#[tokio::test(start_paused = true)]
async fn a_client_that_hears_nothing_keeps_up() {
    let app = TestApp::new();
    let mut reader = Reader::begin(&app, &format!("{PATH}?types=job.deleted")).await;
    let began = tokio::time::Instant::now();
    app.create("nightly").await;
    assert_eq!(reader.next().await.unwrap(), Part("heartbeat".to_owned(), Value::Null));
    assert!((14..=16).contains(&began.elapsed().as_secs()));
    app.store.purge_events(at("2099-01-01T00:00:00Z"), 100).await.unwrap();
    let mut again = Reader::open(&app, PATH, Some(&reader.id)).await;
    app.create("hourly").await;
    assert_eq!(again.word().await, "job.created active");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_process() {
    let closing = CancellationToken::new();
    let app = TestApp::with(|state| state.closing = closing.clone());
    let mut reader = Reader::begin(&app, PATH).await;
    let began = tokio::time::Instant::now();
    closing.cancel();
    assert_eq!(reader.next().await, None);
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let app = TestApp::new();
    app.create("nightly").await;
    for (query, gist) in [
        ("types=run.ended", "422 invalid_query [types invalid_value]"),
        ("types=", "422 invalid_query [types invalid_value]"),
        ("types=run.*,*", "422 invalid_query [types invalid_value]"),
        ("job=nobody", "422 invalid_query [job unknown_job]"),
        ("job=%00", "422 invalid_query [job invalid_value]"),
        ("job=a&job=b", "422 invalid_query [job duplicate]"),
        ("follow=true", "422 invalid_query [follow unknown_parameter]"),
    ] {
        assert_eq!(app.get(&format!("{PATH}?{query}")).await.gist(), gist, "{query}");
    }
    assert_eq!(app.json("POST", PATH, &draft("x")).await.gist(), "405 method_not_allowed");
}

#[tokio::test]
async fn a_store_without_events_says_so() {
    let app = TestApp::with(|state| state.feed = None);
    assert_eq!(app.get(PATH).await.gist(), "501 streaming_unavailable");
}
