//! Deadlines: no attempt begins after them, and nothing goes on.

use std::time::Duration;

use domain::run::AttemptOutcome;
use domain::{Overlap, Reason, RunStatus, Verdict};
use engine::SchedulerError;
use testkit::{Step, at, job};

use super::bench::{Bench, key};

#[tokio::test]
async fn a_retry_that_would_begin_too_late_is_not_waited_for() {
    let bench = Bench::new();
    bench.create(job("flaky").every("1d").attempts(9, "20s").deadline("30s").draft()).await;
    bench.executor.script("flaky", vec![Verdict::retryable("http_status", "503"); 9]);
    bench.look_after("1d").await;
    assert_eq!(bench.settled().await[0].status, RunStatus::Pending);
    bench.look_after("20s").await;
    let run = bench.runs_when(|run| run.status.is_finished()).await.remove(0);
    assert_eq!((run.status, run.reason), (RunStatus::TimedOut, Some(Reason::Deadline)));
    assert_eq!(run.finished_at, Some(at("2026-11-25T00:00:20Z")));
    assert_eq!(run.attempts.len(), 2);
    assert_eq!(run.attempts[1].outcome, AttemptOutcome::Failed, "and its own error stays on record");
}

#[tokio::test]
async fn a_retry_at_the_very_deadline_is_too_late_and_a_moment_before_is_not() {
    for (deadline, attempts) in [("20s", 1), ("20s1ms", 2)] {
        let bench = Bench::new();
        bench.create(job("flaky").every("1d").attempts(9, "20s").deadline(deadline).draft()).await;
        bench.executor.script("flaky", [Verdict::retryable("http_status", "503")]);
        bench.look_after("1d").await;
        bench.settled().await;
        bench.look_after("20s").await;
        assert_eq!(bench.settled().await[0].attempts.len(), attempts, "{deadline}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_goes_on_is_stopped_at_it() {
    let bench = Bench::in_tokio_time();
    bench.create(job("hang").every("1m").attempts(3, "1s").deadline("10s").draft()).await;
    bench.executor.script("hang", [Step::Hang]);
    tokio::time::sleep(Duration::from_mins(1)).await;
    bench.dispatcher.look().await.unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    let run = bench.runs_when(|run| run.status.is_finished()).await.remove(0);
    assert_eq!((run.status, run.reason), (RunStatus::TimedOut, Some(Reason::Deadline)));
    let took = run.attempts[0].finished_at - run.attempts[0].started_at;
    assert_eq!((run.attempts.len(), took.num_seconds()), (1, 10));
    assert_eq!(run.attempts[0].error.as_ref().unwrap().message, "no answer within 10s");
}

#[tokio::test]
async fn an_attempt_may_not_take_longer_than_its_timeout_all_the_same() {
    let bench = Bench::new();
    bench.create(job("report").every("1d").deadline("1h").draft()).await;
    bench.look_after("1d").await;
    bench.settled().await;
    assert_eq!(bench.executor.calls()[0].call.timeout.to_string(), "30s");
}

#[tokio::test]
async fn a_run_that_finds_no_room_in_time_is_missed() {
    let bench = Bench::with_concurrency(1);
    bench.create(job("a").every("1d").draft()).await;
    let gate = bench.executor.hold();
    bench.look_after("1d").await;
    bench.executor.started(1).await;
    bench.create(job("b").every("1h").deadline("5m").draft()).await;
    bench.scheduler.run_now("default", &key("b")).await.unwrap();
    for _ in 0..18 {
        bench.look_after("20s").await;
        bench.dispatcher.renew().await.unwrap();
    }
    gate.open();
    bench.runs_when(|run| run.job_name == "b" || run.status == RunStatus::Succeeded).await;
    bench.look_after("0s").await;
    let runs = bench.runs_when(|run| run.status.is_finished()).await;
    let late = runs.iter().find(|run| run.job_name == "b").unwrap();
    assert_eq!((late.status, late.reason), (RunStatus::Missed, Some(Reason::Deadline)));
    assert_eq!(bench.executor.calls().len(), 1);
}

#[tokio::test]
async fn an_occurrence_noticed_after_it_is_missed() {
    let bench = Bench::new();
    bench.create(job("report").every("1h").deadline("5m").draft()).await;
    bench.look_after("3h10m").await;
    let runs = bench.settled().await;
    let last = runs.last().unwrap();
    assert_eq!(last.scheduled_for, at("2026-11-24T03:00:00Z"));
    assert_eq!((last.status, last.reason), (RunStatus::Missed, Some(Reason::Deadline)));
    assert!(bench.executor.calls().is_empty());
    bench.look_after("50m").await;
    assert_eq!(bench.settled().await.last().unwrap().status, RunStatus::Succeeded, "and holds nobody up");
}

/// A run that waits for its turn is over at its deadline, not when its turn comes.
#[tokio::test]
async fn waiting_for_ones_turn_ends_with_it() {
    let bench = Bench::new();
    let draft = job("slow").every("1m").overlap(Overlap::BufferAll).deadline("90s").with(|draft| {
        draft.timeout = testkit::fixtures::duration("10m");
    });
    bench.create(draft.draft()).await;
    let gate = bench.executor.hold();
    bench.look_after("1m").await;
    bench.executor.started(1).await;
    for _ in 0..15 {
        bench.look_after("10s").await;
        bench.dispatcher.renew().await.unwrap();
        bench.quiet().await;
    }
    let runs = bench.runs().await;
    assert_eq!((runs[1].status, runs[1].reason), (RunStatus::Missed, Some(Reason::Deadline)));
    assert_eq!(runs[1].finished_at, Some(at("2026-11-24T00:03:30Z")));
    gate.open();
}

#[tokio::test]
async fn a_retry_on_request_gets_as_long_again() {
    let bench = Bench::new();
    bench.create(job("report").every("1d").attempts(1, "1s").deadline("1m").draft()).await;
    bench.executor.script("report", [Verdict::fatal("http_status", "404")]);
    bench.look_after("1d").await;
    let run = bench.settled().await.remove(0);
    bench.look_after("1h").await;
    bench.scheduler.retry("default", run.id).await.unwrap();
    bench.look_after("30s").await;
    assert_eq!(bench.settled().await[0].status, RunStatus::Succeeded);
    let again = bench.scheduler.retry("default", run.id).await;
    assert!(matches!(again, Err(SchedulerError::Conflict(_))));
}
