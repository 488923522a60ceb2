//! What is due while an earlier run goes on: buffered, or in its place.

use domain::{JobDraft, Overlap, Reason, Run, RunStatus};
use testkit::{Step, at, job};

use super::bench::{Bench, key};

/// A bench whose job has a run going on since 00:01 that does not end by itself.
async fn busy(overlap: Overlap) -> (Bench, testkit::Gate) {
    let bench = Bench::new();
    bench.create(JobDraft { overlap, ..job("slow").every("1m").draft() }).await;
    let gate = bench.executor.hold();
    bench.look_after("1m").await;
    bench.executor.started(1).await;
    (bench, gate)
}

/// A minute passes, in which leases are prolonged, and somebody looks.
async fn minute(bench: &Bench) {
    for _ in 0..3 {
        bench.manual.advance(chrono::TimeDelta::seconds(20));
        bench.dispatcher.renew().await.unwrap();
        bench.quiet().await;
    }
    bench.dispatcher.look().await.unwrap();
}

fn gist(runs: &[Run]) -> Vec<(RunStatus, Option<Reason>)> {
    runs.iter().map(|run| (run.status, run.reason)).collect()
}

const SUCCEEDED: (RunStatus, Option<Reason>) = (RunStatus::Succeeded, None);

#[tokio::test]
async fn buffer_one_keeps_the_first_and_skips_the_rest() {
    let (bench, gate) = busy(Overlap::BufferOne).await;
    for _ in 0..3 {
        minute(&bench).await;
    }
    assert_eq!(bench.executor.calls().len(), 1, "one at a time");
    gate.open();
    bench.settled_count(1).await;
    // Woken by the end of the one before: no need to wait until it looks for itself.
    bench.look_after("0s").await;
    let runs = bench.settled().await;
    let full = (RunStatus::Skipped, Some(Reason::BufferFull));
    assert_eq!(gist(&runs), [SUCCEEDED, SUCCEEDED, full, full]);
    assert_eq!(bench.executor.calls()[1].call.scheduled_for, at("2026-11-24T00:02:00Z"));
}

#[tokio::test]
async fn buffer_all_runs_every_one_in_order_and_one_at_a_time() {
    let (bench, gate) = busy(Overlap::BufferAll).await;
    for _ in 0..4 {
        minute(&bench).await;
    }
    assert_eq!(bench.executor.calls().len(), 1);
    for done in 1..=5 {
        gate.release(1);
        bench.settled_count(done).await;
        bench.look_after("0s").await;
        bench.quiet().await;
        assert_eq!(bench.executor.calls().len(), (done + 1).min(5), "the next one starts, and only that");
    }
    let runs = bench.settled().await;
    assert_eq!(gist(&runs), [SUCCEEDED; 5]);
    let called: Vec<_> = bench.executor.calls().iter().map(|it| it.call.scheduled_for).collect();
    assert!(called.is_sorted(), "{called:?}");
}

/// The process that would have woken the next one may die before it does.
#[tokio::test]
async fn a_run_that_waits_for_its_turn_looks_for_itself() {
    let (bench, gate) = busy(Overlap::BufferOne).await;
    minute(&bench).await;
    bench.look_after("1s").await;
    bench.store.fail_by(|call, _| {
        if call == "unfinished_runs" { testkit::Fault::Before } else { testkit::Fault::None }
    });
    gate.open();
    bench.settled_count(1).await;
    bench.store.heal();
    bench.look_after("10s").await;
    assert_eq!(gist(&bench.settled().await), [SUCCEEDED, SUCCEEDED]);
}

#[tokio::test]
async fn cancel_other_stops_what_runs_and_starts_when_it_has_ended() {
    let bench = Bench::new();
    bench.create(JobDraft { overlap: Overlap::CancelOther, ..job("slow").every("1m").draft() }).await;
    bench.executor.script("slow", [Step::Hang]);
    bench.look_after("1m").await;
    bench.executor.started(1).await;
    minute(&bench).await;
    bench.look_after("1s").await;
    assert_eq!(bench.executor.calls().len(), 1, "not before the other has ended");
    bench.dispatcher.renew().await.unwrap();
    bench.settled_count(1).await;
    bench.look_after("0s").await;
    let cancelled = (RunStatus::Cancelled, Some(Reason::Requested));
    assert_eq!(gist(&bench.settled().await), [cancelled, SUCCEEDED]);
}

#[tokio::test]
async fn cancel_other_replaces_what_has_not_started() {
    let bench = Bench::new();
    let draft = JobDraft { overlap: Overlap::CancelOther, ..job("slow").every("5s").draft() };
    bench.create(draft).await;
    let gate = bench.executor.hold();
    bench.look_after("5s").await;
    bench.executor.started(1).await;
    // The first one does not learn yet that it is to stop: that comes with the renewal of its lease.
    for _ in 0..3 {
        bench.look_after("5s").await;
        bench.look_after("10ms").await;
    }
    gate.open();
    bench.settled_count(1).await;
    bench.look_after("0s").await;
    let runs = bench.settled().await;
    let replaced = (RunStatus::Cancelled, Some(Reason::Overlap));
    assert_eq!(gist(&runs)[1..], [replaced, replaced, SUCCEEDED]);
}

#[tokio::test]
async fn a_run_on_request_does_not_wait_for_its_turn() {
    let (bench, gate) = busy(Overlap::BufferAll).await;
    bench.scheduler.run_now("default", &key("slow")).await.unwrap();
    bench.look_after("0s").await;
    bench.executor.started(2).await;
    gate.open();
    assert_eq!(gist(&bench.settled().await), [SUCCEEDED; 2]);
}

/// A lease lasts 30 seconds, and the store takes 25 of them to tell whose turn it is.
#[tokio::test]
async fn a_run_is_not_begun_under_a_lease_that_ran_out_while_its_turn_was_looked_for() {
    let (bench, gate) = busy(Overlap::BufferAll).await;
    minute(&bench).await;
    gate.open();
    bench.settled_count(1).await;
    let clock = bench.manual.clone();
    bench.store.fail_by(move |call, _| {
        if call == "unfinished_runs" {
            clock.advance(chrono::TimeDelta::seconds(25));
        }
        testkit::Fault::None
    });
    bench.look_after("0s").await;
    bench.quiet().await;
    let runs = bench.runs().await;
    assert_eq!((bench.executor.calls().len(), runs[1].status), (1, RunStatus::Pending));
    bench.store.heal();
    bench.look_after("0s").await;
    let runs = bench.settled().await;
    assert_eq!((runs[1].status, runs[1].attempts.len()), (RunStatus::Succeeded, 1));
}
