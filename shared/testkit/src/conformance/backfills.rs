//! Backfills: kept whole, compared by version, written together with their runs, found when they are due.

use domain::{Backfill, BackfillId, BackfillOrder, Instant, Job, Overlap, Reason, Run, RunStatus};
use engine::BackfillQuery;
use serde_json::json;

use super::Fixture;
use super::support::{all_runs, decide, succeeded};
use crate::fixtures::{at, job};

const NOW: &str = "2026-11-24T12:00:00Z";

/// A backfill of every minute of an hour, `number` milliseconds younger than the first.
fn backfill(job: &Job, overlap: Overlap, number: i64) -> Backfill {
    let order = BackfillOrder {
        from: at("2026-11-24T10:00:00Z"),
        to: at("2026-11-24T11:00:00Z"),
        overlap,
        max: 100,
        payload: None,
    };
    let now = at(NOW) + chrono::TimeDelta::milliseconds(number);
    Backfill::create(job, order, BackfillId::new(now, 7), now).unwrap()
}

async fn insert(it: &Fixture, backfill: &Backfill) -> bool {
    it.store.insert_backfill(backfill).await.unwrap()
}

async fn stored(it: &Fixture, backfill: &Backfill) -> Option<Backfill> {
    it.store.backfill(&backfill.project, backfill.id).await.unwrap()
}

async fn replace(it: &Fixture, backfill: &Backfill, runs: &[Run]) -> bool {
    it.store.replace_backfill(backfill, runs).await.unwrap()
}

async fn due(it: &Fixture, now: Instant, limit: u32) -> Vec<BackfillId> {
    it.store.due_backfills(now, limit).await.unwrap().into_iter().map(|it| it.id).collect()
}

/// A stored backfill is found by its id, as it was stored, in its project.
pub async fn every_field_of_a_backfill_survives(it: &Fixture) {
    let job = job("répört").cron("*/5 * * * *", "Europe/Paris").ending("2099-01-01T00:00:00Z").build();
    it.insert(&job).await;
    let mut rich = backfill(&job, Overlap::AllowAll, 0);
    rich.details.order.payload = Some(json!({"text": "“ü” \\n🦀", "n": [0.1, null]}));
    assert!(insert(it, &rich).await);
    assert_eq!(stored(it, &rich).await, Some(rich.clone()));
    assert_eq!(it.store.backfill("other", rich.id).await.unwrap(), None);
    let cancelled = rich.cancelled(Reason::Requested, at("2026-11-24T12:00:01.234Z")).unwrap();
    assert!(replace(it, &cancelled, &[]).await);
    assert_eq!(stored(it, &rich).await, Some(cancelled));
}

/// There is no backfill of a job that is gone, or of another project's.
pub async fn a_backfill_needs_its_job(it: &Fixture) {
    let job = job("report").build();
    let new = backfill(&job, Overlap::BufferAll, 0);
    assert!(!insert(it, &new).await);
    it.insert(&job).await;
    assert!(!insert(it, &Backfill { project: "other".to_owned(), ..new.clone() }).await);
    assert_eq!(stored(it, &new).await, None);
    assert!(insert(it, &new).await);
}

/// The next version takes the place of the one before, and its runs are there with it; any other changes nothing.
pub async fn the_next_version_brings_its_runs(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let first = backfill(&job, Overlap::AllowAll, 0);
    insert(it, &first).await;
    let (second, runs) = first.advanced(&job, 0, at(NOW)).unwrap();
    let stale = Backfill { version: 3, ..second.clone() };
    assert!(!replace(it, &stale, &runs).await);
    assert_eq!(it.runs(&all_runs("default")).await.items.len(), 0);
    assert_eq!(stored(it, &first).await, Some(first.clone()));
    assert!(replace(it, &second, &runs).await);
    assert!(!replace(it, &second, &runs).await, "it is there already");
    assert_eq!(stored(it, &first).await, Some(second));
    for run in &runs {
        assert_eq!(it.run(run).await, *run);
    }
    let (pending, all) = (RunStatus::Pending, runs.len() as u64);
    assert_eq!(it.store.backfill_counts(first.id).await.unwrap(), [(pending, all)]);
}

/// Runs that are there already are left as they are, and are the backfill's.
pub async fn its_runs_are_made_once(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let first = backfill(&job, Overlap::AllowAll, 0);
    insert(it, &first).await;
    let (second, runs) = first.advanced(&job, 0, at(NOW)).unwrap();
    replace(it, &second, &runs).await;
    it.settle(&[succeeded(&runs[0], NOW)]).await;
    let third = Backfill { version: 3, ..second };
    assert!(replace(it, &third, &runs).await);
    assert_eq!(it.run(&runs[0]).await.status, RunStatus::Succeeded);
    assert_eq!(it.runs(&all_runs("default")).await.items.len(), runs.len());
    let counts = it.store.backfill_counts(first.id).await.unwrap();
    assert_eq!(counts, [(RunStatus::Pending, runs.len() as u64 - 1), (RunStatus::Succeeded, 1)]);
}

/// The longest due first; one that has ended is due no more.
pub async fn backfills_are_found_when_they_are_due(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let all: Vec<_> = (0..3).map(|number| backfill(&job, Overlap::BufferAll, number)).collect();
    for backfill in all.iter().rev() {
        insert(it, backfill).await;
    }
    let ids: Vec<_> = all.iter().map(|it| it.id).collect();
    assert_eq!(due(it, at(NOW), 10).await, ids[..1]);
    let later = at("2026-11-24T12:00:01Z");
    assert_eq!(due(it, later, 2).await, ids[..2]);
    assert!(replace(it, &all[0].cancelled(Reason::Requested, later).unwrap(), &[]).await);
    let (advanced, runs) = all[1].advanced(&job, 0, later).unwrap();
    assert!(replace(it, &advanced, &runs).await);
    assert_eq!(due(it, later, 10).await, ids[2..]);
    assert_eq!(due(it, at("2026-11-24T13:00:00Z"), 10).await, [ids[2], ids[1]]);
}

/// Newest first, those of one job of one project, page by page.
pub async fn backfills_are_listed_by_job(it: &Fixture) {
    let (one, other) = (job("one").build(), job("other").build());
    it.insert(&one).await;
    it.insert(&other).await;
    insert(it, &backfill(&other, Overlap::BufferAll, 9)).await;
    for number in 0..3 {
        insert(it, &backfill(&one, Overlap::BufferAll, number)).await;
    }
    let mut query = BackfillQuery { project: "default".to_owned(), job: one.id, after: None, limit: 2 };
    let page = it.store.backfills(&query).await.unwrap();
    let ages: Vec<_> = page.items.iter().map(|it| (it.created_at - at(NOW)).num_milliseconds()).collect();
    assert_eq!((ages, page.has_more), (vec![2, 1], true));
    query.after = page.items.last().map(|last| last.id);
    let page = it.store.backfills(&query).await.unwrap();
    assert_eq!((page.items.len(), page.has_more), (1, false));
    "other".clone_into(&mut query.project);
    assert!(it.store.backfills(&query).await.unwrap().items.is_empty());
}

/// A backfill under way keeps nothing of the schedule from firing.
pub async fn its_runs_are_not_counted_as_active(it: &Fixture) {
    let job = job("report").created("2026-11-24T11:59:30Z").build();
    it.insert(&job).await;
    let first = backfill(&job, Overlap::AllowAll, 0);
    insert(it, &first).await;
    let (second, runs) = first.advanced(&job, 0, at(NOW)).unwrap();
    assert!(replace(it, &second, &runs).await);
    let mut told = Vec::new();
    let mut decide_on = decide(at("2026-11-24T12:00:30Z"));
    it.fire_by("2026-11-24T12:00:30Z", 10, &mut |due| {
        told.push(due.active);
        decide_on(due)
    })
    .await;
    assert_eq!(told, [0]);
    assert_eq!(it.store.unfinished_runs(job.id, 100).await.unwrap().len(), runs.len() + 1);
}

/// What was asked for may be as large as a request may be.
pub async fn a_large_payload_survives(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let mut large = backfill(&job, Overlap::BufferAll, 0);
    large.details.order.payload = Some(json!("x".repeat(200_000)));
    assert!(insert(it, &large).await);
    let (next, runs) = large.advanced(&job, 0, at(NOW)).unwrap();
    assert!(replace(it, &next, &runs).await);
    assert_eq!(it.run(&runs[0]).await, runs[0]);
    assert_eq!(stored(it, &large).await, Some(next));
}
