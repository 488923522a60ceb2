//! Pages and streams of logs.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use domain::log::{MAX_LINE, left_out};
use domain::{LogLevel, LogStream, RunId};
use engine::{Logs, Store};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::testing::TestApp;

async fn write(app: &TestApp, run: &Value, texts: &[&str]) {
    let id: RunId = run["id"].as_str().unwrap().parse().unwrap();
    let lines = texts.iter().map(|text| (Some(LogLevel::Info), *text));
    app.logs.write(id, 1, LogStream::Target, lines).await.unwrap();
}

fn path(run: &Value) -> String {
    format!("/api/v1/runs/{}/log", run["id"].as_str().unwrap())
}

/// A stream being read.
struct Reader(BodyDataStream);

impl Reader {
    async fn open(app: &TestApp, path: &str, last_event: Option<&str>) -> Self {
        let mut request = Request::get(path).header("accept", "text/event-stream");
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        let answer = app.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self(answer.into_body().into_data_stream())
    }

    /// The next event, in one line: its kind, id and text.
    async fn next(&mut self) -> Option<String> {
        let frame = self.0.next().await?.unwrap();
        let event = String::from_utf8(frame.to_vec()).unwrap();
        let field = |name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        if event.starts_with(':') {
            return Some("heartbeat".to_owned());
        }
        let data: Value = serde_json::from_str(&field("data:")).unwrap();
        let text = data["text"].as_str().or(data["status"].as_str()).unwrap();
        Some(format!("{} {} {text}", field("event:"), field("id:")))
    }
}

#[tokio::test]
async fn a_page_holds_its_lines_and_says_where_the_next_begins() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    let empty = app.get(&path(&run)).await;
    assert_eq!(empty.value(), json!({"data": [], "next_after": 0, "has_more": false}));
    write(&app, &run, &["one", "two"]).await;
    write(&app, &run, &[&"x".repeat(MAX_LINE + 1)]).await;
    let page = app.get(&format!("{}?limit=2", path(&run))).await.value();
    assert_eq!((&page["next_after"], &page["has_more"]), (&json!(2), &json!(true)));
    assert_eq!(
        page["data"][1],
        json!({
            "seq": 2, "at": "2026-11-24T00:00:00.000Z", "attempt": 1, "stream": "target", "level": "info",
            "text": "two", "truncated": false
        })
    );
    let page = app.get(&format!("{}?after=2", path(&run))).await.value();
    assert_eq!((&page["data"][0]["seq"], &page["data"][0]["truncated"]), (&json!(3), &json!(true)));
    assert_eq!((&page["next_after"], &page["has_more"]), (&json!(3), &json!(false)));
    let beyond = app.get(&format!("{}?after=99", path(&run))).await.value();
    assert_eq!(beyond, json!({"data": [], "next_after": 99, "has_more": false}));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    for (query, gist) in [
        ("after=-1", "422 invalid_query [after invalid_value]"),
        ("after=x", "422 invalid_query [after invalid_value]"),
        ("limit=0", "422 invalid_query [limit invalid_value]"),
        ("limit=1001", "422 invalid_query [limit invalid_value]"),
        ("follow=true", "422 invalid_query [follow unknown_parameter]"),
    ] {
        assert_eq!(app.get(&format!("{}?{query}", path(&run))).await.gist(), gist, "{query}");
    }
    let headers = [("accept", "text/event-stream"), ("last-event-id", "x")];
    let odd = app.send("GET", &path(&run), &headers, "").await;
    assert_eq!(odd.gist(), "400 malformed_request [Last-Event-ID malformed]");
    let nobody = "/api/v1/runs/run_01kc0000000000000000000000/log";
    assert_eq!(app.get(nobody).await.gist(), "404 not_found");
    assert_eq!(app.send("GET", nobody, &headers[..1], "").await.gist(), "404 not_found");
}

/// A log of many times its bounds keeps its beginning and its end, and the missing lines are counted.
#[tokio::test]
async fn a_long_log_says_what_is_missing() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    let long = "x".repeat(1_000);
    let count: u64 = 5_000;
    let total = count * 1_064;
    assert!(left_out(total).is_some());
    for first in (0..count).step_by(100) {
        let texts: Vec<String> =
            (first..first + 100).map(|number| format!("{number:04} {}", &long[5..])).collect();
        write(&app, &run, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let (mut after, mut seen, mut missing) = (json!(0), Vec::new(), 0);
    loop {
        let page = app.get(&format!("{}?after={after}&limit=1000", path(&run))).await.value();
        for line in page["data"].as_array().unwrap() {
            if line["stream"] == "service" {
                let text = line["text"].as_str().unwrap();
                missing += text.strip_suffix(" lines left out").unwrap().parse::<u64>().unwrap();
            } else {
                seen.push(line["seq"].as_u64().unwrap());
            }
        }
        after = page["next_after"].clone();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen.len() as u64 + missing, count);
    assert!((800..=1_010).contains(&seen.len()), "1 MiB in all: {}", seen.len());
    assert_eq!((seen[0], seen[199], *seen.last().unwrap()), (1, 200, count));
    assert!(seen.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_history_then_news_then_the_end() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    write(&app, &run, &["one", "two"]).await;
    let mut reader = Reader::open(&app, &path(&run), None).await;
    assert_eq!(reader.next().await.unwrap(), "line 1 one");
    assert_eq!(reader.next().await.unwrap(), "line 2 two");
    let began = tokio::time::Instant::now();
    let (line, ()) = tokio::join!(reader.next(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        write(&app, &run, &["three"]).await;
    });
    assert_eq!(line.unwrap(), "line 3 three");
    assert!(began.elapsed() < Duration::from_millis(400), "what this process writes is told at once");
    // What another replica writes is found by looking.
    let other = Logs::new(std::sync::Arc::new(app.store.clone()), std::sync::Arc::new(app.clock.clone()));
    let id: RunId = run["id"].as_str().unwrap().parse().unwrap();
    other.write(id, 1, LogStream::Stdout, [(None, "four")]).await.unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(reader.next().await.unwrap(), "line 4 four");
    assert!(began.elapsed() <= Duration::from_secs(1));
    app.post(&format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap())).await;
    assert_eq!(reader.next().await.unwrap(), "end end cancelled");
    assert_eq!(reader.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_where_it_was_cut_off() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    write(&app, &run, &["one", "two", "three"]).await;
    let mut reader = Reader::open(&app, &path(&run), Some("1")).await;
    assert_eq!(reader.next().await.unwrap(), "line 2 two");
    drop(reader);
    let mut reader = Reader::open(&app, &format!("{}?after=1", path(&run)), Some("2")).await;
    assert_eq!(reader.next().await.unwrap(), "line 3 three");
    let mut reader = Reader::open(&app, &format!("{}?after=2", path(&run)), None).await;
    assert_eq!(reader.next().await.unwrap(), "line 3 three");
    let headers = [("accept", "text/html, text/event-stream;q=0.5"), ("last-event-id", "end")];
    assert_eq!(app.send("GET", &path(&run), &headers, "").await.status, 204, "an EventSource gives up");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive_and_closed_on_shutdown() {
    let closing = CancellationToken::new();
    let app = TestApp::with(|state| state.closing = closing.clone());
    app.create("nightly").await;
    let run = app.run("nightly").await;
    let mut reader = Reader::open(&app, &path(&run), None).await;
    let began = tokio::time::Instant::now();
    assert_eq!(reader.next().await.unwrap(), "heartbeat");
    assert!((14..=16).contains(&began.elapsed().as_secs()));
    closing.cancel();
    assert_eq!(reader.next().await, None);
    let id: RunId = run["id"].as_str().unwrap().parse().unwrap();
    assert!(!app.store.run("default", id).await.unwrap().unwrap().status.is_finished());
}
