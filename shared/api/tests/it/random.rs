//! Whatever is sent, the service answers, and never with a 5xx.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::testing::{TestApp, draft};

/// Any JSON, with a liking for the words the API knows.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(prop_oneof![word(), "\\PC{0,8}"], inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn word() -> impl Strategy<Value = String> {
    let words = "name description labels schedule target retry timeout misfire overlap start_at end_at type interval cron \
        date every anchor timezone expression dialect gap fold at http log noop method url headers body success message \
        max_attempts initial factor max jitter policy tolerance window from count reason 5m 0s 1d -1s UTC Europe/Paris \
        2026-12-01T09:00:00Z 2026-12-01T09:00 -262143-01-01T00:00:00Z +262142-12-31T23:59:59Z latest all skip allow_all \
        unix quartz aws @daily @reboot 2xx POST https://example.com/";
    prop::sample::select(words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

/// A sound job with some of its fields, at any depth, replaced by anything.
fn almost_a_job() -> impl Strategy<Value = Value> {
    let schedule = prop_oneof![
        Just(json!({"type": "interval", "every": "5m", "anchor": "2026-01-01T00:00:00Z"})),
        Just(json!({"type": "cron", "expression": "0 2 * * 1-5", "timezone": "Europe/Paris"})),
        "[0-9*/,LW#?-]{1,5}( [0-9*/,LW#?-]{1,5}){4,6}"
            .prop_map(|text| json!({"type": "cron", "expression": text})),
        Just(json!({"type": "date", "at": "2026-12-01T09:00:00", "timezone": "Asia/Kolkata"})),
    ];
    let places = prop::sample::select(vec![
        "/name",
        "/labels",
        "/schedule",
        "/schedule/every",
        "/schedule/anchor",
        "/schedule/at",
        "/schedule/expression",
        "/schedule/timezone",
        "/target",
        "/target/url",
        "/target/headers",
        "/retry",
        "/misfire",
        "/timeout",
        "/overlap",
        "/start_at",
        "/end_at",
        "/max_runs",
    ]);
    (schedule, vec((places, any_json()), 0..3)).prop_map(|(schedule, changes)| {
        let mut job = draft("random");
        job["schedule"] = schedule;
        job["retry"] = json!({});
        job["misfire"] = json!({});
        for (place, value) in changes {
            let (parent, name) = place.rsplit_once('/').unwrap();
            if let Some(Value::Object(fields)) = job.pointer_mut(parent) {
                fields.insert(name.to_owned(), value);
            }
        }
        job
    })
}

fn requests() -> impl Strategy<Value = (&'static str, String)> {
    prop::sample::select(vec![
        ("POST", "/api/v1/jobs"),
        ("PUT", "/api/v1/jobs/nightly"),
        ("PATCH", "/api/v1/jobs/nightly"),
        ("POST", "/api/v1/jobs/nightly/run"),
        ("POST", "/api/v1/jobs/nightly/pause"),
        ("POST", "/api/v1/jobs/nightly/resume"),
        ("POST", "/api/v1/schedules/preview"),
        ("POST", "/echo"),
    ])
    .prop_map(|(method, path)| (method, path.to_owned()))
}

/// Sends one request to a fresh API with one job; whatever is refused must be a complete problem.
fn answered(method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = runtime.block_on(async {
        let app = TestApp::new();
        app.create("nightly").await;
        app.send(method, path, headers, body).await
    });
    prop_assert!(!answer.status.is_server_error(), "{} {} {:?}", method, path, answer);
    if answer.status.is_client_error() {
        answer.problem();
    }
    Ok(())
}

const JSON: (&str, &str) = ("content-type", "application/json");

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes((method, path) in requests(), body in vec(any::<u8>(), 0..200)) {
        answered(method, &path, &[JSON], body)?;
    }

    #[test]
    fn any_document((method, path) in requests(), body in any_json()) {
        answered(method, &path, &[JSON], body.to_string().into_bytes())?;
    }

    #[test]
    fn almost_any_job((method, path) in requests(), job in almost_a_job()) {
        let body = if path.ends_with("preview") { json!({"schedule": job["schedule"]}) } else { job };
        answered(method, &path, &[JSON], body.to_string().into_bytes())?;
    }

    #[test]
    fn any_query(
        list in prop::sample::select(vec!["jobs", "runs", "jobs/nightly/runs"]),
        name in prop::sample::select(vec!["limit", "cursor", "sort", "state", "status", "kind", "label", "q", "x"]),
        value in "[ -~]{0,40}|([A-Za-z0-9_-]{0,60})|(%[0-9a-f]{2}){0,10}",
    ) {
        let value: String = value.chars().filter(|char| !" \"<>\\^`{|}#".contains(*char)).collect();
        answered("GET", &format!("/api/v1/{list}?{name}={value}"), &[], Vec::new())?;
    }

    #[test]
    fn any_id(method in prop::sample::select(vec!["GET", "DELETE"]), id in "(%[0-9A-F]{2}|[A-Za-z0-9_.~-]){1,40}") {
        answered(method, &format!("/api/v1/jobs/{id}"), &[], Vec::new())?;
        answered("GET", &format!("/api/v1/runs/{id}"), &[], Vec::new())?;
    }

    #[test]
    fn any_header(
        name in prop::sample::select(vec!["if-match", "idempotency-key", "content-type", "content-encoding", "x-request-id"]),
        value in "[ -~]{0,40}",
    ) {
        let headers = [JSON, (name, value.trim())];
        answered("POST", "/api/v1/jobs/nightly/pause", &headers, b"{}".to_vec())?;
    }
}
