//! Bad input: the right 4xx, with a pointer to the field, and nothing half-written.

use serde_json::{Value, json};

use crate::testing::{TestApp, draft};

/// A sound job with one field, at a pointer, put in or replaced.
fn with(pointer: &str, value: Value) -> String {
    let mut job = draft("nightly");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    if job.pointer(parent).is_none() {
        job[&parent[1..]] = json!({});
    }
    job.pointer_mut(parent).unwrap()[name] = value;
    job.to_string()
}

fn interval(every: &Value) -> String {
    with("/schedule", json!({"type": "interval", "every": every}))
}

fn calendar_interval(every: &Value) -> String {
    with("/schedule", json!({"type": "calendar_interval", "every": every}))
}

fn cron(expression: &str) -> String {
    with("/schedule", json!({"type": "cron", "expression": expression}))
}

fn http(field: &str, value: Value) -> String {
    let mut target = json!({"type": "http", "url": "https://example.com/"});
    target[field] = value;
    with("/target", target)
}

#[tokio::test]
async fn every_mistake_is_pointed_at() {
    let app = TestApp::new();
    let long = "x".repeat(1_000_000);
    let cases: Vec<(String, &str)> = vec![
        // Shapes.
        (with("/name", json!(7)), "422 invalid_request [/name invalid_type]"),
        (with("/name", json!(null)), "422 invalid_request [/name invalid_type]"),
        (with("/nmae", json!("x")), "422 invalid_request [/nmae unknown_field]"),
        (with("/labels", json!({"team": 7})), "422 invalid_request [/labels/team invalid_type]"),
        (with("/retry/max_attempts", json!("3")), "422 invalid_request [/retry/max_attempts invalid_type]"),
        (with("/retry/max_attempts", json!(-1)), "422 invalid_request [/retry/max_attempts invalid_value]"),
        (with("/retry/max_attempts", json!(1e30)), "422 invalid_request [/retry/max_attempts invalid_type]"),
        (with("/retry/tries", json!(3)), "422 invalid_request [/retry/tries unknown_field]"),
        (with("/retry", json!([])), "422 invalid_request [/retry invalid_type]"),
        (with("/misfire/policy", json!("newest")), "422 invalid_request [/misfire/policy invalid_value]"),
        (with("/overlap", json!("never")), "422 invalid_request [/overlap invalid_value]"),
        (with("/schedule", json!("@daily")), "422 invalid_request [/schedule invalid_type]"),
        (with("/schedule", json!({})), "422 invalid_request [/schedule/type missing_field]"),
        (with("/schedule", json!({"type": "lunar"})), "422 invalid_request [/schedule/type invalid_value]"),
        (with("/schedule", json!({"type": 1})), "422 invalid_request [/schedule/type invalid_type]"),
        (with("/schedule/every", json!("5m")), "422 invalid_request [/schedule/every unknown_field]"),
        (interval(&json!(5)), "422 invalid_request [/schedule/every invalid_type]"),
        (interval(&json!({"minutes": 5})), "422 invalid_request [/schedule/every invalid_type]"),
        (
            calendar_interval(&json!({"months": 1, "days": 1})),
            "422 invalid_request [/schedule/every invalid_value]",
        ),
        (
            calendar_interval(&json!({"months": 0})),
            "422 invalid_request [/schedule/every/months out_of_range]",
        ),
        (calendar_interval(&json!([])), "422 invalid_request [/schedule/every invalid_type]"),
        (http("success", json!(["ok"])), "422 invalid_request [/target/success/0 invalid_value]"),
        (http("url", json!(["x"])), "422 invalid_request [/target/url invalid_type]"),
        (http("retries", json!(1)), "422 invalid_request [/target/retries unknown_field]"),
        (with("/concurrency", json!(0)), "422 invalid_request [/concurrency out_of_range]"),
        (with("/concurrency", json!(1_001)), "422 invalid_request [/concurrency out_of_range]"),
        (with("/max_runs", json!(0)), "422 invalid_request [/max_runs out_of_range]"),
        (with("/max_runs", json!(1_000_000_001)), "422 invalid_request [/max_runs out_of_range]"),
        (with("/max_runs", json!(-1)), "422 invalid_request [/max_runs invalid_value]"),
        (with("/max_runs", json!("3")), "422 invalid_request [/max_runs invalid_type]"),
        (with("/start_at", json!("tomorrow")), "422 invalid_request [/start_at invalid_value]"),
        // Times.
        (interval(&json!("0s")), "422 invalid_request [/schedule/every out_of_range]"),
        (interval(&json!("999ms")), "422 invalid_request [/schedule/every out_of_range]"),
        (interval(&json!("-5m")), "422 invalid_request [/schedule/every invalid_value]"),
        (interval(&json!("99999999999999999999d")), "422 invalid_request [/schedule/every invalid_value]"),
        (interval(&json!("106751991167d")), "422 invalid_request [/schedule/every out_of_range]"),
        (cron("0 0 30 2 *"), "422 invalid_request [/schedule/expression never_fires]"),
        (cron(""), "422 invalid_request [/schedule/expression"),
        (cron("0 0 1--100000000 * *"), "422 invalid_request [/schedule/expression"),
        (cron("rate(0 minutes)"), "422 invalid_request [/schedule/expression malformed]"),
        (cron("at(2101-01-01T00:00:00)"), "422 invalid_request [/schedule/expression out_of_range]"),
        (cron("99 * * * *"), "422 invalid_request [/schedule/expression out_of_range]"),
        (cron(&long), "422 invalid_request [/schedule/expression"),
        (
            with("/schedule/timezone", json!("Mars/Olympus")),
            "422 invalid_request [/schedule/timezone invalid_value]",
        ),
        (
            with("/schedule/timezone", json!("../../etc/passwd")),
            "422 invalid_request [/schedule/timezone invalid_value]",
        ),
        (
            with("/schedule", json!({"type": "date", "at": "2020-01-01T00:00:00Z"})),
            "422 invalid_request [/schedule/at in_the_past]",
        ),
        (
            with("/schedule", json!({"type": "date", "at": "2999-01-01T00:00:00Z"})),
            "422 invalid_request [/schedule/at out_of_range]",
        ),
        (with("/end_at", json!("2020-01-01T00:00:00Z")), "422 invalid_request [/schedule never_fires]"),
        (with("/timeout", json!("0s")), "422 invalid_request [/timeout out_of_range]"),
        // Values.
        (with("/name", json!("")), "422 invalid_request [/name too_short]"),
        (with("/name", json!(long)), "422 invalid_request [/name too_long]"),
        (with("/name", json!("a\nb")), "422 invalid_request [/name invalid_value]"),
        (with("/name", json!("job_01kc0000000000000000000000")), "422 invalid_request [/name invalid_value]"),
        (with("/name", json!("a\u{0}b")), "422 invalid_request [/name invalid_value]"),
        (http("body", json!({"deep": ["\u{0}"]})), "422 invalid_request [/target/body/deep/0 invalid_value]"),
        (http("url", json!("file:///etc/passwd")), "422 invalid_request [/target/url invalid_value]"),
        (
            http("url", json!("http://user:pass@example.com/")),
            "422 invalid_request [/target/url invalid_value]",
        ),
        (http("headers", json!({"Host": "x"})), "422 invalid_request [/target/headers/Host reserved]"),
        (http("headers", json!({"a": "b\r\nc: d"})), "422 invalid_request [/target/headers/a invalid_value]"),
        (http("method", json!("GET / HTTP/1.1")), "422 invalid_request [/target/method invalid_value]"),
    ];
    for (body, expected) in cases {
        let answer =
            app.send("POST", "/api/v1/jobs", &[("content-type", "application/json")], body.clone()).await;
        let gist = answer.gist();
        assert!(gist.starts_with(expected), "{body:.300}\n   is: {gist}\n want: {expected}");
        assert!(answer.body.len() < 4_096, "{body:.100}: a problem stays short");
    }
    assert_eq!(app.get("/api/v1/jobs").await.value()["data"], json!([]));
}

#[tokio::test]
async fn ambiguous_and_malformed_json_is_refused() {
    let app = TestApp::new();
    let schedule = r#""schedule": {"type": "interval", "every": "1s", "every": "1h"}"#;
    let cases = [
        (r#"{"name": "a", "name": "b"}"#.to_owned(), "422 invalid_request [/name duplicate_field]"),
        (
            format!(r#"{{"name": "a", "target": {{"type": "noop"}}, {schedule}}}"#),
            "422 invalid_request [/schedule/every duplicate_field]",
        ),
        ("[".repeat(100_000), "400 malformed_json"),
        (format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)), "400 malformed_json"),
        (r#"{"name": 1e999}"#.to_owned(), "400 malformed_json"),
        (r#"{"name": "a",}"#.to_owned(), "400 malformed_json"),
        (r#"{"name": "\ud800"}"#.to_owned(), "400 malformed_json"),
        ("{'name': 'a'}".to_owned(), "400 malformed_json"),
        (String::new(), "400 malformed_json"),
    ];
    for (body, gist) in cases {
        let answer =
            app.send("POST", "/api/v1/jobs", &[("content-type", "application/json")], body.clone()).await;
        assert_eq!(answer.gist(), gist, "{body:.100}");
    }
    let bytes = app
        .send("POST", "/api/v1/jobs", &[("content-type", "application/json")], vec![b'"', 0xff, b'"'])
        .await;
    assert_eq!(bytes.gist(), "400 malformed_json");
}

#[tokio::test]
async fn a_body_without_a_known_length_is_limited_too() {
    let app = TestApp::new();
    let chunks = (0..64).map(|_| Ok::<_, std::io::Error>("x".repeat(64 * 1024)));
    let body = axum::body::Body::from_stream(futures::stream::iter(chunks));
    let answer = app.send("POST", "/api/v1/jobs", &[("content-type", "application/json")], body).await;
    assert_eq!(answer.gist(), "413 content_too_large");
}

/// Instants at the edge of what the types can hold.
#[tokio::test]
async fn extreme_instants_are_answered() {
    let app = TestApp::new();
    let extremes = [
        "-262143-01-01T00:00:00Z",
        "+262142-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ];
    for at in extremes {
        let bodies = [
            with("/start_at", json!(at)),
            with("/end_at", json!(at)),
            with("/schedule", json!({"type": "interval", "every": "1s", "anchor": at})),
            with("/schedule", json!({"type": "date", "at": at})),
            with(
                "/schedule",
                json!({"type": "date", "at": at.trim_end_matches('Z'), "timezone": "Asia/Kolkata"}),
            ),
        ];
        for (index, body) in bodies.into_iter().enumerate() {
            let mut body: Value = serde_json::from_str(&body).unwrap();
            body["name"] = json!(format!("{at} {index}"));
            let answer = app.json("POST", "/api/v1/jobs", &body).await;
            assert!([201, 422].contains(&answer.status.as_u16()), "{body} {answer:?}");
            let preview = json!({"schedule": body["schedule"], "count": 1000});
            let answer = app.json("POST", "/api/v1/schedules/preview", &preview).await;
            assert!([200, 422].contains(&answer.status.as_u16()), "{body} {answer:?}");
        }
    }
}
