//! What targets report, over HTTP: who may, what is wrong, what is answered.

use domain::run::Lease;
use domain::settle::called;
use domain::{Outcome, RunId, Verdict};
use engine::{Settled, Store};
use serde_json::{Value, json};
use testkit::at;

use crate::testing::{TestApp, draft};

/// A run whose target has taken the work: its path, and the token as a header.
async fn taken(app: &TestApp) -> (String, String) {
    let mut job = draft("import");
    job["target"] =
        json!({"type": "http", "url": "https://example.com/", "callback": true, "heartbeat": "5m"});
    job["timeout"] = json!("7d");
    let created = app.json("POST", "/api/v1/jobs", &job).await;
    assert_eq!(created.status, 201, "{created:?}");
    let id: RunId = app.run("import").await["id"].as_str().unwrap().parse().unwrap();
    let now = at("2026-11-24T00:00:00Z");
    let lease = Lease { worker: "w".to_owned(), until: at("2026-11-24T00:00:30Z") };
    let leased = app.store.lease_runs(now, &lease, 1).await.unwrap().remove(0);
    let draft = &leased.job.unwrap().draft;
    let run = called(&leased.run, draft, draft.timeout, now, now, Outcome::from(Verdict::Accepted));
    let token = run.token;
    assert_eq!(app.store.commit_settled(&[Settled { run, token }]).await.unwrap(), [true]);
    let token = format!("Bearer {}", app.callbacks.token(id, token).reveal());
    (format!("/api/v1/runs/{id}"), token)
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_heartbeat_is_heard_and_shown() {
    let app = TestApp::new();
    let (run, token) = taken(&app).await;
    let headers = [JSON, ("authorization", token.as_str())];
    let body = json!({"progress": 40, "message": "page 4 of 10"}).to_string();
    let answer = app.send("POST", &format!("{run}/heartbeat"), &headers, body).await;
    let heard = json!({"cancel_requested": false, "due_at": "2026-11-24T00:05:00.000Z"});
    assert_eq!((answer.status.as_u16(), answer.value()), (200, heard));
    let shown = app.get(&run).await.value();
    assert_eq!(
        shown["callback"],
        json!({
            "started_at": "2026-11-24T00:00:00.000Z", "accepted_at": "2026-11-24T00:00:00.000Z",
            "until": "2026-12-01T00:00:00.000Z", "heartbeat_at": "2026-11-24T00:00:00.000Z", "progress": 40,
            "message": "page 4 of 10"
        })
    );
    app.post(&format!("{run}/cancel")).await;
    // Nothing to say is enough.
    let answer = app.send("POST", &format!("{run}/heartbeat"), &headers[1..], "").await;
    assert_eq!(answer.value()["cancel_requested"], true);
}

#[tokio::test]
async fn lines_go_into_the_log() {
    let app = TestApp::new();
    let (run, token) = taken(&app).await;
    let headers = [JSON, ("authorization", token.as_str())];
    let body = json!({"text": "one\ntwo", "level": "warn"}).to_string();
    let answer = app.send("POST", &format!("{run}/log"), &headers, body).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    let log = app.get(&format!("{run}/log")).await.value();
    let line = |index: usize| (log["data"][index]["text"].clone(), log["data"][index]["level"].clone());
    assert_eq!((line(0), line(1)), ((json!("one"), json!("warn")), (json!("two"), json!("warn"))));
    assert_eq!((&log["data"][0]["stream"], &log["data"][0]["attempt"]), (&json!("target"), &json!(1)));
}

#[tokio::test]
async fn the_end_is_taken_once_and_may_be_repeated() {
    let app = TestApp::new();
    let (run, token) = taken(&app).await;
    let headers = [JSON, ("authorization", token.as_str())];
    let send =
        async |body: Value| app.send("POST", &format!("{run}/complete"), &headers, body.to_string()).await;
    for _ in 0..2 {
        let answer = send(json!({"status": "succeeded", "output": {"rows": 1204}})).await;
        assert_eq!((answer.status.as_u16(), &answer.value()["status"]), (202, &json!("running")));
    }
    assert_eq!(send(json!({"status": "failed"})).await.gist(), "403 attempt_over");
    let late = app.send("POST", &format!("{run}/heartbeat"), &headers, "").await;
    assert_eq!(late.problem()["detail"], "the attempt is over: succeeded");
}

#[tokio::test]
async fn who_has_no_token_learns_nothing() {
    let app = TestApp::new();
    let (run, token) = taken(&app).await;
    let nobody = "/api/v1/runs/run_01kc0000000000000000000000";
    let other = format!("Bearer {}", token.trim_start_matches("Bearer ").replace("srt_1", "srt_2"));
    for place in [run.as_str(), nobody] {
        for authorization in ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", &other] {
            for (what, body) in [
                ("heartbeat", json!({})),
                ("log", json!({"text": "x"})),
                ("complete", json!({"status": "succeeded"})),
            ] {
                let mut headers = vec![JSON];
                if !authorization.is_empty() {
                    headers.push(("authorization", authorization));
                }
                let answer = app.send("POST", &format!("{place}/{what}"), &headers, body.to_string()).await;
                assert_eq!(answer.gist(), "401 unauthorized", "{place}/{what} {authorization}");
                assert_eq!(answer.header("www-authenticate"), "Bearer");
            }
        }
    }
    let twice = [JSON, ("authorization", token.as_str()), ("authorization", token.as_str())];
    assert_eq!(app.send("POST", &format!("{run}/heartbeat"), &twice, "").await.gist(), "401 unauthorized");
    let lower = token.replace("Bearer", "bearer");
    let answer = app.send("POST", &format!("{run}/heartbeat"), &[("authorization", &lower)], "").await;
    assert_eq!(answer.status, 200, "schemes are read in any case");
    let known = app.callbacks.token(nobody[13..].parse().unwrap(), 1);
    let known = format!("Bearer {}", known.reveal());
    let answer = app.send("POST", &format!("{nobody}/heartbeat"), &[("authorization", &known)], "").await;
    assert_eq!(answer.gist(), "404 not_found");
}

#[tokio::test]
async fn what_is_wrong_is_pointed_at() {
    let app = TestApp::new();
    let (run, token) = taken(&app).await;
    let headers = [JSON, ("authorization", token.as_str())];
    let long = "x".repeat(5_000);
    for (what, body, gist) in [
        ("heartbeat", json!({"progress": 101}), "422 invalid_request [/progress out_of_range]"),
        ("heartbeat", json!({"progress": -1}), "422 invalid_request [/progress invalid_value]"),
        ("heartbeat", json!({"progress": "4"}), "422 invalid_request [/progress invalid_type]"),
        ("heartbeat", json!({"message": long}), "422 invalid_request [/message too_long]"),
        ("heartbeat", json!({"percent": 1}), "422 invalid_request [/percent unknown_field]"),
        ("log", json!({}), "422 invalid_request [/text missing_field]"),
        ("log", json!({"text": 1}), "422 invalid_request [/text invalid_type]"),
        ("log", json!({"text": "x", "level": "fatal"}), "422 invalid_request [/level invalid_value]"),
        ("complete", json!({}), "422 invalid_request [/status missing_field]"),
        ("complete", json!({"status": "cancelled"}), "422 invalid_request [/status invalid_value]"),
        ("complete", json!({"status": "failed", "error": long}), "422 invalid_request [/error too_long]"),
        (
            "complete",
            json!({"status": "succeeded", "error": "x"}),
            "422 invalid_request [/error invalid_value]",
        ),
        (
            "complete",
            json!({"status": "failed", "retryable": 1}),
            "422 invalid_request [/retryable invalid_type]",
        ),
        (
            "complete",
            json!({"status": "failed", "reason": ""}),
            "422 invalid_request [/reason unknown_field]",
        ),
    ] {
        let answer = app.send("POST", &format!("{run}/{what}"), &headers, body.to_string()).await;
        assert_eq!(answer.gist(), gist, "{what} {body:.60}");
    }
    for (field, value, gist) in [
        ("heartbeat", json!("4s"), "422 invalid_request [/target/heartbeat out_of_range]"),
        ("heartbeat", json!("2d"), "422 invalid_request [/target/heartbeat out_of_range]"),
        (
            "callback",
            json!(false),
            "422 invalid_request [/target/heartbeat invalid_value] [/timeout out_of_range]",
        ),
        ("callback", json!("yes"), "422 invalid_request [/target/callback invalid_type]"),
    ] {
        let patch = json!({"target": {field: value}});
        let answer = app.json("PATCH", "/api/v1/jobs/import", &patch).await;
        assert_eq!(answer.gist(), gist, "{patch}");
    }
    let deadline = app.json("PATCH", "/api/v1/jobs/import", &json!({"deadline": "0s"})).await;
    assert_eq!(deadline.gist(), "422 invalid_request [/deadline out_of_range]");
}
