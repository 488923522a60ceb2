//! Restarts, pauses and deletions leave the grid of occurrences alone.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::cluster::fresh_database;
use super::quickstart::instant;
use super::service::{Options, Service, free_port, sqlite_in, wall_clock};

/// Bug class 13: an interval must not be counted from the last start of the process.
#[tokio::test]
async fn class_13_restarting_every_second_does_not_move_the_grid() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let options = || Options { database: &database, directory: directory.path(), environment: &[] };
    let port = free_port();
    let mut service = Service::start_on(port, options()).await;
    let job = json!({
        "name": "grid",
        "schedule": {"type": "interval", "every": "3s", "anchor": "2026-01-01T00:00:00.250Z"},
        "target": {"type": "noop"},
    });
    service.post("/api/v1/jobs", &job).await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (_, clean) = service.terminate();
        assert!(clean, "{}", service.log());
        service = Service::start_on(port, options()).await;
    }
    let mut runs = service.runs_of("grid", 2, |run| run["status"] == "succeeded").await;
    runs.reverse();
    let times: Vec<i64> = runs.iter().map(|run| instant(&run["scheduled_for"]).timestamp_millis()).collect();
    assert!(times.iter().all(|at| at.rem_euclid(3_000) == 250), "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 3_000), "no occurrence is missing: {times:?}");
}

/// Bug class 19: what is deleted on one replica does not fire on another.
#[tokio::test]
async fn class_19_a_job_created_on_one_replica_and_deleted_on_another_never_fires_again() {
    let Some(database) = fresh_database("deleted").await else { return };
    let directory = tempfile::tempdir().unwrap();
    let options = || Options { database: &database, directory: directory.path(), environment: &[] };
    let (a, b) = (Service::start(options()).await, Service::start(options()).await);
    let job = json!({
        "name": "short-lived",
        "schedule": {"type": "interval", "every": "1s"},
        "target": {"type": "noop"},
    });
    let id = a.post("/api/v1/jobs", &job).await["id"].as_str().unwrap().to_owned();
    b.runs_of("short-lived", 2, |run| run["status"] == "succeeded").await;
    b.ok(Method::DELETE, "/api/v1/jobs/short-lived", None).await;
    let deleted_at = wall_clock();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(a.status("/api/v1/jobs/short-lived").await, 404);
    let runs = a.get("/api/v1/runs?limit=200").await;
    for run in runs["data"].as_array().unwrap() {
        assert_eq!(run["job_id"], id.as_str());
        assert!(instant(&run["scheduled_for"]) <= deleted_at, "fired after its deletion: {run:#}");
    }
}

/// Bug class 8: resuming does not fire the past, also after an edit in between.
#[tokio::test]
async fn class_8_pausing_then_editing_then_resuming_fires_nothing_for_the_past() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let service =
        Service::start(Options { database: &database, directory: directory.path(), environment: &[] }).await;
    let job = json!({
        "name": "paused",
        "schedule": {"type": "interval", "every": "1s"},
        "target": {"type": "noop"},
    });
    service.post("/api/v1/jobs", &job).await;
    service.runs_of("paused", 1, |run| run["status"] == "succeeded").await;
    let paused = service.post("/api/v1/jobs/paused/pause", &json!({"reason": "maintenance"})).await;
    assert_eq!(paused["state"], "paused");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let patch = json!({"schedule": {"every": "2s"}, "description": "edited"});
    service.ok(Method::PATCH, "/api/v1/jobs/paused", Some(&patch)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let resumed = service.ok(Method::POST, "/api/v1/jobs/paused/resume", None).await;
    let resumed_at = instant(&resumed["updated_at"]);
    assert!(instant(&resumed["next_fire_at"]) > resumed_at);

    let runs = service.runs_of("paused", 2, |run| run["status"] == "succeeded").await;
    let paused_at = instant(&paused["updated_at"]);
    for run in &runs {
        let at = instant(&run["scheduled_for"]);
        assert!(at <= paused_at || resumed_at < at, "fired for the past: {run:#}");
    }
    let missed = service.runs_of("paused", 2, |run| run["status"] == "missed").await;
    assert!(missed.iter().all(|run| run["reason"] == "paused"), "{missed:#?}");
    let counted: u64 = missed.iter().map(|run| run["count"].as_u64().unwrap()).sum();
    assert!((3..=6).contains(&counted), "one second each before the edit, two after it: {missed:#?}");
}
