//! What happens, told through every replica: soon, in order, and whole, whoever is killed meanwhile.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::{Value, json};

use super::cluster::fresh_database;
use super::service::{Options, Service, client, sqlite_in};

/// A client of a stream.
struct Client {
    frames: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    text: String,
    /// The last id seen.
    id: String,
}

impl Client {
    /// Follows `service` from where `id` says, and waits until it does.
    async fn of(service: &Service, query: &str, id: &str) -> Self {
        let mut request = client().get(service.url(&format!("/api/v1/events{query}")));
        if !id.is_empty() {
            request = request.header("last-event-id", id);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let frames = answer.bytes_stream().map(|frame| frame.map(|frame| frame.to_vec())).boxed();
        let mut client = Self { frames, text: String::new(), id: id.to_owned() };
        if id.is_empty() {
            assert_eq!(client.next().await, Some(("begins".to_owned(), Value::Null)));
        }
        client
    }

    /// The next event's type and data; `None` where the stream ends.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let id = field("id:").unwrap_or(&self.id).to_owned();
                let kind = if field("retry:").is_some() { Some("begins") } else { field("event:") };
                let told = kind.map(|kind| {
                    (kind.to_owned(), field("data:").map_or(Value::Null, |data| data.parse().unwrap()))
                });
                let rest = rest.to_owned();
                (self.id, self.text) = (id, rest);
                match told {
                    Some(told) => return Some(told),
                    None => continue,
                }
            }
            let frame = self.frames.next().await?.ok()?;
            self.text.push_str(&String::from_utf8(frame).unwrap());
        }
    }

    /// The next event, which must come soon.
    async fn soon(&mut self) -> (String, Value) {
        let next = tokio::time::timeout(Duration::from_secs(20), self.next()).await;
        next.expect("something is told").expect("the stream goes on")
    }
}

fn job(name: &str, schedule: &Value) -> Value {
    json!({"name": name, "schedule": schedule, "target": {"type": "noop"}})
}

async fn replica(database: &str, directory: &Path, role: &str) -> Service {
    let environment = [("SCHEDULER_ROLE", role), ("SCHEDULER_LOG", "warn"), ("SCHEDULER_LEASE", "3s")];
    Service::start(Options { database, directory, environment: &environment }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_through_one_replica_is_told_by_the_other_within_a_second() {
    let Some(database) = fresh_database("events").await else { return };
    let _shared = crate::MACHINE.read().await;
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (
        replica(&database, directory.path(), "api").await,
        replica(&database, directory.path(), "api").await,
    );
    let mut client = Client::of(&other, "?types=job.*", "").await;
    let mut waits = Vec::new();
    for index in 0..8 {
        let body = job(&format!("job-{index}"), &json!({"type": "interval", "every": "1h"}));
        let created = one.post("/api/v1/jobs", &body).await;
        let began = Instant::now();
        let (kind, told) = client.soon().await;
        waits.push(began.elapsed());
        assert_eq!(kind, "job.created");
        assert_eq!(told, json!({"type": "job.created", "job_id": created["id"], "state": "active"}));
        // Not in step with the reader's looks.
        tokio::time::sleep(Duration::from_millis(170 * index)).await;
    }
    println!("waits: {waits:?}");
    waits.sort();
    // Other tests have transactions open on the same server for moments.
    assert!(waits[waits.len() / 2] < Duration::from_millis(1_500), "{waits:?}");
}

/// A worker fires jobs every second, and is killed now and then; a client goes from one replica to the other and back,
/// cut off in the midst, or by their deaths. In the end it has heard of the end of every run, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cut_off_again_and_again_hears_of_everything_once() {
    const JOBS: usize = 20;
    let Some(database) = fresh_database("events_kills").await else { return };
    let _shared = crate::MACHINE.read().await;
    let directory = tempfile::tempdir().unwrap();
    let mut one = replica(&database, directory.path(), "all").await;
    let mut other = replica(&database, directory.path(), "all").await;
    let mut client = Client::of(&one, "", "").await;
    for index in 0..JOBS {
        let anchor = format!("2026-01-01T00:00:00.{:03}Z", index * 37);
        let schedule = json!({"type": "interval", "every": "1s", "anchor": anchor});
        one.post("/api/v1/jobs", &job(&format!("job-{index}"), &schedule)).await;
    }
    let mut told: Vec<(String, Value)> = Vec::new();
    let began = Instant::now();
    let mut round = 0;
    while began.elapsed() < Duration::from_secs(20) {
        round += 1;
        let until = Instant::now() + Duration::from_millis(400 + 130 * (round % 5));
        while let Ok(Some(next)) = tokio::time::timeout(Duration::from_millis(300), client.next()).await {
            told.push(next);
            if until < Instant::now() {
                break;
            }
        }
        if round % 8 == 3 {
            one.kill();
            one = replica(&database, directory.path(), "all").await;
        }
        if round % 8 == 7 {
            other.kill();
            other = replica(&database, directory.path(), "all").await;
        }
        // A frame that was begun is lost with its connection.
        client = Client::of(if round % 2 == 0 { &one } else { &other }, "", &client.id).await;
    }
    let listed = one.get("/api/v1/jobs?limit=200").await;
    for listed in listed["data"].as_array().unwrap() {
        one.post(&format!("/api/v1/jobs/{}/pause", listed["id"].as_str().unwrap()), &json!({})).await;
    }
    // Leases of the killed run out, and their runs are done.
    let mark = one.post("/api/v1/jobs", &job("mark", &json!({"type": "interval", "every": "1h"}))).await;
    let finished = |told: &[(String, Value)]| {
        let ended = told.iter().filter(|(kind, _)| kind == "run.finished");
        ended.map(|(_, data)| data["run_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut all = BTreeSet::new();
    let patience = Instant::now() + Duration::from_secs(40);
    loop {
        while let Ok(Some(next)) = tokio::time::timeout(Duration::from_secs(2), client.next()).await {
            told.push(next);
        }
        let unfinished = one.get("/api/v1/runs?status=pending,running&limit=1").await;
        if unfinished["data"].as_array().unwrap().is_empty() {
            break;
        }
        assert!(Instant::now() < patience, "some run does not end");
    }
    while let Ok(Some(next)) = tokio::time::timeout(Duration::from_secs(2), client.next()).await {
        told.push(next);
    }
    let mut cursor = String::new();
    loop {
        let page = one.get(&format!("/api/v1/runs?limit=200{cursor}")).await;
        all.extend(page["data"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(told.iter().all(|(kind, _)| kind != "reset"), "nothing is old enough to be gone");
    assert!(told.iter().any(|(_, data)| data["job_id"] == mark["id"]));
    let ended = finished(&told);
    let distinct: BTreeSet<_> = ended.iter().cloned().collect();
    println!("{} events of {} runs over {round} connections", told.len(), all.len());
    assert_eq!(ended.len(), distinct.len(), "no end was told twice");
    assert_eq!(distinct, all, "every run's end was told");
    assert!(all.len() > 5 * JOBS);
}

/// A stream keeps no process from ending.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_their_process() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let mut service = replica(&database, directory.path(), "all").await;
    let mut client = Client::of(&service, "", "").await;
    service.post("/api/v1/jobs", &job("report", &json!({"type": "interval", "every": "1h"}))).await;
    assert_eq!(client.soon().await.0, "job.created");
    let (took, clean) = service.terminate();
    assert!(clean && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(client.next().await, None);
    // And they go on after it.
    let service = replica(&database, directory.path(), "all").await;
    let mut client = Client::of(&service, "?types=job.*", &client.id).await;
    service.call(reqwest::Method::DELETE, "/api/v1/jobs/report", None).await;
    assert_eq!(client.soon().await.0, "job.deleted");
}
