//! `scheduler bench`, each scenario in small: what is counted, never how fast it was.

use std::process::Command;

use serde_json::Value;

use super::cluster::{connect, fresh_database};

/// The result of a scenario on a database of the kind of `url`, and what was said meanwhile.
fn bench(url: &str, arguments: &[&str]) -> (Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .current_dir(std::env::temp_dir())
        .env("DATABASE_URL", url)
        .arg("bench")
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    (serde_json::from_slice(&output.stdout).unwrap(), said)
}

/// Runs it on SQLite, and on PostgreSQL where there is one; `expected` records, each of one execution.
async fn on_both(name: &str, arguments: &[&str], expected: u64) {
    let mut urls = vec!["sqlite:unused.db".to_owned()];
    urls.extend(fresh_database(&format!("bench_{name}")).await);
    for url in urls {
        let arguments = [&[name], arguments].concat();
        let url_for_bench = url.clone();
        let asked: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let (result, _) = tokio::task::spawn_blocking(move || {
            bench(&url_for_bench, &asked.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .await
        .unwrap();
        let records = serde_json::json!({
            "expected": expected, "executed": expected, "not_executed": 0, "missing": 0, "doubled": 0, "early": 0
        });
        assert_eq!(result["records"], records, "{result}");
        assert_eq!(result["scenario"], name);
        assert!(result["executions_per_s"].as_f64().unwrap() > 0.0, "{result}");
        let on_postgres = url.starts_with("postgres");
        assert_eq!(result["wal_bytes"].as_u64().is_some_and(|bytes| bytes > 0), on_postgres, "{result}");
        if cfg!(target_os = "linux") {
            assert!(result["cpu_us_per_execution"]["client"].is_number(), "{result}");
            assert_eq!(result["cpu_us_per_execution"]["postgres"].is_number(), on_postgres, "{result}");
        }
    }
}

#[tokio::test]
async fn storm_records_every_job_once() {
    on_both("storm", &["--jobs", "300"], 300).await;
}

#[tokio::test]
async fn herd_finds_each_second_of_each_job() {
    let _machine = crate::MACHINE.read().await;
    on_both("herd", &["--jobs", "20", "--seconds", "2"], 40).await;
}

#[tokio::test]
async fn precision_finds_each_second_of_each_job() {
    let _machine = crate::MACHINE.read().await;
    on_both("precision", &["--jobs", "10", "--seconds", "2"], 20).await;
}

#[tokio::test]
async fn table_finds_those_that_were_due() {
    let _machine = crate::MACHINE.read().await;
    on_both("table", &["--jobs", "3000", "--seconds", "1"], 1_000).await;
}

#[tokio::test]
async fn webhook_counts_every_post() {
    on_both("webhook", &["--jobs", "100"], 100).await;
}

/// The database it was pointed at is neither read nor written, and the one it made is gone.
#[tokio::test]
async fn two_processes_share_the_work_and_nothing_is_left_behind() {
    let Some(url) = fresh_database("bench_shared").await else { return };
    let (result, said) = tokio::task::spawn_blocking({
        let url = url.clone();
        move || bench(&url, &["storm", "--jobs", "500", "--processes", "2"])
    })
    .await
    .unwrap();
    assert_eq!(result["records"]["executed"], 500, "{result}");
    let made = said.split_whitespace().find(|word| word.starts_with("scheduler_bench_")).unwrap();
    let pool = connect(&url).await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(made)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(left, 0, "{made} was left behind");
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(tables, 0, "the database it was pointed at was touched");
}

#[test]
fn sqlite_is_for_one_process() {
    let output = Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .current_dir(std::env::temp_dir())
        .env("DATABASE_URL", "sqlite:unused.db")
        .args(["bench", "storm", "--processes", "2"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("--processes") && output.stdout.is_empty(), "{error}");
}
