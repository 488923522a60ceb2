//! Runs on request that are to have another body or another overlap policy than their job.

use domain::target::HttpTarget;
use domain::{Asked, JobDraft, Overlap, Reason, Run, RunKind, RunStatus, Target};
use engine::{SchedulerError, Store};
use serde_json::json;
use testkit::job;

use super::bench::{Bench, key};

fn draft(name: &str) -> JobDraft {
    let mut draft = job(name).every("1h").draft();
    draft.target = Target::Http(HttpTarget {
        method: "POST".to_owned(),
        url: "https://example.com/".to_owned(),
        headers: [].into(),
        body: Some(json!({"full": true})),
        success: vec!["2xx".parse().unwrap()],
        callback: false,
        heartbeat: None,
    });
    draft
}

fn overlapping(overlap: Overlap) -> Asked {
    Asked { overlap: Some(overlap), ..Asked::default() }
}

fn statuses(runs: &[Run]) -> Vec<RunStatus> {
    runs.iter().map(|run| run.status).collect()
}

#[tokio::test]
async fn a_payload_is_sent_in_place_of_the_body_by_every_attempt() {
    let bench = Bench::new();
    bench.create(JobDraft { retry: job("x").attempts(2, "1s").draft().retry, ..draft("report") }).await;
    bench.executor.script("report", [domain::Verdict::retryable("connect", "refused")]);
    let asked = Asked { payload: Some(json!({"full": false})), ..Asked::default() };
    bench.scheduler.run_as_asked("default", &key("report"), asked).await.unwrap();
    bench.look_after("0s").await;
    bench.settled_count(0).await;
    bench.settled().await;
    bench.look_after("1s").await;
    bench.settled_count(1).await;
    let bodies: Vec<_> = bench
        .executor
        .calls()
        .iter()
        .map(|it| match &it.call.target {
            Target::Http(http) => http.body.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(bodies, [Some(json!({"full": false})), Some(json!({"full": false}))]);
}

/// The job's target may change while the run waits: what it was asked to send is not left out silently.
#[tokio::test]
async fn a_payload_that_its_target_no_longer_takes_fails_the_run() {
    let bench = Bench::new();
    bench.create(draft("report")).await;
    let asked = Asked { payload: Some(json!(1)), ..Asked::default() };
    bench.scheduler.run_as_asked("default", &key("report"), asked).await.unwrap();
    bench.scheduler.replace("default", &key("report"), job("report").draft(), None).await.unwrap();
    bench.look_after("0s").await;
    let runs = bench.settled_count(1).await;
    assert_eq!(statuses(&runs), [RunStatus::Failed]);
    assert_eq!(runs[0].attempts[0].error.as_ref().unwrap().code, "payload");
    assert!(bench.executor.calls().is_empty());
}

#[tokio::test]
async fn a_buffered_run_waits_for_those_before_it() {
    let bench = Bench::new();
    bench.create(draft("slow")).await;
    let gate = bench.executor.hold();
    bench.scheduler.run_now("default", &key("slow")).await.unwrap();
    bench.look_after("1s").await;
    bench.executor.started(1).await;
    bench.scheduler.run_as_asked("default", &key("slow"), overlapping(Overlap::BufferAll)).await.unwrap();
    bench.look_after("1s").await;
    bench.quiet().await;
    assert_eq!(bench.executor.calls().len(), 1);
    gate.open();
    bench.settled_count(1).await;
    bench.look_after("5s").await;
    let runs = bench.settled_count(2).await;
    assert_eq!(statuses(&runs), [RunStatus::Succeeded; 2]);
}

/// Two requests at once both find room; the later one finds out when its turn comes.
#[tokio::test]
async fn of_two_runs_that_were_not_to_overlap_one_is_skipped() {
    let bench = Bench::new();
    let job = bench.create(draft("slow")).await;
    let gate = bench.executor.hold();
    for nonce in [1, 2] {
        let now = bench.clock.now();
        let run = Run {
            asked: overlapping(Overlap::Skip).boxed(),
            ..Run::pending(&job, RunKind::Manual, now, now, nonce)
        };
        assert!(bench.store.insert_run(&run).await.unwrap());
    }
    bench.look_after("0s").await;
    gate.open();
    let runs = bench.settled_count(1).await;
    assert_eq!(statuses(&runs), [RunStatus::Succeeded, RunStatus::Skipped]);
    assert_eq!(runs[1].reason, Some(Reason::Overlap));
}

#[tokio::test]
async fn a_policy_without_room_is_refused() {
    let bench = Bench::new();
    bench.create(draft("slow")).await;
    bench.scheduler.run_now("default", &key("slow")).await.unwrap();
    let refused = bench.scheduler.run_as_asked("default", &key("slow"), overlapping(Overlap::Skip)).await;
    assert!(matches!(refused, Err(SchedulerError::Conflict(_))), "{refused:?}");
    assert_eq!(bench.runs().await.len(), 1);
}
