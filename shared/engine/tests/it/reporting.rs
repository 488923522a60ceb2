//! Targets that take the work and report: heartbeats, ends, silence, restarts.

use domain::run::{AttemptError, AttemptOutcome};
use domain::settle::Ending;
use domain::{Details, JobDraft, LogLevel, Reason, Run, RunStatus, Verdict};
use engine::callbacks::{Beat, Refusal, Report};
use serde_json::json;
use testkit::fixtures::duration;
use testkit::{Step, at, job};

use super::bench::Bench;

/// A job whose target reports: every five minutes, four hours at most, two attempts ten seconds apart.
pub(crate) fn reporting(name: &str) -> JobDraft {
    let target =
        json!({"type": "http", "url": "http://worker.example/", "callback": true, "heartbeat": "5m"});
    let reporting = job(name).every("1d").attempts(2, "10s").with(|draft| {
        draft.target = serde_json::from_value(target).unwrap();
        draft.timeout = duration("4h");
    });
    reporting.draft()
}

/// The run whose target has just taken the work, at midnight, and its token.
pub(crate) async fn taken(bench: &Bench, draft: JobDraft) -> (Run, String) {
    bench.executor.script(&draft.name.clone(), [Verdict::Accepted]);
    bench.create(draft).await;
    bench.look_after("1d").await;
    let run = bench.runs_when(|run| run.accepted.is_some()).await.remove(0);
    (run, token(bench))
}

/// The token the last call brought.
fn token(bench: &Bench) -> String {
    let call = bench.executor.calls().pop().unwrap().call;
    assert!(!format!("{call:?}").contains("srt_"), "it shows in no log");
    call.token.unwrap().reveal().to_owned()
}

pub(crate) fn done() -> Report {
    Report { ending: Ending::Succeeded, output: Some("1204 rows".to_owned()) }
}

pub(crate) fn failed(retryable: bool) -> Report {
    let error = AttemptError { code: "reported".to_owned(), message: "the disk is full".to_owned() };
    Report { ending: Ending::Failed { error, retryable }, output: None }
}

async fn beat(bench: &Bench, run: &Run, token: &str) -> Result<Beat, Refusal> {
    bench.callbacks.heartbeat("default", run.id, token, Some(40), Some("page 4")).await
}

async fn complete(bench: &Bench, run: &Run, token: &str, report: Report) -> Result<Run, Refusal> {
    bench.callbacks.complete("default", run.id, token, report).await
}

/// Looks, and waits for what comes of it.
async fn looked(bench: &Bench, after: &str) -> Run {
    bench.look_after(after).await;
    bench.quiet().await;
    bench.runs().await.remove(0)
}

#[tokio::test]
async fn taken_work_holds_no_worker_and_no_lease() {
    let bench = Bench::with_concurrency(1);
    let (run, token) = taken(&bench, reporting("import")).await;
    assert_eq!((run.status, run.token, run.attempts.len()), (RunStatus::Running, 1, 0));
    assert_eq!(run.due_at, Some(at("2026-11-25T00:05:00Z")));
    assert_eq!(bench.executor.calls()[0].call.timeout, duration("1m"), "for its answer");
    bench.create(job("other").every("1m").draft()).await;
    bench.look_after("1m").await;
    bench.runs_when(|run| run.job_name != "other" || run.status == RunStatus::Succeeded).await;
    complete(&bench, &run, &token, done()).await.unwrap();
    let run = looked(&bench, "0s").await;
    assert_eq!((run.status, run.finished_at), (RunStatus::Succeeded, Some(at("2026-11-25T00:01:00Z"))));
    let attempt = &run.attempts[0];
    assert_eq!((attempt.number, attempt.worker.as_deref()), (1, Some("a")));
    assert_eq!(
        (attempt.started_at, attempt.finished_at),
        (at("2026-11-25T00:00:00Z"), at("2026-11-25T00:01:00Z"))
    );
    let Some(Details::Callback(record)) = &attempt.details else { panic!("{attempt:?}") };
    assert_eq!((record.output.as_deref(), record.output_truncated), (Some("1204 rows"), false));
    assert_eq!(run.accepted, None);
}

#[tokio::test]
async fn a_reported_failure_is_tried_again_by_the_policy_under_a_new_token() {
    let bench = Bench::new();
    let (run, first) = taken(&bench, reporting("import")).await;
    complete(&bench, &run, &first, failed(true)).await.unwrap();
    let waiting = looked(&bench, "1m").await;
    assert_eq!((waiting.status, waiting.due_at), (RunStatus::Pending, Some(at("2026-11-25T00:00:10Z"))));
    assert_eq!(waiting.attempts[0].error.as_ref().unwrap().message, "the disk is full");
    bench.executor.script("import", [Verdict::Accepted]);
    looked(&bench, "0s").await;
    let second = token(&bench);
    assert_ne!(first, second);
    for stale in [&first] {
        assert!(matches!(beat(&bench, &run, stale).await, Err(Refusal::Over(_))));
        let log = bench.callbacks.log("default", run.id, stale, None, "x").await;
        assert!(matches!(log, Err(Refusal::Over(_))));
        assert!(matches!(complete(&bench, &run, stale, done()).await, Err(Refusal::Over(_))));
    }
    complete(&bench, &run, &second, failed(false)).await.unwrap();
    let run = looked(&bench, "0s").await;
    assert_eq!((run.status, run.attempts.len()), (RunStatus::Failed, 2));
}

#[tokio::test]
async fn heartbeats_put_the_end_off_and_the_timeout_is_the_end() {
    let bench = Bench::new();
    let (run, token) = taken(&bench, reporting("import")).await;
    for _ in 0..59 {
        assert_eq!(looked(&bench, "4m").await.status, RunStatus::Running);
        let beat = beat(&bench, &run, &token).await.unwrap();
        assert!(!beat.cancel_requested && beat.due_at.is_some_and(|at| bench.clock.now() < at));
    }
    let progress = bench.callbacks.progress(&bench.runs().await[0]).await.unwrap().unwrap();
    assert_eq!((progress.percent, progress.message.as_deref()), (Some(40), Some("page 4")));
    let run = looked(&bench, "4m").await;
    assert_eq!(run.status, RunStatus::Pending, "after four hours");
    let attempt = &run.attempts[0];
    assert_eq!(attempt.outcome, AttemptOutcome::TimedOut);
    assert!(attempt.error.as_ref().unwrap().message.ends_with("within 4h"), "{attempt:?}");
    assert!(matches!(beat(&bench, &run, &token).await, Err(Refusal::Over(_))));
}

#[tokio::test]
async fn a_target_that_falls_silent_is_abandoned_and_may_not_come_back() {
    let bench = Bench::new();
    let (run, token) = taken(&bench, reporting("import")).await;
    looked(&bench, "4m").await;
    beat(&bench, &run, &token).await.unwrap();
    assert_eq!(looked(&bench, "4m59s").await.status, RunStatus::Running);
    let silent = looked(&bench, "1s").await;
    assert_eq!(silent.status, RunStatus::Pending);
    let error = silent.attempts[0].error.as_ref().unwrap();
    assert_eq!((silent.attempts[0].outcome, error.code.as_str()), (AttemptOutcome::Abandoned, "heartbeat"));
    assert_eq!(error.message, "the target was not heard of for 5m");
    assert!(matches!(complete(&bench, &run, &token, done()).await, Err(Refusal::Over(_))));
    let run = looked(&bench, "10s").await;
    assert_eq!((run.status, run.attempts.len()), (RunStatus::Succeeded, 2));
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let mut bench = Bench::new();
    let (run, token) = taken(&bench, reporting("import")).await;
    bench.dispatcher.drain(std::time::Duration::ZERO).await;
    bench.dispatcher = std::sync::Arc::new(bench.another("b", 10));
    assert_eq!(looked(&bench, "3m").await.status, RunStatus::Running);
    beat(&bench, &run, &token).await.unwrap();
    looked(&bench, "3m").await;
    complete(&bench, &run, &token, done()).await.unwrap();
    let run = looked(&bench, "0s").await;
    assert_eq!((run.status, run.attempts.len()), (RunStatus::Succeeded, 1));
    assert_eq!(run.worker.as_deref(), Some("a"), "who called it");
}

/// The target may be quicker than its own answer.
#[tokio::test]
async fn an_end_reported_before_the_call_is_answered_counts() {
    for answer in [Verdict::Accepted, Verdict::retryable("body", "the connection broke"), Verdict::Succeeded]
    {
        let bench = Bench::new();
        bench.create(reporting("import")).await;
        bench.executor.script("import", [answer.clone()]);
        let gate = bench.executor.hold();
        bench.look_after("1d").await;
        bench.executor.started(1).await;
        let (run, token) = (bench.runs().await.remove(0), token(&bench));
        assert_eq!(beat(&bench, &run, &token).await.unwrap(), Beat { cancel_requested: false, due_at: None });
        bench
            .callbacks
            .log("default", run.id, &token, Some(LogLevel::Info), "begun\n\nhalf\r\n")
            .await
            .unwrap();
        complete(&bench, &run, &token, done()).await.unwrap();
        assert_eq!(bench.runs().await[0].due_at, run.due_at, "the worker has it still");
        gate.open();
        bench.quiet().await;
        let run = looked(&bench, "0s").await;
        assert_eq!((run.status, run.attempts.len()), (RunStatus::Succeeded, 1), "{answer:?}");
        let lines = bench.logs.page(run.id, 0, 10).await.unwrap().entries;
        let texts: Vec<_> = lines.iter().map(|it| it.line.text.as_str()).collect();
        assert_eq!(texts, ["begun", "", "half"]);
    }
}

#[tokio::test]
async fn an_end_reported_to_a_worker_that_died_counts() {
    let bench = Bench::new();
    bench.create(reporting("import")).await;
    bench.executor.script("import", [Step::Deaf]);
    bench.look_after("1d").await;
    bench.executor.started(1).await;
    let (run, token) = (bench.runs().await.remove(0), token(&bench));
    complete(&bench, &run, &token, done()).await.unwrap();
    bench.manual.advance(duration("31s").to_delta());
    bench.another("b", 10).look().await.unwrap();
    let run = bench.runs_when(|run| run.status.is_finished()).await.remove(0);
    assert_eq!((run.status, run.attempts.len()), (RunStatus::Succeeded, 1));
}

#[tokio::test]
async fn the_first_report_counts_and_may_be_repeated() {
    let bench = Bench::new();
    let (run, token) = taken(&bench, reporting("import")).await;
    for _ in 0..2 {
        complete(&bench, &run, &token, done()).await.unwrap();
        assert!(matches!(complete(&bench, &run, &token, failed(true)).await, Err(Refusal::Over(_))));
        assert!(matches!(beat(&bench, &run, &token).await, Err(Refusal::Over(_))));
        assert_eq!(looked(&bench, "1s").await.status, RunStatus::Succeeded);
    }
}

#[tokio::test]
async fn a_heartbeat_tells_of_a_cancellation_and_buys_no_more_time() {
    for (report, status) in [(failed(true), RunStatus::Cancelled), (done(), RunStatus::Succeeded)] {
        let bench = Bench::new();
        let (run, token) = taken(&bench, reporting("import")).await;
        looked(&bench, "1m").await;
        let asked = bench.scheduler.cancel("default", run.id).await.unwrap();
        assert!(asked.cancel_requested && asked.status == RunStatus::Running);
        looked(&bench, "1m").await;
        let told = beat(&bench, &run, &token).await.unwrap();
        assert_eq!(told, Beat { cancel_requested: true, due_at: Some(at("2026-11-25T00:02:30Z")) });
        looked(&bench, "20s").await;
        assert_eq!(beat(&bench, &run, &token).await.unwrap(), told);
        complete(&bench, &run, &token, report).await.unwrap();
        let run = looked(&bench, "0s").await;
        assert_eq!((run.status, run.attempts.len()), (status, 1));
    }
}

#[tokio::test]
async fn a_cancelled_run_ends_whether_its_target_stops_or_not() {
    // It hears of it and goes on.
    let bench = Bench::new();
    let (run, token) = taken(&bench, reporting("import")).await;
    bench.scheduler.cancel("default", run.id).await.unwrap();
    beat(&bench, &run, &token).await.unwrap();
    assert_eq!(looked(&bench, "29s").await.status, RunStatus::Running);
    beat(&bench, &run, &token).await.unwrap();
    let ended = looked(&bench, "1s").await;
    assert_eq!((ended.status, ended.reason), (RunStatus::Cancelled, Some(Reason::Requested)));
    assert!(matches!(beat(&bench, &run, &token).await, Err(Refusal::Over(_))));
    // It is not heard of.
    let bench = Bench::new();
    let (run, _) = taken(&bench, reporting("import")).await;
    bench.scheduler.cancel("default", run.id).await.unwrap();
    assert_eq!(looked(&bench, "4m59s").await.status, RunStatus::Running);
    assert_eq!(looked(&bench, "1s").await.status, RunStatus::Cancelled);
    // It never is before it has ended; asking again does not put that off.
    let bench = Bench::new();
    let mut draft = reporting("import");
    let target = json!({"type": "http", "url": "http://worker.example/", "callback": true});
    draft.target = serde_json::from_value(target).unwrap();
    let (run, _) = taken(&bench, draft).await;
    assert_eq!(run.due_at, Some(at("2026-11-25T04:00:00Z")));
    bench.scheduler.cancel("default", run.id).await.unwrap();
    looked(&bench, "20s").await;
    bench.scheduler.cancel("default", run.id).await.unwrap();
    assert_eq!(looked(&bench, "10s").await.status, RunStatus::Cancelled);
}

#[tokio::test]
async fn work_of_a_deleted_job_goes_on_to_its_end() {
    for (report, status) in [(done(), RunStatus::Succeeded), (failed(true), RunStatus::Failed)] {
        let bench = Bench::new();
        let (run, token) = taken(&bench, reporting("import")).await;
        bench.scheduler.delete("default", &"import".into(), None).await.unwrap();
        looked(&bench, "1m").await;
        beat(&bench, &run, &token).await.unwrap();
        complete(&bench, &run, &token, report).await.unwrap();
        assert_eq!(looked(&bench, "0s").await.status, status);
    }
}

#[tokio::test]
async fn the_deadline_holds_for_reported_work() {
    let bench = Bench::new();
    let mut draft = reporting("import");
    draft.deadline = Some(duration("10m"));
    let (run, token) = taken(&bench, draft).await;
    for _ in 0..2 {
        looked(&bench, "4m").await;
        beat(&bench, &run, &token).await.unwrap();
    }
    let run = looked(&bench, "2m").await;
    assert_eq!((run.status, run.reason), (RunStatus::TimedOut, Some(Reason::Deadline)));
}

#[tokio::test]
async fn a_token_is_good_for_its_run_and_hidden_in_what_comes_back() {
    let bench = Bench::new();
    let (run, token) = taken(&bench, reporting("import")).await;
    for wrong in ["", "x", "srt_1_00", &token[..20], &token.replace("srt_1", "srt_2")] {
        assert!(matches!(beat(&bench, &run, wrong).await, Err(Refusal::Unknown)), "{wrong}");
    }
    let other = bench.callbacks.token(run.id, 7);
    assert!(
        matches!(beat(&bench, &run, other.reveal()).await, Err(Refusal::Over(_))),
        "a lease there was not"
    );
    let elsewhere = bench.callbacks.heartbeat("other", run.id, &token, None, None).await;
    assert!(matches!(elsewhere, Err(Refusal::NoRun)));
    let said = format!("my token is {token}");
    bench.callbacks.log("default", run.id, &token, None, &said).await.unwrap();
    let report = Report { ending: Ending::Succeeded, output: Some(said) };
    complete(&bench, &run, &token, report.clone()).await.unwrap();
    complete(&bench, &run, &token, report).await.unwrap();
    let run = looked(&bench, "0s").await;
    let line = bench.logs.page(run.id, 0, 10).await.unwrap().entries.remove(0).line.text;
    assert_eq!(line, "my token is ***");
    assert!(!format!("{run:?}").contains(&token));
}

#[tokio::test]
async fn a_long_output_is_cut_and_marked() {
    let bench = Bench::new();
    let (run, token) = taken(&bench, reporting("import")).await;
    let report = Report { ending: Ending::Succeeded, output: Some("ü".repeat(50_000)) };
    complete(&bench, &run, &token, report.clone()).await.unwrap();
    complete(&bench, &run, &token, report).await.unwrap();
    let run = looked(&bench, "0s").await;
    let Some(Details::Callback(record)) = &run.attempts[0].details else { panic!("{run:?}") };
    assert_eq!((record.output.as_ref().unwrap().len(), record.output_truncated), (65_536, true));
}
