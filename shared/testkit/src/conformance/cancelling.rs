//! Cancelling: a wish that is seen on every node and never lost.

use domain::settle::cancelled;
use domain::{Reason, RunStatus};
use engine::{Renewal, Settled};

use super::Fixture;
use super::support::{manual, succeeded, to_be_retried};
use crate::fixtures::{at, job};

/// The worker learns of the wish when it prolongs its lease.
pub async fn a_running_run_is_told_at_its_renewal(it: &Fixture) {
    let mut run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    let marked = it.cancel(&run).await;
    run.cancel_requested = true;
    assert_eq!(marked.as_ref(), Some(&run), "nothing but the mark changes");
    assert_eq!(it.run(&run).await, run);
    let until = at("2026-11-24T00:00:40Z");
    assert_eq!(it.store.renew(&[(run.id, run.token)], until).await.unwrap(), [Renewal::CancelRequested]);
    assert_eq!(it.run(&run).await.due_at, Some(until), "the lease is prolonged all the same");
}

/// A run that waits is returned as it is, so that it can be closed with its token.
pub async fn a_waiting_run_is_marked_and_closed(it: &Fixture) {
    let job = job("report").build();
    let run = it.waiting(&job, "2026-11-24T00:00:05Z").await;
    let marked = it.cancel(&run).await.unwrap();
    assert_eq!((marked.status, marked.token, marked.cancel_requested), (RunStatus::Pending, 0, true));
    let closed = cancelled(&marked, Reason::Requested, at("2026-11-24T00:00:06Z"));
    assert_eq!(it.settle(&[Settled { run: closed.clone(), token: marked.token }]).await, [true]);
    assert_eq!(it.run(&run).await, closed);
    assert_eq!(it.cancel(&run).await, None, "it is finished");
}

/// There is nothing to cancel about a run that is finished, unknown, or another project's.
pub async fn only_an_unfinished_run_is_marked(it: &Fixture) {
    let job = job("report").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    assert_eq!(it.store.request_cancel("other", run.id).await.unwrap(), None);
    assert!(!it.run(&run).await.cancel_requested);
    it.settle(&[succeeded(&run, "2026-11-24T00:00:01Z")]).await;
    assert_eq!(it.cancel(&run).await, None);
    assert!(!it.run(&run).await.cancel_requested);
    assert_eq!(it.cancel(&manual(&job, "2026-11-24T07:00:00Z")).await, None);
}

/// Asking twice is asking once.
pub async fn asking_twice_changes_nothing(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    let first = it.cancel(&run).await;
    assert_eq!(it.cancel(&run).await, first);
}

/// The worker's copy of the run does not know of the wish; settling must not wipe it out.
pub async fn the_wish_outlives_a_settlement(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    it.cancel(&run).await.unwrap();
    assert!(!run.cancel_requested);
    assert_eq!(it.settle(&[to_be_retried(&run, "2026-11-24T00:01:00Z")]).await, [true]);
    let stored = it.run(&run).await;
    assert_eq!((stored.status, stored.cancel_requested), (RunStatus::Pending, true));
    let leased = it.lease("b", "2026-11-24T00:01:00Z", "2026-11-24T00:01:30Z").await;
    assert!(leased[0].run.cancel_requested, "whoever takes it up knows");
}

/// Whoever takes a lost run over learns of the wish with it.
pub async fn the_wish_outlives_its_worker(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    it.cancel(&run).await.unwrap();
    let taken = it.lease("b", "2026-11-24T00:00:30Z", "2026-11-24T00:01:00Z").await;
    assert!(taken[0].run.cancel_requested);
    assert_eq!((taken[0].was, taken[0].run.token), (RunStatus::Running, 2));
}

/// A run that is over makes room for the next occurrence.
pub async fn a_cancelled_run_is_active_no_more(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:50Z").await;
    let marked = it.cancel(&run).await.unwrap();
    let closed = cancelled(&marked, Reason::Requested, at("2026-11-24T00:00:51Z"));
    it.settle(&[Settled { run: closed, token: run.token }]).await;
    let firings = it.fire("2026-11-24T00:01:00Z").await;
    assert_eq!(firings[0].runs[0].status, RunStatus::Pending);
}
