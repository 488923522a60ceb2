//! Jobs that are paused: until an instant, after failures, or because their target is gone.

use std::collections::BTreeMap;

use domain::run::{AttemptError, ResponseRecord};
use domain::{JobDraft, JobState, Outcome, Reason, RunStatus, Verdict};
use testkit::{Step, at, job};

use super::bench::{Bench, key};

fn fragile(after: Option<u32>) -> JobDraft {
    let mut draft = job("fragile").every("1m").attempts(1, "1s").draft();
    draft.pause_after_failures = after;
    draft
}

async fn state(bench: &Bench, name: &str) -> (JobState, Option<String>) {
    bench.quiet().await;
    let job = bench.scheduler.job("default", &key(name)).await.unwrap().job.unwrap();
    (job.state, job.pause.and_then(|pause| pause.reason))
}

fn failure() -> Verdict {
    Verdict::fatal("http_status", "404")
}

#[tokio::test]
async fn a_job_is_paused_after_so_many_failures_in_a_row() {
    let bench = Bench::new();
    bench.create(fragile(Some(3))).await;
    let success = Verdict::Succeeded;
    bench.executor.script("fragile", [failure(), failure(), success, failure(), failure(), failure()]);
    for run in 1..=6 {
        assert_eq!(state(&bench, "fragile").await.0, JobState::Active, "before run {run}");
        bench.look_after("1m").await;
        bench.settled().await;
    }
    let reason = "paused after 3 failed runs in a row".to_owned();
    assert_eq!(state(&bench, "fragile").await, (JobState::Paused, Some(reason)));
    bench.look_after("10m").await;
    assert_eq!(bench.settled().await.len(), 6, "it does not fire any more");

    // Resumed, it has as many tries again.
    bench.executor.script("fragile", [failure(), failure(), failure()]);
    bench.scheduler.resume("default", &key("fragile"), None).await.unwrap();
    for _ in 0..2 {
        bench.look_after("1m").await;
        bench.settled().await;
        assert_eq!(state(&bench, "fragile").await.0, JobState::Active);
    }
    bench.look_after("1m").await;
    bench.settled().await;
    assert_eq!(state(&bench, "fragile").await.0, JobState::Paused);
}

/// Only the last attempt of a run counts.
#[tokio::test]
async fn a_run_that_succeeds_at_last_has_not_failed() {
    let bench = Bench::new();
    let mut draft = fragile(Some(1));
    draft.retry = job("x").attempts(2, "1s").draft().retry;
    bench.create(draft).await;
    bench.executor.script("fragile", [Verdict::retryable("connect", "refused"), Verdict::Succeeded]);
    bench.look_after("1m").await;
    bench.settled().await;
    bench.look_after("1s").await;
    bench.settled().await;
    assert_eq!(state(&bench, "fragile").await.0, JobState::Active);
}

/// Standard Webhooks: 410 Gone means that the receiver wants no more calls.
#[tokio::test]
async fn a_target_that_is_gone_pauses_the_job() {
    let bench = Bench::new();
    bench.create(fragile(None)).await;
    let error = AttemptError { code: "http_status".to_owned(), message: "410".to_owned() };
    let gone = Outcome {
        verdict: Verdict::Failed { error, retryable: false, retry_after: None },
        request: None,
        response: Some(ResponseRecord {
            status: 410,
            headers: BTreeMap::new(),
            body: None,
            body_truncated: false,
        }),
        details: None,
    };
    bench.executor.script("fragile", [Step::Answer(Box::new(gone))]);
    bench.look_after("1m").await;
    bench.settled().await;
    let (state, reason) = state(&bench, "fragile").await;
    assert_eq!(state, JobState::Paused);
    assert!(reason.unwrap().contains("410 Gone"));
}

#[tokio::test]
async fn a_pause_ends_by_itself_and_fires_nothing_of_the_past() {
    let bench = Bench::new();
    bench.create(job("report").every("1m").draft()).await;
    let until = at("2026-11-24T00:05:30Z");
    bench.scheduler.pause("default", &key("report"), Some("a while"), Some(until), None).await.unwrap();
    bench.look_after("5m").await;
    assert_eq!(bench.settled().await.len(), 0);
    assert_eq!(state(&bench, "report").await, (JobState::Paused, Some("a while".to_owned())));
    bench.look_after("30s").await;
    assert_eq!(state(&bench, "report").await, (JobState::Active, None));
    let runs = bench.settled().await;
    assert_eq!(
        (runs.len(), runs[0].status, runs[0].reason, runs[0].count),
        (1, RunStatus::Missed, Some(Reason::Paused), 5)
    );
    bench.look_after("30s").await;
    let runs = bench.settled().await;
    assert_eq!((runs.len(), runs[1].scheduled_for), (2, at("2026-11-24T00:06:00Z")));
    // What is left of the pause in the definition does no harm: it can be edited, paused and resumed again.
    let mut draft = job("report").every("1m").draft();
    draft.description = "edited".to_owned();
    let edited = bench.scheduler.replace("default", &key("report"), draft, None).await.unwrap().job.unwrap();
    assert_eq!((edited.state, edited.next_fire_at), (JobState::Active, Some(at("2026-11-24T00:07:00Z"))));
    bench.look_after("1m").await;
    assert_eq!(bench.settled().await.len(), 3);
}

/// Somebody may be quicker than the end of the pause, or change it.
#[tokio::test]
async fn a_pause_that_would_end_can_be_ended_or_prolonged() {
    let bench = Bench::new();
    bench.create(job("report").every("1m").draft()).await;
    let pause = |until: &'static str| {
        let (scheduler, key) = (bench.scheduler.clone(), key("report"));
        async move { scheduler.pause("default", &key, None, Some(at(until)), None).await.unwrap() }
    };
    pause("2026-11-24T00:02:00Z").await;
    pause("2026-11-24T00:04:00Z").await;
    bench.look_after("3m").await;
    assert_eq!(state(&bench, "report").await.0, JobState::Paused);
    bench.scheduler.resume("default", &key("report"), None).await.unwrap();
    bench.look_after("1m").await;
    let runs = bench.settled().await;
    assert_eq!((runs.len(), runs[0].count, runs[1].status), (2, 3, RunStatus::Succeeded));
}

/// The service was away when the pause ended: what was due since is late, and not paused.
#[tokio::test]
async fn what_is_due_after_a_pause_has_ended_is_not_lost_where_its_end_is_noticed_late() {
    let bench = Bench::new();
    bench.create(job("report").every("1m").draft()).await;
    let until = at("2026-11-24T00:05:30Z");
    bench.scheduler.pause("default", &key("report"), None, Some(until), None).await.unwrap();
    bench.look_after("8m20s").await;
    let runs = bench.settled().await;
    let gist: Vec<_> = runs.iter().map(|run| (run.status, run.reason, run.count)).collect();
    let missed = |reason, count| (RunStatus::Missed, Some(reason), count);
    let ran = (RunStatus::Succeeded, None, 1);
    assert_eq!(gist, [missed(Reason::Paused, 5), missed(Reason::Downtime, 2), ran]);
    assert_eq!(runs[2].scheduled_for, at("2026-11-24T00:08:00Z"));
    assert!(runs.iter().all(|run| run.created_at == at("2026-11-24T00:08:20Z")));
    assert_eq!(state(&bench, "report").await, (JobState::Active, None));
}
