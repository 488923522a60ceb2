//! What every operation of the OpenAPI document promises, whatever it does.

use serde_json::{Map, Value};

use crate::testing::TestApp;

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

/// Every path of the document and its operations by method. Jobs are called `nightly`, runs by the id of `run`.
fn paths(run: &Value) -> Vec<(String, Map<String, Value>)> {
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    let run = run["id"].as_str().unwrap();
    let named = |(path, item): (&String, &Value)| {
        let path = path
            .replace("/jobs/{id}", "/jobs/nightly")
            .replace("/backfills/{id}", "/backfills/backfill_01kc0000000000000000000000")
            .replace("/keys/{id}", "/keys/key_01kc0000000000000000000000")
            .replace("{id}", run)
            .replace("{name}", "holidays");
        (path, item.as_object().unwrap().clone())
    };
    document["paths"].as_object().unwrap().iter().map(named).collect()
}

/// What opens the operations that take a run's token; the others do not look at it.
fn token(app: &TestApp, run: &Value) -> String {
    let id = run["id"].as_str().unwrap().parse().unwrap();
    format!("Bearer {}", app.callbacks.token(id, 0).reveal())
}

#[tokio::test]
async fn undeclared_methods_are_refused_with_those_allowed() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    for (path, operations) in paths(&run) {
        let declared: Vec<String> = operations.keys().map(|method| method.to_uppercase()).collect();
        for method in METHODS {
            let is_declared = declared.iter().any(|it| it == method || (it == "GET" && method == "HEAD"));
            if is_declared {
                continue;
            }
            let answer = app.send(method, &path, &[], "").await;
            assert_eq!(answer.status, 405, "{method} {path}");
            if method != "HEAD" {
                assert_eq!(answer.gist(), "405 method_not_allowed", "{method} {path}");
            }
            let allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
            for method in &declared {
                assert!(allowed.contains(&method.as_str()), "{path} takes {method}, Allow: {allowed:?}");
            }
        }
    }
}

#[tokio::test]
async fn garbage_is_refused_wherever_a_body_is_taken() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    let token = token(&app, &run);
    let (token, json) = (("authorization", token.as_str()), ("content-type", "application/json"));
    let deep = "[".repeat(100_000);
    let deep_field = format!("{{\"name\": {}", "{\"a\":".repeat(100_000));
    let long = format!("\"{}\"", "x".repeat(2 * 1024 * 1024));
    let bodies = ["{", "nul", "[1", "{}{}", "\u{0}", "{\"a\": 1e999}", &deep, &deep_field];
    for (path, operations) in paths(&run) {
        for (method, operation) in &operations {
            if operation.get("requestBody").is_none() {
                continue;
            }
            let method = method.to_uppercase();
            let at = format!("{method} {path}");
            let large = app.send(&method, &path, &[json, token], long.clone()).await;
            assert_eq!(large.gist(), "413 content_too_large", "{at}");
            let zipped = [json, token, ("content-encoding", "gzip")];
            let zipped = app.send(&method, &path, &zipped, "{}").await;
            assert_eq!(zipped.gist(), "415 unsupported_media_type", "{at}");
            if path == "/echo" {
                continue;
            }
            for body in bodies {
                let answer = app.send(&method, &path, &[json, token], body.to_owned()).await;
                assert_eq!(answer.gist(), "400 malformed_json", "{at} {body:.20}");
            }
            let answer = app.send(&method, &path, &[("content-type", "text/plain"), token], "{}").await;
            assert_eq!(answer.gist(), "415 unsupported_media_type", "{at}");
            for body in ["[]", "0", "\"x\"", "null", "{\"surprise\": 1}"] {
                let answer = app.send(&method, &path, &[json, token], body).await;
                let gist = answer.gist();
                assert!(gist.starts_with("422 invalid_request ["), "{at} {body} {gist}");
            }
        }
    }
}

#[tokio::test]
async fn documented_query_parameters_are_known_and_others_are_not() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    for (path, operations) in paths(&run) {
        let Some(get) = operations.get("get").filter(|_| path.starts_with("/api/v1")) else { continue };
        let names = get["parameters"].as_array().into_iter().flatten();
        let names: Vec<&str> =
            names.filter(|it| it["in"] == "query").map(|it| it["name"].as_str().unwrap()).collect();
        for name in &names {
            let answer = app.get(&format!("{path}?{name}=%00")).await;
            assert_eq!(answer.gist(), format!("422 invalid_query [{name} invalid_value]"), "{path}");
        }
        if !names.is_empty() {
            let answer = app.get(&format!("{path}?surprise=1")).await;
            assert_eq!(answer.gist(), "422 invalid_query [surprise unknown_parameter]", "{path}");
        }
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503_and_a_broken_one_a_500() {
    let app = TestApp::new();
    app.create("nightly").await;
    let run = app.run("nightly").await;
    let token = token(&app, &run);
    app.store.fail_by(|_, _| testkit::Fault::Before);
    let body = crate::testing::draft("weekly").to_string();
    for (path, operations) in paths(&run) {
        if !path.starts_with("/api/v1") || path.contains("/schedules/") || path.ends_with("/session") {
            continue;
        }
        for method in operations.keys() {
            let method = method.to_uppercase();
            let headers = [("content-type", "application/json"), ("authorization", token.as_str())];
            let body = match method.as_str() {
                "POST" if path.ends_with("/backfill") => {
                    r#"{"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}"#.to_owned()
                }
                "POST" if path.ends_with("/bulk") => {
                    let action = if path.contains("/jobs/") { "pause" } else { "cancel" };
                    format!("{{\"action\": \"{action}\", \"filter\": {{}}}}")
                }
                "POST" if path.ends_with("/complete") => r#"{"status": "succeeded"}"#.to_owned(),
                "POST" if path.ends_with("/log") => r#"{"text": "x"}"#.to_owned(),
                "POST" if path.ends_with("/keys") => r#"{"name": "x", "role": "admin"}"#.to_owned(),
                "POST" if path.ends_with("/projects") => r#"{"name": "x"}"#.to_owned(),
                "POST" if path != "/api/v1/jobs" => String::new(),
                "PUT" if path.contains("/calendars/") => "{}".to_owned(),
                _ => body.clone(),
            };
            let answer = app.send(&method, &path, &headers, body).await;
            assert_eq!(answer.gist(), "503 unavailable", "{method} {path}");
            assert_eq!(answer.header("retry-after"), "1");
        }
    }
}
