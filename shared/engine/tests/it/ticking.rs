//! The loop: subscribe, look, sleep; in paused time, so that every millisecond can be asserted.

use std::sync::Arc;
use std::time::Duration;

use domain::{RunStatus, Verdict};
use engine::tick;
use testkit::{Fault, SeededEntropy, Step, at, job};
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, key};

fn serve(bench: &Bench) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let shutdown = CancellationToken::new();
    let (dispatcher, bell) = (bench.dispatcher.clone(), bench.bell.clone());
    let entropy = Arc::new(SeededEntropy::new(2));
    let served = tick::serve(dispatcher, bell, entropy, shutdown.clone(), Duration::from_secs(5));
    (shutdown, tokio::spawn(served))
}

#[tokio::test(start_paused = true)]
async fn the_loop_sleeps_until_the_next_occurrence_and_is_never_early() {
    let bench = Bench::in_tokio_time();
    let (shutdown, served) = serve(&bench);
    tokio::time::sleep(Duration::from_millis(1_234)).await;
    // Created while the loop sleeps: the bell wakes it.
    bench.create(job("report").every("7s").draft()).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    shutdown.cancel();
    served.await.unwrap();
    let calls = bench.executor.calls();
    assert_eq!(calls.len(), 8);
    for recorded in calls {
        let lag = recorded.at - recorded.call.scheduled_for;
        assert!((0..=2).contains(&lag.num_milliseconds()), "{lag}");
    }
    assert!(bench.runs().await.iter().all(|run| run.status == RunStatus::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn a_run_now_starts_at_once() {
    let bench = Bench::in_tokio_time();
    bench.create(job("report").every("1h").draft()).await;
    let (shutdown, served) = serve(&bench);
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.scheduler.run_now("default", &key("report")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(bench.executor.calls().len(), 1);
    shutdown.cancel();
    served.await.unwrap();
}

/// Bug class 16: the loop outlives the store's absence, and what was due meanwhile is accounted for.
#[tokio::test(start_paused = true)]
async fn the_loop_comes_back_after_the_store_was_away() {
    let bench = Bench::in_tokio_time();
    bench.create(job("steady").every("1s").draft()).await;
    let (shutdown, served) = serve(&bench);
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    bench.store.fail_by(|_call, _number| Fault::Before);
    tokio::time::sleep(Duration::from_mins(1)).await;
    bench.store.fail_by(|_call, _number| Fault::None);
    tokio::time::sleep(Duration::from_secs(4)).await;
    shutdown.cancel();
    served.await.unwrap();
    let runs = bench.settled().await;
    let mut expected = at("2026-11-24T00:00:01Z");
    for run in &runs {
        assert_eq!(run.scheduled_for, expected, "every occurrence has its record: {runs:#?}");
        expected = run.scheduled_until.unwrap_or(expected) + chrono::TimeDelta::seconds(1);
    }
    assert!(expected >= at("2026-11-24T00:01:06Z"), "{expected}");
}

/// Somebody else takes the run over when its lease ends: by then nobody may work on it, whether the store says so or
/// hangs. Leases are prolonged every ten seconds, and this one was granted in between.
#[tokio::test(start_paused = true)]
async fn an_attempt_is_stopped_when_its_lease_runs_out_and_not_seconds_later() {
    let bench = Bench::in_tokio_time();
    bench
        .create(
            job("long")
                .every("3s")
                .attempts(1, "1s")
                .with(|draft| draft.timeout = "5m".parse().unwrap())
                .draft(),
        )
        .await;
    bench.executor.script("long", [Step::Hang]);
    let (shutdown, served) = serve(&bench);
    tokio::time::sleep(Duration::from_secs(4)).await;
    bench.store.fail_by(|_call, _number| Fault::Before);
    tokio::time::sleep(Duration::from_millis(28_900)).await;
    assert_eq!(bench.executor.calls()[0].verdict, None, "it goes on as long as the lease lasts");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bench.executor.calls()[0].verdict, Some(Verdict::Cancelled));
    shutdown.cancel();
    served.abort();
}
