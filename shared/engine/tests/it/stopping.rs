//! Timeouts, cancellation and draining.

use std::time::Duration;

use domain::run::AttemptOutcome;
use domain::{Reason, RunStatus};
use engine::SchedulerError;
use testkit::{Step, job};

use super::bench::{Bench, key};

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_timed_out() {
    for step in [Step::Hang, Step::Deaf] {
        let bench = Bench::in_tokio_time();
        bench.create(job("hang").every("1m").attempts(1, "1s").draft()).await;
        bench.executor.script("hang", [step]);
        tokio::time::sleep(Duration::from_mins(1)).await;
        bench.dispatcher.look().await.unwrap();
        tokio::time::sleep(Duration::from_secs(40)).await;
        let runs = bench.settled().await;
        assert_eq!(runs[0].status, RunStatus::TimedOut);
        let attempt = &runs[0].attempts[0];
        assert_eq!(attempt.error.as_ref().unwrap().message, "no answer within 30s");
        let took = attempt.finished_at - attempt.started_at;
        assert!((30..=33).contains(&took.num_seconds()), "{took}");
    }
}

#[tokio::test]
async fn cancelling_a_running_run_stops_it_on_its_worker() {
    let bench = Bench::new();
    bench.create(job("long").every("1d").draft()).await;
    bench.executor.script("long", [Step::Hang]);
    bench.look_after("1d").await;
    bench.executor.started(1).await;
    let run = bench.runs().await.remove(0);
    let asked = bench.scheduler.cancel("default", run.id).await.unwrap();
    assert!(asked.status == RunStatus::Running && asked.cancel_requested);
    bench.dispatcher.renew().await.unwrap();
    let runs = bench.settled().await;
    assert_eq!((runs[0].status, runs[0].reason), (RunStatus::Cancelled, Some(Reason::Requested)));
    assert_eq!(runs[0].attempts[0].outcome, AttemptOutcome::Cancelled);
    let again = bench.scheduler.cancel("default", run.id).await;
    assert!(matches!(again, Err(SchedulerError::Conflict(_))), "{again:?}");
}

#[tokio::test]
async fn cancelling_a_waiting_run_ends_it_at_once() {
    let bench = Bench::new();
    bench.create(job("report").every("1d").draft()).await;
    let run = bench.scheduler.run_now("default", &key("report")).await.unwrap();
    let cancelled = bench.scheduler.cancel("default", run.id).await.unwrap();
    assert_eq!(cancelled.status, RunStatus::Cancelled);
    bench.look_after("0s").await;
    assert!(bench.executor.calls().is_empty());
    // It can be retried, as the same run.
    let retried = bench.scheduler.retry("default", run.id).await.unwrap();
    assert_eq!((retried.id, retried.status), (run.id, RunStatus::Pending));
    bench.look_after("0s").await;
    assert_eq!(bench.settled().await[0].status, RunStatus::Succeeded);
}

#[tokio::test]
async fn waiting_runs_of_a_deleted_job_are_cancelled() {
    let bench = Bench::new();
    bench.create(job("gone").every("1d").draft()).await;
    bench.scheduler.run_now("default", &key("gone")).await.unwrap();
    bench.scheduler.delete("default", &key("gone"), None).await.unwrap();
    bench.look_after("0s").await;
    let runs = bench.runs_when(|run| run.status.is_finished()).await;
    assert_eq!((runs[0].status, runs[0].reason), (RunStatus::Cancelled, Some(Reason::Deleted)));
    assert!(bench.executor.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn draining_lets_runs_finish() {
    let bench = Bench::new();
    bench.create(job("quick").every("1d").draft()).await;
    let gate = bench.executor.hold();
    bench.look_after("1d").await;
    bench.executor.started(1).await;
    let open = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        gate.open();
    };
    tokio::join!(bench.dispatcher.drain(Duration::from_secs(10)), open);
    assert_eq!(bench.runs().await[0].status, RunStatus::Succeeded, "written before the drain ends");
}

/// Bug class 18: a shutdown costs a run no attempt.
#[tokio::test(start_paused = true)]
async fn draining_hands_back_what_does_not_finish() {
    let bench = Bench::new();
    bench.create(job("long").every("1d").attempts(1, "1s").draft()).await;
    bench.executor.script("long", [Step::Hang]);
    bench.look_after("1d").await;
    bench.executor.started(1).await;
    bench.dispatcher.drain(Duration::from_secs(2)).await;
    let run = bench.runs().await.remove(0);
    assert_eq!(run.status, RunStatus::Pending);
    assert_eq!(run.attempts[0].outcome, AttemptOutcome::Interrupted);
    bench.another("b", 10).look().await.unwrap();
    let run = bench.settled().await.remove(0);
    assert_eq!(run.status, RunStatus::Succeeded, "the one attempt it may make is still its own");
}
