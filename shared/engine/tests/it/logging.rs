//! The logs of runs: whole, as they come, and within bounds.

use std::time::Duration;

use domain::{LogStream, RunStatus};
use engine::LogEntry;
use testkit::{Fault, job};

use super::bench::Bench;

/// Number and text of every line of the only run.
async fn log(bench: &Bench) -> Vec<(u64, String)> {
    let run = bench.runs().await.remove(0);
    let mut entries: Vec<LogEntry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.seq);
        let page = bench.logs.page(run.id, after, 1_000).await.unwrap();
        entries.extend(page.entries);
        if !page.has_more {
            return entries.into_iter().map(|entry| (entry.seq, entry.line.text)).collect();
        }
    }
}

fn numbered(lines: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(lines.iter().map(|line| (*line).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_finished_run_is_whole() {
    let bench = Bench::new();
    bench.create(job("report").every("1m").draft()).await;
    bench.executor.says("report", ["one", "", "three"]);
    bench.look_after("1m").await;
    bench.runs_when(|run| run.status == RunStatus::Succeeded).await;
    assert_eq!(log(&bench).await, numbered(&["one", "", "three"]));
    let run = bench.runs().await.remove(0);
    let first = bench.logs.page(run.id, 0, 1).await.unwrap();
    assert!(first.has_more);
    let line = &first.entries[0].line;
    assert_eq!((line.attempt, line.stream, line.level), (1, LogStream::Stdout, None));
}

#[tokio::test(start_paused = true)]
async fn lines_are_written_while_the_attempt_goes_on() {
    let bench = Bench::in_tokio_time();
    bench.create(job("report").every("1m").draft()).await;
    bench.executor.says("report", ["begun"]);
    let gate = bench.executor.hold();
    tokio::time::sleep(Duration::from_mins(1)).await;
    bench.dispatcher.look().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(log(&bench).await, numbered(&["begun"]));
    assert_eq!(bench.runs().await[0].status, RunStatus::Running);
    gate.open();
    bench.runs_when(|run| run.status == RunStatus::Succeeded).await;
    assert_eq!(log(&bench).await, numbered(&["begun"]));
}

#[tokio::test(start_paused = true)]
async fn lines_wait_for_a_store_that_is_away() {
    let bench = Bench::in_tokio_time();
    bench.create(job("report").every("1m").draft()).await;
    let long: Vec<String> = (0..100).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
    bench.executor.says("report", long.clone());
    let gate = bench.executor.hold();
    tokio::time::sleep(Duration::from_mins(1)).await;
    bench.dispatcher.look().await.unwrap();
    let mut failures = 0;
    bench.store.fail_by(move |call, number| {
        let fails = call == "append" && number % 3 != 0 && failures < 20;
        failures += u32::from(fails);
        if fails { Fault::Before } else { Fault::None }
    });
    tokio::time::sleep(Duration::from_secs(25)).await;
    gate.open();
    bench.runs_when(|run| run.status == RunStatus::Succeeded).await;
    assert_eq!(log(&bench).await, numbered(&long.iter().map(String::as_str).collect::<Vec<_>>()));
}

/// What is written faster than it can be kept is left out, and counted.
#[tokio::test(start_paused = true)]
async fn a_flood_leaves_a_gap_of_known_size() {
    const LINES: u64 = 1_000;
    let bench = Bench::new();
    bench.create(job("report").every("1m").draft()).await;
    bench.executor.says("report", (1..=LINES).map(|number| format!("{number:04} {}", "x".repeat(1_000))));
    bench.look_after("1m").await;
    bench.runs_when(|run| run.status == RunStatus::Succeeded).await;
    let lines = log(&bench).await;
    let (seq, gap) = &lines[0];
    assert_eq!(*gap, format!("{seq} lines left out"));
    assert!((700..800).contains(seq), "256 KiB wait: {seq}");
    for (seq, line) in &lines[1..] {
        assert!(line.starts_with(&format!("{seq:04} ")), "{seq}: {line:.10}");
    }
    assert_eq!(lines.last().unwrap().0, LINES);
}

#[tokio::test]
async fn attempts_share_one_log() {
    let bench = Bench::new();
    bench.create(job("report").every("1d").attempts(2, "0s").draft()).await;
    bench.executor.script("report", [domain::Verdict::retryable("connect", "refused")]);
    bench.executor.says("report", ["first"]);
    bench.look_after("1d").await;
    bench.settled().await;
    bench.executor.says("report", ["second"]);
    bench.look_after("0s").await;
    bench.runs_when(|run| run.status == RunStatus::Succeeded).await;
    let run = bench.runs().await.remove(0);
    let entries = bench.logs.page(run.id, 0, 10).await.unwrap().entries;
    let lines: Vec<_> = entries.iter().map(|it| (it.seq, it.line.attempt, it.line.text.as_str())).collect();
    assert_eq!(lines, [(1, 1, "first"), (2, 2, "second")]);
}
