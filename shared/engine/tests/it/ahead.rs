//! Firing ahead of time: attempts begin on the millisecond, and nothing is decided that may turn out otherwise.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::RunStatus;
use engine::bell::AHEAD;
use engine::tick;
use testkit::{SeededEntropy, job};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::bench::Bench;

fn serve(bench: &Bench) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let shutdown = CancellationToken::new();
    let dispatcher = Arc::new(bench.another("ahead", 100).looking_ahead(AHEAD));
    let entropy = Arc::new(SeededEntropy::new(2));
    let served =
        tick::serve(dispatcher, bench.bell.clone(), entropy, shutdown.clone(), Duration::from_secs(5));
    (shutdown, tokio::spawn(served))
}

#[tokio::test(start_paused = true)]
async fn runs_are_recorded_before_they_are_due_and_start_when_they_are() {
    let bench = Bench::in_tokio_time();
    for index in 0..10 {
        bench.create(job(&format!("job-{index}")).every("7s").draft()).await;
    }
    let (shutdown, served) = serve(&bench);
    sleep(Duration::from_millis(6_990)).await;
    let runs = bench.runs().await;
    assert_eq!(runs.len(), 10);
    assert!(runs.iter().all(|run| run.status == RunStatus::Running && run.started_at.is_none()));
    assert!(bench.executor.calls().is_empty(), "never early");
    sleep(Duration::from_mins(1)).await;
    shutdown.cancel();
    served.await.unwrap();
    let calls = bench.executor.calls();
    assert_eq!(calls.len(), 90);
    for recorded in calls {
        let lag = recorded.at - recorded.call.scheduled_for;
        assert!(TimeDelta::zero() <= lag && lag <= TimeDelta::milliseconds(1), "{lag}");
    }
    assert!(bench.runs().await.iter().all(|run| run.status == RunStatus::Succeeded));
}

/// A run that ends in the last moment makes room for the next one, as it would have without looking ahead.
#[tokio::test(start_paused = true)]
async fn whether_a_run_overlaps_is_decided_when_it_is_due() {
    let bench = Bench::in_tokio_time();
    bench.create(job("long").every("7s").draft()).await;
    let gate = bench.executor.hold();
    let (shutdown, served) = serve(&bench);
    sleep(Duration::from_millis(13_985)).await;
    assert_eq!(bench.executor.calls().len(), 1);
    gate.open();
    sleep(Duration::from_millis(100)).await;
    let runs = bench.runs().await;
    assert_eq!(runs.iter().map(|run| run.status).collect::<Vec<_>>(), [RunStatus::Succeeded; 2]);
    shutdown.cancel();
    served.await.unwrap();
}

/// A process that ends while runs wait for their time still starts them on time, or hands them back.
#[tokio::test(start_paused = true)]
async fn ending_loses_nothing_that_waits_for_its_time() {
    let bench = Bench::in_tokio_time();
    bench.create(job("report").every("7s").draft()).await;
    let (shutdown, served) = serve(&bench);
    sleep(Duration::from_millis(6_990)).await;
    shutdown.cancel();
    served.await.unwrap();
    let runs = bench.runs().await;
    assert_eq!((runs.len(), runs[0].status), (1, RunStatus::Succeeded));
    assert_eq!(runs[0].started_at, Some(runs[0].scheduled_for));
}
