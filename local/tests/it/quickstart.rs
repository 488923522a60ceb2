//! What a newcomer does first, on both databases.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::cluster::fresh_database;
use super::service::{Options, Service, sqlite_in};

/// A job every two seconds against the service's own `/echo`: runs exactly on the grid, each fully recorded.
async fn a_job_fires_on_its_grid(database: &str) {
    let _punctual = crate::MACHINE.read().await;
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

/// The commands of the README's first screen, word for word.
#[tokio::test]
async fn the_readme_tells_the_truth() {
    let readme = include_str!("../../../README.md");
    let commands: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .filter(|block| block.starts_with("curl"))
        .collect();
    assert_eq!(commands.len(), 6, "a job is made, watched, kept to a calendar, run by hand, and backfilled");
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let environment = [("SCHEDULER_ALLOW_TARGETS", "localhost")];
    let options = Options { database: &database, directory: directory.path(), environment: &environment };
    let service = Service::start(options).await;
    let type_in = |command: &str| {
        let command =
            command.replace("localhost:8000", &service.url("").replace("http://127.0.0.1", "localhost"));
        let output = std::process::Command::new("bash").args(["-c", &command]).output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str::<Value>(&answer).unwrap_or_else(|error| panic!("{command}: {error}: {answer}"))
    };
    assert_eq!(type_in(commands[0])["state"], "active");
    service.runs_of("hello", 3, |run| run["status"] == "succeeded").await;
    let runs = type_in(commands[1]);
    let runs = runs["data"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    for pair in runs.windows(2) {
        let apart = instant(&pair[0]["scheduled_for"]) - instant(&pair[1]["scheduled_for"]);
        assert_eq!(apart, chrono::TimeDelta::seconds(2));
    }
    assert_eq!(type_in(commands[2])["name"], "holidays");
    assert_eq!(type_in(commands[3])["calendars"][0]["mode"], "exclude");
    assert_eq!(type_in(commands[4])["kind"], "manual");
    assert_eq!(type_in(commands[5])["total"], 30);
}

/// A worker fires what an API process stores, and answers for its health alone.
#[tokio::test]
async fn roles_can_be_split_on_postgres() {
    let Some(database) = fresh_database("roles").await else { return };
    let _punctual = crate::MACHINE.read().await;
    let directory = tempfile::tempdir().unwrap();
    let start = async |role| {
        let environment = [("SCHEDULER_ROLE", role)];
        let options = Options { database: &database, directory: directory.path(), environment: &environment };
        Service::start(options).await
    };
    let (api, worker) = (start("api").await, start("worker").await);
    let job =
        json!({"name": "split", "schedule": {"type": "interval", "every": "1s"}, "target": {"type": "noop"}});
    api.post("/api/v1/jobs", &job).await;
    let runs = api.runs_of("split", 2, |run| run["status"] == "succeeded").await;
    assert!(
        runs.iter().all(|run| run["lag_ms"].as_u64().unwrap() < 1_000),
        "rung across processes: {runs:#?}"
    );
    assert_eq!(worker.status("/api/v1/jobs").await, 404);
    assert_eq!(worker.status("/healthz").await, 200);
    assert!(worker.metric("scheduler_runs_total").await >= 2.0);
    assert!(worker.metric("scheduler_start_delay_seconds_count").await >= 2.0);
}
