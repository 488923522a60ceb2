//! What a newcomer does first, on both databases.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::cluster::fresh_database;
use super::service::{Options, Service, sqlite_in};

/// A job every two seconds against the service's own `/echo`: runs exactly on the grid, each fully recorded.
async fn a_job_fires_on_its_grid(database: &str) {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(Options { database, directory: directory.path(), environment: &[] }).await;
    let job = service
        .post(
            "/api/v1/jobs",
            &json!({
                "name": "hello",
                "schedule": {"type": "interval", "every": "2s"},
                "target": {"type": "http", "url": service.url("/echo"), "body": {"run": "{{run.id}}"}},
            }),
        )
        .await;
    assert_eq!(job["state"], "active");
    let anchor = instant(&job["schedule"]["anchor"]);

    let mut runs = service.runs_of("hello", 3, |run| run["status"] == "succeeded").await;
    runs.reverse();
    for (index, run) in runs.iter().enumerate() {
        let scheduled_for = instant(&run["scheduled_for"]);
        let grid = anchor + chrono::TimeDelta::seconds(2) * i32::try_from(index + 1).unwrap();
        assert_eq!(scheduled_for, grid, "{run:#}");
        assert!(instant(&run["started_at"]) >= scheduled_for, "never early: {run:#}");
        assert!(run["lag_ms"].as_u64().unwrap() < 1_000, "{run:#}");
        let attempt = &run["attempts"][0];
        assert_eq!(attempt["number"], 1);
        assert_eq!(attempt["outcome"], "succeeded");
        assert_eq!(attempt["request"]["method"], "POST");
        assert_eq!(attempt["request"]["headers"]["webhook-id"], run["id"]);
        assert_eq!(attempt["response"]["status"], 200);
        let echoed = attempt["response"]["body"].as_str().unwrap();
        assert!(echoed.contains(run["id"].as_str().unwrap()), "{echoed}");
    }
    let job = service.get("/api/v1/jobs/hello").await;
    assert_eq!(job["last_run"]["status"], "succeeded");
    assert!(instant(&job["next_fire_at"]) > instant(&runs[2]["scheduled_for"]));
}

pub(crate) fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("not an instant: {value}")).parse().unwrap()
}

#[tokio::test]
async fn a_job_fires_on_its_grid_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    a_job_fires_on_its_grid(&sqlite_in(directory.path())).await;
}

#[tokio::test]
async fn a_job_fires_on_its_grid_on_postgres() {
    if let Some(database) = fresh_database("quickstart").await {
        a_job_fires_on_its_grid(&database).await;
    }
}
