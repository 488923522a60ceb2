//! The service beyond loopback: closed, with a key; not at all without one.

use std::process::Command;

use reqwest::Method;
use serde_json::json;

use super::service::{Options, Service, client, free_port, sqlite_in};

const ADMIN_KEY: &str = "k3y-0123456789abcdef0123456789abcdef";
const SECRET_KEY: &str = "s3cret-0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn beyond_loopback_it_is_closed_and_a_key_opens_it() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let port = free_port();
    let listen = format!("0.0.0.0:{port}");
    let key_file = directory.path().join("admin-key");
    std::fs::write(&key_file, format!("{ADMIN_KEY}\n")).unwrap();
    let environment = [
        ("SCHEDULER_LISTEN", listen.as_str()),
        ("SCHEDULER_ADMIN_KEY_FILE", key_file.to_str().unwrap()),
        ("SECRET_KEY", SECRET_KEY),
    ];
    let options = Options { database: &database, directory: directory.path(), environment: &environment };
    let service = Service::start_on(port, options).await;

    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/version", 200), ("/openapi.json", 200)] {
        assert_eq!(service.status(path).await, status, "{path}");
    }
    for path in ["/api/v1/jobs", "/api/v1/runs", "/metrics"] {
        assert_eq!(service.status(path).await, 401, "{path}");
    }
    let job =
        json!({"name": "a", "schedule": {"type": "interval", "every": "1h"}, "target": {"type": "noop"}});
    let (status, problem) = service.call(Method::POST, "/api/v1/jobs", Some(&job)).await;
    assert_eq!((status.as_u16(), &problem["code"]), (401, &json!("unauthorized")));
    let url = service.url("/api/v1/jobs");
    let created = client().post(url).bearer_auth(ADMIN_KEY).json(&job).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let metrics = client().get(service.url("/metrics")).bearer_auth(ADMIN_KEY).send().await.unwrap();
    assert!(metrics.text().await.unwrap().contains("scheduler_requests_refused_total"));

    let healthcheck = Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .current_dir(directory.path())
        .env("SCHEDULER_LISTEN", &listen)
        .arg("healthcheck")
        .output()
        .unwrap();
    assert!(healthcheck.status.success(), "it takes no key: {healthcheck:?}");
    assert!(!service.log().contains(ADMIN_KEY) && !service.log().contains("open:"), "{}", service.log());
}

#[tokio::test]
async fn on_loopback_without_a_key_it_is_open_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let options = Options { database: &database, directory: directory.path(), environment: &[] };
    let service = Service::start(options).await;
    assert_eq!(service.status("/api/v1/jobs").await, 200);
    assert!(service.log().contains("may do everything"), "{}", service.log());
}
