//! Work that goes on after its call, and its log: over replicas, kills and restarts.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::cluster::fresh_database;
use super::service::{Options, Service, client, free_port, sqlite_in};

/// A target that takes all work at once and tells with which token and address.
async fn worker() -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/import", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel(100);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let (mut head, mut chunk) = (Vec::new(), [0; 4096]);
                while !head.windows(4).any(|it| it == b"\r\n\r\n") {
                    let read = stream.read(&mut chunk).await.unwrap();
                    head.extend_from_slice(&chunk[..read]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let header = |name: &str| {
                    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                    lines.find(|(it, _)| it.eq_ignore_ascii_case(name)).unwrap().1.to_owned()
                };
                let both = (header("x-scheduler-token"), header("x-scheduler-callback-url"));
                let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).await.unwrap();
                tell.send(both).await.unwrap();
            });
        }
    });
    (url, told)
}

async fn report(service: &Service, run: &str, token: &str, what: &str, body: &Value) -> (u16, Value) {
    let url = service.url(&format!("/api/v1/runs/{run}/{what}"));
    let answer = client().post(url).bearer_auth(token).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

/// Reads a stream until it holds `text`.
async fn until(stream: &mut Response, seen: &mut String, text: &str) {
    while !seen.contains(text) {
        let chunk = tokio::time::timeout(Duration::from_secs(15), stream.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("no {text} in {seen}")).unwrap();
        seen.push_str(&String::from_utf8_lossy(&chunk.unwrap_or_else(|| panic!("it ended: {seen}"))));
    }
}

/// The replica that called is killed, reports go to another, and somebody follows the log on a third connection.
#[tokio::test]
async fn work_outlives_the_process_that_began_it() {
    let Some(database) = fresh_database("callbacks").await else { return };
    let directory = tempfile::tempdir().unwrap();
    let public = [("SCHEDULER_PUBLIC_URL", "https://scheduler.example.com/"), ("SCHEDULER_LEASE", "3s")];
    let start = async || {
        let options = Options { database: &database, directory: directory.path(), environment: &public };
        Service::start(options).await
    };
    let (url, mut told) = worker().await;
    let mut first = start().await;
    let job = json!({
        "name": "import",
        "schedule": {"type": "interval", "every": "1d"},
        "target": {"type": "http", "url": url, "callback": true, "heartbeat": "1h"},
        "timeout": "7d",
        "retry": {"max_attempts": 1},
    });
    first.post("/api/v1/jobs", &job).await;
    let run = first.post("/api/v1/jobs/import/run", &json!({})).await;
    let run = run["id"].as_str().unwrap();
    let (token, callback) = told.recv().await.unwrap();
    assert_eq!(callback, format!("https://scheduler.example.com/api/v1/runs/{run}"));
    first.runs_of("import", 1, |run| !run["callback"].is_null()).await;
    first.kill();

    let (second, third) = (start().await, start().await);
    // Longer than the lease of the dead one.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let path = second.url(&format!("/api/v1/runs/{run}/log"));
    let request = client().get(path).header("accept", "text/event-stream");
    let (mut stream, mut seen) = (request.send().await.unwrap(), String::new());
    let (status, beat) =
        report(&third, run, &token, "heartbeat", &json!({"progress": 40, "message": "page 4"})).await;
    assert_eq!((status, &beat["cancel_requested"]), (200, &json!(false)));
    let shown = second.get(&format!("/api/v1/runs/{run}")).await;
    assert_eq!((&shown["status"], &shown["callback"]["progress"]), (&json!("running"), &json!(40)));
    assert_eq!(report(&third, run, &token, "log", &json!({"text": "page 5"})).await.0, 204);
    until(&mut stream, &mut seen, "page 5").await;
    let done = json!({"status": "succeeded", "output": {"pages": 10}});
    assert_eq!(report(&third, run, &token, "complete", &done).await.0, 202);
    until(&mut stream, &mut seen, "event: end").await;
    let ended = second.runs_of("import", 1, |run| run["status"] == "succeeded").await.remove(0);
    assert_eq!(ended["attempts"][0]["details"]["output"], "{\"pages\":10}");
    assert_eq!(report(&second, run, &token, "complete", &done).await.0, 202, "and again");
    assert_eq!(report(&second, run, &token, "heartbeat", &json!({})).await.0, 403);
    for shown in [&ended, &second.get("/api/v1/runs").await] {
        assert!(!shown.to_string().contains(&token), "{shown:#}");
    }
    assert!(!second.log().contains(&token) && !third.log().contains(&token));
}

/// On one machine: a command's log is followed while it runs, and a restart keeps tokens good.
#[tokio::test]
async fn logs_are_followed_and_tokens_outlive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let environment = [("SCHEDULER_ENABLE_COMMAND", "true"), ("SCHEDULER_PUBLIC_URL", "http://localhost")];
    let options = || Options { database: &database, directory: directory.path(), environment: &environment };
    let mut service = Service::start_on(free_port(), options()).await;
    let script = "echo begun; while [ ! -e go ]; do sleep 0.05; done; echo oops >&2; printf done";
    let target = json!({"type": "command", "argv": ["sh", "-c", script], "working_dir": directory.path()});
    let schedule = json!({"type": "interval", "every": "1d"});
    let job = json!({"name": "build", "schedule": schedule, "target": target});
    service.post("/api/v1/jobs", &job).await;
    let run = service.post("/api/v1/jobs/build/run", &json!({})).await;
    let path = service.url(&format!("/api/v1/runs/{}/log", run["id"].as_str().unwrap()));
    let request = client().get(&path).header("accept", "text/event-stream");
    let (mut stream, mut seen) = (request.send().await.unwrap(), String::new());
    until(&mut stream, &mut seen, "begun").await;
    std::fs::write(directory.path().join("go"), "").unwrap();
    until(&mut stream, &mut seen, "{\"status\":\"succeeded\"}").await;
    for expected in ["\"stream\":\"stdout\"", "\"stream\":\"stderr\"", "oops", "\"text\":\"done\""] {
        assert!(seen.contains(expected), "{expected}: {seen}");
    }

    let (url, mut told) = worker().await;
    let target = json!({"type": "http", "url": url, "callback": true});
    let job = json!({"name": "import", "schedule": schedule, "target": target, "timeout": "1h"});
    service.post("/api/v1/jobs", &job).await;
    service.post("/api/v1/jobs/import/run", &json!({})).await;
    let (token, _) = told.recv().await.unwrap();
    let run = service.runs_of("import", 1, |run| !run["callback"].is_null()).await.remove(0);
    let run = run["id"].as_str().unwrap();
    // A reader is no reason to stay.
    let request = client().get(service.url(&format!("/api/v1/runs/{run}/log")));
    let _silent = request.header("accept", "text/event-stream").send().await.unwrap();
    let (took, clean) = service.terminate();
    assert!(clean && took < Duration::from_secs(4), "{took:?}\n{}", service.log());
    let service = Service::start_on(free_port(), options()).await;
    let failed = json!({"status": "failed", "error": "the disk is full", "retryable": false});
    assert_eq!(report(&service, run, &token, "complete", &failed).await.0, 202);
    let ended = service.runs_of("import", 1, |run| run["status"] == "failed").await.remove(0);
    assert_eq!(ended["attempts"][0]["error"]["message"], "the disk is full");
    service.call(Method::DELETE, "/api/v1/jobs/import", None).await;
}
