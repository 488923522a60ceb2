//! Creating, editing, pausing and deleting through the scheduler.

use domain::{JobState, Reason, RunStatus};
use engine::{SchedulerError, Store};
use serde_json::json;
use testkit::{at, job};

use super::bench::{Bench, key};

#[tokio::test]
async fn an_edit_that_is_not_about_time_keeps_the_next_occurrence() {
    let bench = Bench::new();
    bench.create(job("report").every("1h").draft()).await;
    bench.look_after("10m").await;
    let edited =
        bench.scheduler.patch("default", &key("report"), &json!({"description": "new"}), Some(1)).await;
    let edited = edited.unwrap().job.unwrap();
    assert_eq!((edited.version, edited.next_fire_at), (2, Some(at("2026-11-24T01:00:00Z"))));
    // The same draft again, as a declarative client sends it: the grid stays.
    let same =
        bench.scheduler.replace("default", &key("report"), job("report").every("1h").draft(), None).await;
    assert_eq!(same.unwrap().job.unwrap().next_fire_at, Some(at("2026-11-24T01:00:00Z")));
}

#[tokio::test]
async fn an_edit_of_the_schedule_is_due_from_now_on() {
    let bench = Bench::new();
    bench.create(job("report").every("1h").draft()).await;
    bench.look_after("10m").await;
    let patch = json!({"schedule": {"type": "interval", "every": "30m", "anchor": null}});
    let edited = bench.scheduler.patch("default", &key("report"), &patch, None).await.unwrap().job.unwrap();
    assert_eq!(edited.next_fire_at, Some(at("2026-11-24T00:40:00Z")));
}

#[tokio::test]
async fn stale_and_invalid_edits_change_nothing() {
    let bench = Bench::new();
    bench.create(job("report").every("1h").draft()).await;
    let stale = bench.scheduler.patch("default", &key("report"), &json!({"description": "x"}), Some(7)).await;
    assert!(
        matches!(stale, Err(SchedulerError::Stale { what: "job", expected: 7, current: 1 })),
        "{stale:?}"
    );
    let invalid =
        bench.scheduler.patch("default", &key("report"), &json!({"schedule": {"every": "0s"}}), None).await;
    let Err(SchedulerError::Invalid(invalid)) = invalid else { panic!("{invalid:?}") };
    assert_eq!(invalid.0[0].pointer, "/schedule/every");
    assert_eq!(bench.scheduler.job("default", &key("report")).await.unwrap().job.unwrap().version, 1);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let bench = Bench::new();
    bench.create(job("report").every("1h").draft()).await;
    let second = bench.scheduler.create("default", job("report").every("2h").draft()).await;
    assert!(matches!(second, Err(SchedulerError::NameTaken(_))), "{second:?}");
    let elsewhere = bench.scheduler.create("other", job("report").every("2h").draft()).await;
    assert!(elsewhere.is_ok());
}

/// Bug class 8.
#[tokio::test]
async fn class_8_resuming_never_fires_the_past_and_accounts_for_it() {
    let bench = Bench::new();
    bench.create(job("report").every("1m").draft()).await;
    let paused =
        bench.scheduler.pause("default", &key("report"), Some("maintenance"), None, None).await.unwrap();
    assert_eq!(paused.job.unwrap().state, JobState::Paused);
    assert_eq!(bench.look_after("10m30s").await.fired, 0);
    let resumed = bench.scheduler.resume("default", &key("report"), None).await.unwrap().job.unwrap();
    assert_eq!(resumed.next_fire_at, Some(at("2026-11-24T00:11:00Z")));
    bench.dispatcher.look().await.unwrap();
    let runs = bench.settled().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (runs[0].status, runs[0].reason, runs[0].count),
        (RunStatus::Missed, Some(Reason::Paused), 10)
    );
    assert!(bench.executor.calls().is_empty());
}

#[tokio::test]
async fn a_job_that_cannot_be_read_can_be_replaced_or_deleted_only() {
    let bench = Bench::new();
    let broken = bench.create(job("broken").every("1h").draft()).await;
    testkit::Backdoor::corrupt(&*bench.store, broken.id).await;
    let paused = bench.scheduler.pause("default", &key("broken"), None, None, None).await;
    assert!(matches!(paused, Err(SchedulerError::Conflict(_))), "{paused:?}");
    let mended =
        bench.scheduler.replace("default", &key("broken"), job("broken").every("1h").draft(), None).await;
    let mended = mended.unwrap().job.unwrap();
    assert_eq!((mended.id, mended.state), (broken.id, JobState::Active));
    bench.scheduler.delete("default", &key("broken"), None).await.unwrap();
    assert_eq!(bench.store.next_due().await.unwrap(), None);
}
