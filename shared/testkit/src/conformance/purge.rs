//! Forgetting: what ended long ago goes, bit by bit; what is not finished, and each job's latest, stays.

use domain::settle::Progress;
use domain::{Backfill, BackfillId, BackfillOrder, Instant, Job, Overlap, Reason, Run, RunId, RunKind};
use engine::Purged;

use super::Fixture;
use super::logs::{append, read};
use super::support::{all_runs, ids, succeeded};
use crate::fixtures::{at, job};

/// A run of `job`'s occurrence at `hour` o'clock, ended a minute later.
async fn ended(it: &Fixture, job: &Job, hour: u32) -> RunId {
    let when = format!("2026-11-24T{hour:02}:00:00Z");
    let run = Run::pending(job, RunKind::Schedule, at(&when), at(&when), 0);
    assert!(it.insert_run(&run).await);
    let done = succeeded(&run, &format!("2026-11-24T{hour:02}:01:00Z"));
    assert_eq!(it.settle(&[done]).await, [true]);
    run.id
}

async fn waiting(it: &Fixture, job: &Job, hour: u32) -> RunId {
    let when = at(&format!("2026-11-24T{hour:02}:00:00Z"));
    let run = Run::pending(job, RunKind::Schedule, when, when, 0);
    assert!(it.insert_run(&run).await);
    run.id
}

/// Removes what ended before `before`, in steps of `limit`; returns how many runs went in each step.
async fn purge(it: &Fixture, before: &str, limit: u32) -> Vec<u64> {
    let (mut after, mut steps) = (None, Vec::new());
    loop {
        let Purged { removed, next } = it.store.purge_old(at(before), after, limit).await.unwrap();
        steps.push(removed);
        if next.is_none() {
            return steps;
        }
        assert!(next > after, "it goes on");
        after = next;
    }
}

async fn excess(it: &Fixture, keep: u32, before: &str) -> u64 {
    it.store.purge_excess(keep, at(before), None, 100).await.unwrap().removed
}

/// Oldest first.
async fn left(it: &Fixture) -> Vec<RunId> {
    let mut left = ids(&it.runs(&all_runs("default")).await);
    left.reverse();
    left
}

/// Old finished runs go; the latest finished run of a job stays, however old, and so does what is not finished.
pub async fn old_runs_go_but_for_the_latest_and_the_unfinished(it: &Fixture) {
    let (busy, idle) = (job("busy").build(), job("idle").build());
    it.insert(&busy).await;
    it.insert(&idle).await;
    let idle_latest = {
        ended(it, &idle, 1).await;
        ended(it, &idle, 2).await
    };
    let stuck = waiting(it, &busy, 3).await;
    for hour in 4..8 {
        ended(it, &busy, hour).await;
    }
    let young = ended(it, &busy, 8).await;
    assert_eq!(purge(it, "2026-11-24T08:00:30Z", 100).await, [5]);
    assert_eq!(left(it).await, [idle_latest, stuck, young]);
    assert_eq!(purge(it, "2026-11-24T08:00:30Z", 100).await, [0], "a second time there is nothing to do");
    let last = it.find(&idle).await.unwrap().last_run.unwrap();
    assert_eq!(last.id, idle_latest);
}

/// The latest of all may be waiting: the latest that has ended stays with it.
pub async fn a_run_that_waits_is_not_the_latest(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    ended(it, &job, 1).await;
    let latest = ended(it, &job, 2).await;
    let waits = waiting(it, &job, 3).await;
    assert_eq!(purge(it, "2026-11-25T00:00:00Z", 100).await, [1]);
    assert_eq!(excess(it, 1, "2026-11-25T00:00:00Z").await, 0);
    assert_eq!(left(it).await, [latest, waits]);
}

/// Of a job that is gone nothing need stay.
pub async fn runs_of_deleted_jobs_go_altogether(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    ended(it, &job, 1).await;
    ended(it, &job, 2).await;
    let young = ended(it, &job, 9).await;
    assert!(it.delete(&job, "2026-11-24T09:30:00Z").await);
    assert_eq!(purge(it, "2026-11-24T09:00:00Z", 100).await, [2]);
    assert_eq!(left(it).await, [young]);
    assert_eq!(purge(it, "2026-11-24T10:00:00Z", 100).await, [1]);
}

/// Age is that of the end, not of the nominal time: a run of long ago may have ended just now.
pub async fn age_counts_from_the_end(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let late =
        Run::pending(&job, RunKind::Backfill, at("2020-01-01T00:00:00Z"), at("2026-11-24T05:00:00Z"), 1);
    assert!(it.insert_run(&late).await);
    it.settle(&[succeeded(&late, "2026-11-24T05:00:01Z")]).await;
    let latest = ended(it, &job, 6).await;
    assert_eq!(purge(it, "2026-11-24T05:00:01Z", 100).await, [0]);
    assert_eq!(excess(it, 1, "2026-11-24T05:00:01Z").await, 0);
    assert_eq!(purge(it, "2026-11-24T05:00:01.001Z", 100).await, [1]);
    assert_eq!(left(it).await, [latest]);
}

/// A look goes no further than its limit, and the next goes on where it stopped, past what is kept.
pub async fn old_runs_go_in_steps(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    for hour in 0..3 {
        waiting(it, &job, hour).await;
    }
    for hour in 3..10 {
        ended(it, &job, hour).await;
    }
    assert_eq!(purge(it, "2026-11-25T00:00:00Z", 4).await, [1, 4, 1]);
    assert_eq!(left(it).await.len(), 4);
}

/// Of each job the newest stay, in whichever project it is; a thousand of one job go at a time.
pub async fn runs_beyond_a_number_go(it: &Fixture) {
    let (one, two) = (job("one").build(), job("two").project("other").build());
    it.insert(&one).await;
    it.insert(&two).await;
    let mut runs = Vec::new();
    for hour in 0..6 {
        runs.push(ended(it, &one, hour).await);
        ended(it, &two, hour).await;
    }
    let stuck = waiting(it, &one, 7).await;
    assert_eq!(excess(it, 6, "2026-11-25T00:00:00Z").await, 0);
    assert_eq!(excess(it, 4, "2026-11-25T00:00:00Z").await, 4);
    assert_eq!(left(it).await, [&runs[2..], &[stuck]].concat());
    assert_eq!(ids(&it.runs(&all_runs("other")).await).len(), 4);
    assert_eq!(excess(it, 4, "2026-11-25T00:00:00Z").await, 0);
    assert_eq!(excess(it, 1, "2026-11-24T04:00:30Z").await, 4, "none that ended later");
    assert_eq!(excess(it, 0, "2026-11-25T00:00:00Z").await, 2, "one stays at least");
}

/// Jobs are walked through like runs.
pub async fn jobs_are_looked_at_in_steps(it: &Fixture) {
    for index in 0..5 {
        let job = job(&format!("job-{index}")).build();
        it.insert(&job).await;
        for hour in 0..3 {
            ended(it, &job, hour).await;
        }
    }
    let (mut after, mut steps) = (None, Vec::new());
    loop {
        let purged = it.store.purge_excess(1, at("2026-11-25T00:00:00Z"), after, 2).await.unwrap();
        steps.push(purged.removed);
        after = purged.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(steps, [4, 4, 2]);
}

/// Backfills that have ended go with time; one under way stays.
pub async fn ended_backfills_go(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let (from, to) = (at("2026-11-23T00:00:00Z"), at("2026-11-23T00:10:00Z"));
    let mut made = Vec::new();
    for number in 0..3 {
        let order = BackfillOrder { from, to, overlap: Overlap::AllowAll, max: 100, payload: None };
        let now: Instant = at("2026-11-24T00:00:00Z") + chrono::TimeDelta::hours(number);
        let backfill = Backfill::create(&job, order, BackfillId::new(now, 7), now).unwrap();
        assert!(it.store.insert_backfill(&backfill).await.unwrap());
        made.push(backfill);
    }
    for backfill in &made[1..] {
        let (next, runs) = backfill.advanced(&job, 0, backfill.created_at).unwrap();
        assert!(it.store.replace_backfill(&next, &runs).await.unwrap());
        let cancelled = next.cancelled(Reason::Requested, backfill.created_at).unwrap();
        assert!(it.store.replace_backfill(&cancelled, &[]).await.unwrap());
    }
    assert_eq!(it.store.purge_backfills(at("2026-11-24T02:00:00Z"), 100).await.unwrap(), 1);
    for (backfill, stays) in made.iter().zip([true, false, true]) {
        assert_eq!(it.store.backfill("default", backfill.id).await.unwrap().is_some(), stays);
    }
    assert_eq!(it.store.purge_backfills(at("2026-11-25T00:00:00Z"), 1).await.unwrap(), 1);
}

/// Each round is somebody's, once.
pub async fn a_round_is_claimed_once(it: &Fixture) {
    let claim = async |now: &str, next: &str| it.store.claim_purge(at(now), at(next)).await.unwrap();
    assert!(claim("2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z").await);
    assert!(!claim("2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z").await);
    assert!(!claim("2026-11-24T00:59:59.999Z", "2026-11-24T02:00:00Z").await);
    assert!(claim("2026-11-24T01:00:00Z", "2026-11-24T02:00:00Z").await);
    assert!(!claim("2026-11-24T01:00:00Z", "2026-11-24T02:00:00Z").await);
}

/// By age as well as by number.
pub async fn logs_and_reports_go_with_their_run(it: &Fixture) {
    let (aged, busy) = (job("aged").build(), job("busy").build());
    it.insert(&aged).await;
    it.insert(&busy).await;
    let progress =
        Progress { at: at("2026-11-24T01:00:30Z"), percent: Some(50), message: None, told_to_stop_at: None };
    let mut runs = Vec::new();
    for job in [&aged, &busy] {
        for hour in [1, 2] {
            let run = ended(it, job, hour).await;
            append(it, run, &["a line"]).await;
            it.reports.put_progress(run, 1, &progress).await.unwrap();
            runs.push(run);
        }
    }
    purge(it, "2026-11-24T01:30:00Z", 1).await;
    excess(it, 1, "2026-11-24T03:00:00Z").await;
    let stays = left(it).await;
    assert_eq!(stays.len(), 2);
    for run in runs {
        let there = stays.contains(&run);
        assert_eq!(!read(it, run, 0).await.is_empty(), there, "the log of {run}");
        assert_eq!(it.reports.reported(run, 1).await.unwrap().progress.is_some(), there, "{run}");
    }
}
