//! The commands besides `serve`.

use std::path::Path;
use std::process::{Command, Output};

use super::service::{Options, Service, client, free_port, sqlite_in};

fn scheduler(directory: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .current_dir(directory)
        .env_remove("DATABASE_URL")
        .envs(environment.iter().copied())
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn config_shows_values_and_origins_and_masks_secrets() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".env"), "SCHEDULER_TIMEZONE=Europe/Paris\n").unwrap();
    let environment = [
        ("DATABASE_URL", "postgres://jobs:hunter2@db/jobs"),
        ("SCHEDULER_SMTP_URL", "smtp://jobs:hunter2@mail.example.com"),
        ("SCHEDULER_LEASE", "45s"),
    ];
    let output = scheduler(directory.path(), &environment, &["config", "--role", "worker"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!shown.contains("hunter2"), "{shown}");
    for line in [
        "SCHEDULER_ROLE worker flag",
        "SCHEDULER_LEASE 45s environment",
        "SCHEDULER_SMTP_URL *** environment",
        "SCHEDULER_TIMEZONE Europe/Paris .env",
    ] {
        let found = shown.lines().any(|it| it.split_whitespace().collect::<Vec<_>>().join(" ") == line);
        assert!(found, "{line} is not in\n{shown}");
    }
}

#[test]
fn bad_settings_are_refused_by_name_with_exit_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let output = scheduler(directory.path(), &[("SCHEDULER_LISTEN", "0.0.0.0:8000")], &[]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    for name in ["SCHEDULER_LISTEN", "SCHEDULER_ADMIN_KEY", "SECRET_KEY", "openssl rand"] {
        assert!(error.contains(name), "{name} is not in {error}");
    }
    let output = scheduler(directory.path(), &[], &["serve", "--nonsense"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn openapi_is_what_is_committed() {
    let directory = tempfile::tempdir().unwrap();
    let output = scheduler(directory.path(), &[], &["openapi"]);
    let committed =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.json")).unwrap();
    assert_eq!(text(&output.stdout).trim(), committed.trim(), "run: UPDATE_OPENAPI=1 cargo test -p api");
}

#[test]
fn cron_explain_tells_what_an_expression_means() {
    let directory = tempfile::tempdir().unwrap();
    let explain = |arguments: &[&str]| {
        let common =
            ["cron", "explain", "--timezone", "Europe/Paris", "--from", "2027-03-27T12:00:00Z", "-n", "2"];
        scheduler(directory.path(), &[], &[&common[..], arguments].concat())
    };
    let table = text(&explain(&["30 2 * * *"]).stdout);
    assert!(table.starts_with("At 02:30 every day, Europe/Paris\n"), "{table}");
    assert!(table.contains("02:30 does not exist on 2027-03-28, runs at 03:00"), "{table}");
    let json = text(&explain(&["0 9 * * 1-5", "-o", "json"]).stdout);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["normalized"], "0 9 * * MON-FRI");
    assert_eq!(json["next"][0]["at"], "2027-03-29T07:00:00.000Z");
    let refused = explain(&["0 25 * * *"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("hour 25 is outside 0–23"), "{}", text(&refused.stderr));
}

#[test]
fn migrate_says_what_it_did() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let environment = [("DATABASE_URL", database.as_str())];
    let pending = scheduler(directory.path(), &environment, &["migrate", "--status"]);
    assert_eq!(pending.status.code(), Some(1), "{}", text(&pending.stdout));
    let first = scheduler(directory.path(), &environment, &["migrate"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let second = scheduler(directory.path(), &environment, &["migrate"]);
    assert!(text(&second.stdout).contains("up to date"), "{}", text(&second.stdout));
    let applied = scheduler(directory.path(), &environment, &["migrate", "--status"]);
    assert!(applied.status.success());
}

#[tokio::test]
async fn healthcheck_and_doctor_tell_the_truth() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let environment = [("DATABASE_URL", database.as_str()), ("SCHEDULER_LISTEN", listen.as_str())];
    let run = |command: &str| scheduler(directory.path(), &environment, &[command]);

    assert_eq!(run("healthcheck").status.code(), Some(1), "nothing listens yet");
    let doctor = run("doctor");
    assert!(doctor.status.success(), "{}", text(&doctor.stdout));
    let options = Options { database: &database, directory: directory.path(), environment: &[] };
    let _service = Service::start_on(port, options).await;
    assert!(run("healthcheck").status.success());
    let doctor = run("doctor");
    assert_eq!(doctor.status.code(), Some(1));
    assert!(
        text(&doctor.stdout).contains("✗") && text(&doctor.stdout).contains(&listen),
        "{}",
        text(&doctor.stdout)
    );
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("postgres://jobs:hunter2@127.0.0.1:{}/jobs", free_port());
    let output = scheduler(directory.path(), &[("DATABASE_URL", &database)], &["migrate"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("127.0.0.1") && !error.contains("hunter2"), "{error}");
}

/// A key is made before anything runs, and counts at once for what does.
#[tokio::test]
async fn keys_are_made_listed_and_revoked_in_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let environment = [("DATABASE_URL", database.as_str())];
    let keys =
        |arguments: &[&str]| scheduler(directory.path(), &environment, &[&["keys"], arguments].concat());
    let made = keys(&["create", "root", "--access", "admin"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let root = text(&made.stdout).trim().to_owned();
    assert!(
        root.starts_with("sk_") && root.len() == 39 && !text(&made.stderr).contains(&root),
        "only the key"
    );
    let viewer = text(&keys(&["create", "ci", "--access", "viewer", "--expires-in", "90d"]).stdout);
    let refused = keys(&["create", "ci", "--access", "viewer", "--project", "nowhere"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("there is no such project"), "{}", text(&refused.stderr));
    assert_eq!(keys(&["create", "ci", "--access", "root"]).status.code(), Some(2));

    let options = Options { database: &database, directory: directory.path(), environment: &[] };
    let service = Service::start(options).await;
    let status = async |key: &str| {
        let asked = client().get(service.url("/api/v1/jobs")).bearer_auth(key.trim());
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(service.status("/api/v1/jobs").await, 401, "the key has closed it");
    assert_eq!((status(&root).await, status(&viewer).await), (200, 200));
    let listed = keys(&["list", "-o", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["name"], &listed[1]["name"]), (&"root".into(), &"ci".into()));
    let revoked = keys(&["revoke", listed[1]["id"].as_str().unwrap()]);
    assert!(revoked.status.success(), "{}", text(&revoked.stderr));
    // Another process has revoked it: what this one read of it is good for a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!((status(&root).await, status(&viewer).await), (200, 401));
}
