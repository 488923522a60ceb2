//! What the service does when its surroundings fail: the database stops, a row is corrupt, targets misbehave.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::cluster::{Cluster, connect, fresh_database};
use super::quickstart::instant;
use super::service::{Options, Service, sqlite_in};

fn every_second(name: &str, target: &Value) -> Value {
    json!({"name": name, "schedule": {"type": "interval", "every": "1s"}, "target": target, "timeout": "2s"})
}

/// Bug class 16: the scheduler must not be dead but "healthy" after the database was away, nor lose what was due.
#[tokio::test]
async fn class_16_a_stopped_database_turns_readiness_off_and_loses_nothing() {
    const OUTAGE: Duration = Duration::from_secs(15);
    let Some(cluster) = Cluster::start() else { return };
    let (database, directory) = (cluster.url(), tempfile::tempdir().unwrap());
    let service =
        Service::start(Options { database: &database, directory: directory.path(), environment: &[] }).await;
    service.post("/api/v1/jobs", &every_second("steady", &json!({"type": "noop"}))).await;
    service.runs_of("steady", 2, |run| run["status"] == "succeeded").await;

    cluster.down();
    let stopped = Instant::now();
    while service.status("/readyz").await != 503 {
        assert!(stopped.elapsed() < Duration::from_secs(10), "readiness never turned 503");
    }
    while stopped.elapsed() < OUTAGE {
        assert_eq!(service.status("/healthz").await, 200);
        let (status, problem) = service.call(Method::GET, "/api/v1/jobs/steady", None).await;
        assert_eq!(status.as_u16(), 503, "{problem}");
        assert_eq!(problem["code"], "unavailable", "{problem}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    cluster.up();
    let back = Instant::now();
    while service.status("/readyz").await != 200 {
        assert!(back.elapsed() < Duration::from_secs(10), "readiness never came back:\n{}", service.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut runs = service.runs_of("steady", 6, |run| run["finished_at"].is_string()).await;
    runs.reverse();
    let mut expected = instant(&runs[0]["scheduled_for"]);
    for run in &runs {
        assert_eq!(instant(&run["scheduled_for"]), expected, "every occurrence is accounted for: {runs:#?}");
        let count = i32::try_from(run["count"].as_u64().unwrap()).unwrap();
        expected += TimeDelta::seconds(1) * count;
    }
    assert!(runs.iter().any(|run| run["status"] == "missed" && run["reason"] == "downtime"), "{runs:#?}");
}

/// A database that hangs with its connections open (a partition, a failover) must not keep the process from ending.
#[tokio::test]
async fn a_silent_database_does_not_keep_the_service_from_stopping() {
    let Some(cluster) = Cluster::start() else { return };
    let (database, directory) = (cluster.url(), tempfile::tempdir().unwrap());
    let environment = [("SCHEDULER_SHUTDOWN_GRACE", "1s")];
    let options = Options { database: &database, directory: directory.path(), environment: &environment };
    let mut service = Service::start(options).await;
    service.post("/api/v1/jobs", &every_second("steady", &json!({"type": "noop"}))).await;
    service.runs_of("steady", 1, |run| run["status"] == "succeeded").await;
    cluster.freeze(true);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (took, _) = service.terminate();
    assert!(took < Duration::from_secs(20), "it took {took:?}:\n{}", service.log());
}

/// Bug class 14: one bad row must not stop the others.
#[tokio::test]
async fn class_14_a_corrupt_row_becomes_invalid_and_all_others_go_on() {
    let Some(database) = fresh_database("corrupt").await else { return };
    let directory = tempfile::tempdir().unwrap();
    let service =
        Service::start(Options { database: &database, directory: directory.path(), environment: &[] }).await;
    let noop = json!({"type": "noop"});
    service.post("/api/v1/jobs", &every_second("sound", &noop)).await;
    let corrupt = service.post("/api/v1/jobs", &every_second("corrupt", &noop)).await;
    let pool = connect(&database).await;
    // A version the process has not seen, so that no cache hides the damage.
    sqlx::query(
        "update jobs set document = '{\"v\": 1, \"draft\": {\"nonsense\": true}}' where name = 'corrupt'",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query(
        "update job_state set version = 2 where job_id = (select id from jobs where name = 'corrupt')",
    )
    .execute(&pool)
    .await
    .unwrap();

    let before = service.get("/api/v1/jobs/sound/runs").await["data"].as_array().unwrap().len();
    service.runs_of("sound", before + 3, |run| run["status"] == "succeeded").await;
    let shown = service.get("/api/v1/jobs/corrupt").await;
    assert_eq!(shown["state"], "invalid", "{shown}");
    assert!(shown["error"].is_string(), "{shown}");
    assert_eq!(shown["id"], corrupt["id"]);
    assert_eq!(service.get("/api/v1/jobs").await["data"].as_array().unwrap().len(), 2);
    // It can be mended by replacing it.
    let mended = service.ok(Method::PUT, "/api/v1/jobs/corrupt", Some(&every_second("corrupt", &noop))).await;
    assert_eq!(mended["state"], "active");
    service.runs_of("corrupt", 1, |run| run["status"] == "succeeded").await;
}

/// Bug classes 17 and 20: targets that refuse, hang, flood or redirect cost themselves, nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_17_misbehaving_targets_leave_memory_and_punctuality_alone() {
    let _punctual = crate::MACHINE.read().await;
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let service =
        Service::start(Options { database: &database, directory: directory.path(), environment: &[] }).await;
    let flood = misbehave(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await;
        let block = vec![b'x'; 1 << 20];
        for _ in 0..1024 {
            if socket.write_all(&block).await.is_err() {
                break;
            }
        }
    })
    .await;
    let hang = misbehave(|socket| async move {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(socket);
    })
    .await;
    let redirect = misbehave(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let answer =
            b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n";
        let _ = socket.write_all(answer).await;
    })
    .await;

    let http = |port: u16| json!({"type": "http", "url": format!("http://127.0.0.1:{port}/")});
    service.post("/api/v1/jobs", &every_second("sound", &json!({"type": "noop"}))).await;
    service.post("/api/v1/jobs", &every_second("flood", &http(flood))).await;
    service.post("/api/v1/jobs", &every_second("hang", &http(hang))).await;
    service.post("/api/v1/jobs", &every_second("redirect", &http(redirect))).await;
    service.post("/api/v1/jobs", &every_second("refuse", &http(super::service::free_port()))).await;
    service
        .post("/api/v1/jobs", &every_second("private", &json!({"type": "http", "url": "http://10.0.0.1/"})))
        .await;
    let before = service.memory();

    let error = |run: &Value| run["attempts"][0]["error"]["code"].clone();
    let tried = |run: &Value| run["attempts"].as_array().is_some_and(|attempts| !attempts.is_empty());
    for (job, code) in [
        ("hang", "timeout"),
        ("redirect", "redirect"),
        ("refuse", "connect"),
        ("private", "target_forbidden"),
    ] {
        let runs = service.runs_of(job, 1, tried).await;
        assert_eq!(error(&runs[0]), code, "{job}: {:#}", runs[0]);
    }
    let flooded = service.runs_of("flood", 1, tried).await;
    let response = &flooded[0]["attempts"][0]["response"];
    assert_eq!(response["body_truncated"], true, "{:#}", flooded[0]);
    assert!(response["body"].as_str().unwrap().len() <= 64 * 1024);

    let sound = service.runs_of("sound", 8, |run| run["status"] == "succeeded").await;
    let worst = sound.iter().map(|run| run["lag_ms"].as_u64().unwrap()).max().unwrap();
    assert!(worst < 500, "other jobs stay punctual, but one was {worst} ms late");
    let grown = service.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "memory grew by {} MiB", grown >> 20);
}

/// A server on loopback that does as it is told with every connection.
async fn misbehave<F>(behaviour: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(behaviour(socket));
        }
    });
    port
}

/// Bug class 18: SIGTERM lets what is running finish, and hands back what does not, without costing it an attempt.
#[tokio::test]
async fn class_18_a_terminated_worker_finishes_or_hands_back_its_runs() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let environment = [("SCHEDULER_SHUTDOWN_GRACE", "1s")];
    let options = || Options { database: &database, directory: directory.path(), environment: &environment };
    let mut service = Service::start(options()).await;
    let hang = misbehave(|socket| async move {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(socket);
    })
    .await;
    let job = json!({
        "name": "long",
        "schedule": {"type": "date", "at": "2099-01-01T00:00:00Z"},
        "target": {"type": "http", "url": format!("http://127.0.0.1:{hang}/")},
        "retry": {"max_attempts": 1},
    });
    service.post("/api/v1/jobs", &job).await;
    service.ok(Method::POST, "/api/v1/jobs/long/run", None).await;
    service.runs_of("long", 1, |run| run["status"] == "running").await;
    let (took, clean) = service.terminate();
    assert!(clean && took < Duration::from_secs(8), "{took:?}\n{}", service.log());

    let service = Service::start(options()).await;
    let runs =
        service.runs_of("long", 1, |run| run["status"] == "running" && run["attempts"] != json!([])).await;
    assert_eq!(runs[0]["attempts"][0]["outcome"], "interrupted", "{:#}", runs[0]);
    // And a running run can be cancelled.
    let id = runs[0]["id"].as_str().unwrap();
    service.ok(Method::POST, &format!("/api/v1/runs/{id}/cancel"), None).await;
    service.runs_of("long", 1, |run| run["status"] == "cancelled").await;
}
