//! A request sent twice is carried out once, and answered twice.

use chrono::TimeDelta;
use serde_json::json;
use testkit::Fault;

use crate::testing::{TestApp, draft};

const JOBS: &str = "/api/v1/jobs";

#[tokio::test]
async fn the_first_answer_is_replayed() {
    let app = TestApp::new();
    let key = ("idempotency-key", "\"deploy-17\"");
    let first = app.json_with("POST", JOBS, key, &draft("nightly")).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (201, ""));
    app.clock.advance(TimeDelta::hours(23));
    // Quoted and bare are the same key.
    let again = app.json_with("POST", JOBS, ("idempotency-key", "deploy-17"), &draft("nightly")).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.body, first.body);
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.headers.get_all(name).iter().count(), 1, "{name}");
        assert_eq!(again.header(name), first.header(name));
    }
    assert_eq!(app.get(JOBS).await.value()["data"].as_array().unwrap().len(), 1);
    app.clock.advance(TimeDelta::hours(2));
    let forgotten = app.json_with("POST", JOBS, key, &draft("nightly")).await;
    assert_eq!(forgotten.gist(), "409 name_taken [/name name_taken]");
}

#[tokio::test]
async fn every_post_that_changes_something_takes_a_key() {
    let app = TestApp::new();
    app.create("nightly").await;
    let send = async |path: &str, key: &str| app.send("POST", path, &[("idempotency-key", key)], "").await;
    let first = send("/api/v1/jobs/nightly/run", "a").await;
    assert_eq!(send("/api/v1/jobs/nightly/run", "a").await.body, first.body);
    let cancel = format!("/api/v1/runs/{}/cancel", first.value()["id"].as_str().unwrap());
    let retry = cancel.replace("cancel", "retry");
    for (path, key) in [
        (cancel.as_str(), "b"),
        (&retry, "c"),
        ("/api/v1/jobs/nightly/pause", "d"),
        ("/api/v1/jobs/nightly/resume", "e"),
    ] {
        let first = send(path, key).await;
        let again = send(path, key).await;
        assert!(first.status.is_success(), "{path} {first:?}");
        assert_eq!((again.status, again.header("idempotency-replayed")), (first.status, "true"), "{path}");
        assert_eq!(again.body, first.body, "{path}");
    }
    assert_eq!(app.get("/api/v1/runs").await.value()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn another_request_needs_another_key() {
    let app = TestApp::new();
    let key = ("idempotency-key", "k");
    app.json_with("POST", JOBS, key, &draft("nightly")).await;
    let other_body = app.json_with("POST", JOBS, key, &draft("weekly")).await;
    assert_eq!(other_body.gist(), "422 idempotency_key_reused");
    let other_path = app.send("POST", "/api/v1/jobs/nightly/run", &[key], "").await;
    assert_eq!(other_path.gist(), "422 idempotency_key_reused");
}

#[tokio::test]
async fn refusals_are_replayed_with_the_id_of_the_request_they_answer() {
    let app = TestApp::new();
    let key = ("idempotency-key", "k");
    let first = app.json_with("POST", JOBS, key, &json!({"name": 7})).await;
    let again = app.json_with("POST", JOBS, key, &json!({"name": 7})).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.problem(), first.problem());
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
}

#[tokio::test]
async fn failures_are_not_remembered() {
    let app = TestApp::new();
    let key = ("idempotency-key", "k");
    app.store.fail_by(|call, _| if call == "insert_job" { Fault::Before } else { Fault::None });
    assert_eq!(app.json_with("POST", JOBS, key, &draft("nightly")).await.gist(), "503 unavailable");
    app.store.heal();
    let again = app.json_with("POST", JOBS, key, &draft("nightly")).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, ""));
}

#[tokio::test]
async fn malformed_keys_are_refused() {
    let app = TestApp::new();
    for key in ["", "\"\"", "\"", &"x".repeat(256), "a\"b"] {
        let answer = app.json_with("POST", JOBS, ("idempotency-key", key), &draft("nightly")).await;
        assert_eq!(answer.gist(), "400 malformed_request [Idempotency-Key malformed]", "{key:.20}");
    }
    let longest = "x".repeat(255);
    let answer = app.json_with("POST", JOBS, ("idempotency-key", &longest), &draft("nightly")).await;
    assert_eq!(answer.status, 201);
}

/// Sixteen at once: one is carried out, the others get its answer or are asked to wait.
#[tokio::test]
async fn the_same_request_at_the_same_time_is_carried_out_once() {
    let app = TestApp::new();
    app.create("nightly").await;
    let calls =
        (0..16).map(|_| app.send("POST", "/api/v1/jobs/nightly/run", &[("idempotency-key", "k")], ""));
    let answers = futures::future::join_all(calls).await;
    let carried_out =
        answers.iter().filter(|it| it.status == 202 && it.header("idempotency-replayed").is_empty());
    assert_eq!(carried_out.count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!(answer.gist(), "409 request_in_progress");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(app.get("/api/v1/runs").await.value()["data"].as_array().unwrap().len(), 1);
}

/// The caller hangs up in the middle; the work goes on, and its answer is there when the caller comes back.
#[tokio::test]
async fn work_whose_caller_is_gone_is_finished() {
    let app = TestApp::new();
    app.create("nightly").await;
    let key = [("idempotency-key", "k")];
    let call = app.send("POST", "/api/v1/jobs/nightly/run", &key, "");
    let hung_up = tokio::time::timeout(std::time::Duration::ZERO, async {
        futures::pin_mut!(call);
        for _ in 0..4 {
            assert!(futures::poll!(&mut call).is_pending());
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    });
    assert!(hung_up.await.is_err());
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let answer = app.send("POST", "/api/v1/jobs/nightly/run", &key, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("idempotency-replayed")), (202, "true"));
    assert_eq!(app.get("/api/v1/runs").await.value()["data"].as_array().unwrap().len(), 1);
}
