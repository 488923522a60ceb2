//! Slots: no more than the limit, each for as long as its run has the lease it was taken under.

use domain::{Job, Run, RunKind};

use super::Fixture;
use super::support::{lease, succeeded, to_be_retried};
use crate::fixtures::{at, job};

/// `count` runs of `job`, all leased.
async fn running(it: &Fixture, job: &Job, count: u64) -> Vec<Run> {
    let now = at("2026-11-24T00:00:10Z");
    for nonce in 0..count {
        assert!(it.insert_run(&Run::pending(job, RunKind::Manual, now, now, nonce)).await);
    }
    let leased = it.store.lease_runs(now, &lease("w", "2026-11-24T00:00:40Z"), 100).await.unwrap();
    let mut runs: Vec<Run> = leased.into_iter().map(|leased| leased.run).collect();
    runs.retain(|run| run.job_id == job.id);
    runs.sort_by_key(|run| run.id);
    runs
}

async fn take(it: &Fixture, run: &Run, limit: u32) -> bool {
    it.store.take_slot(run, limit).await.unwrap()
}

async fn held(it: &Fixture, job: &Job) -> usize {
    it.store.slots(job.id).await.unwrap().len()
}

/// As many as may, and not one more; another limit counts for whoever asks with it.
pub async fn slots_are_taken_up_to_the_limit(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let runs = running(it, &job, 4).await;
    assert!(!take(it, &runs[0], 0).await);
    assert!(take(it, &runs[0], 2).await);
    assert!(take(it, &runs[1], 2).await);
    assert!(!take(it, &runs[2], 2).await);
    let mut holders = it.store.slots(job.id).await.unwrap();
    holders.sort();
    assert_eq!(holders, [runs[0].id, runs[1].id]);
    assert!(take(it, &runs[2], 3).await);
    assert!(!take(it, &runs[3], 1).await);
    assert_eq!(held(it, &job).await, 3);
}

/// Asking twice is no second slot.
pub async fn a_slot_is_taken_again_by_its_run(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let runs = running(it, &job, 2).await;
    assert!(take(it, &runs[0], 1).await);
    assert!(take(it, &runs[0], 1).await);
    assert_eq!(held(it, &job).await, 1);
    assert!(!take(it, &runs[1], 1).await);
}

/// It is free once its run has ended, was handed back, or was taken over, and nobody has to say so.
pub async fn a_slot_lasts_as_long_as_its_lease(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let runs = running(it, &job, 4).await;
    assert!(take(it, &runs[0], 1).await);
    assert_eq!(it.settle(&[succeeded(&runs[0], "2026-11-24T00:00:11Z")]).await, [true]);
    assert_eq!(held(it, &job).await, 0);
    assert!(take(it, &runs[1], 1).await);
    assert_eq!(it.settle(&[to_be_retried(&runs[1], "2026-11-24T02:00:00Z")]).await, [true]);
    assert_eq!(held(it, &job).await, 0);
    assert!(take(it, &runs[2], 1).await);
    let over = it.lease("b", "2026-11-24T00:00:40Z", "2026-11-24T00:01:10Z").await;
    let taken_over = &over.iter().find(|leased| leased.run.id == runs[2].id).unwrap().run;
    assert_eq!(held(it, &job).await, 0, "whoever had it has it no more");
    assert!(take(it, taken_over, 1).await);
    assert_eq!(it.store.slots(job.id).await.unwrap(), [runs[2].id]);
    let again = it.lease("c", "2026-11-24T02:00:00Z", "2026-11-24T02:00:30Z").await;
    let retried = &again.iter().find(|leased| leased.run.id == runs[1].id).unwrap().run;
    assert!(take(it, retried, 1).await, "the lease of the other one has run out and was taken over");
}

/// Every job has its own.
pub async fn slots_are_of_one_job(it: &Fixture) {
    let (one, two) = (job("one").build(), job("two").project("other").build());
    for job in [&one, &two] {
        it.insert(job).await;
        let runs = running(it, job, 1).await;
        assert!(take(it, &runs[0], 1).await);
        assert_eq!(held(it, job).await, 1);
    }
}

/// A run of a job that is gone is not to be started.
pub async fn a_deleted_job_has_no_slots(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let runs = running(it, &job, 2).await;
    assert!(take(it, &runs[0], 2).await);
    assert!(it.delete(&job, "2026-11-24T00:00:20Z").await);
    assert!(!take(it, &runs[1], 2).await);
}
