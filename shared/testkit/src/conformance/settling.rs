//! Settling: only the holder of the newest token writes, and what is finished stays so.

use domain::settle::Accepted;
use domain::{Run, RunStatus, Verdict, settle};
use engine::{Renewal, Settled};

use super::Fixture;
use super::support::{manual, succeeded, to_be_retried};
use crate::fixtures::{at, duration, job};

/// A success ends the run for good.
pub async fn a_success_finishes_the_run(it: &Fixture) {
    let job = job("report").every("1d").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    let (began, ended) = (at("2026-11-24T00:00:00.100Z"), at("2026-11-24T00:00:01.234Z"));
    let after = settle(&run, &job.draft.retry, job.draft.timeout, began, ended, Verdict::Succeeded.into());
    assert_eq!(it.settle(&[engine::Settled { run: after.clone(), token: run.token }]).await, [true]);
    assert_eq!(it.run(&run).await, after);
    assert_eq!(after.status, RunStatus::Succeeded);
    assert_eq!(it.next_due().await, job.next_fire_at, "nothing of the run is due any more");
}

/// A failure that is tried again waits for its time, with its attempts, and counts as active.
pub async fn a_failure_waits_for_its_retry(it: &Fixture) {
    let job = job("report").attempts(3, "40s").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    let now = at("2026-11-24T00:00:01Z");
    let verdict = Verdict::retryable("connect", "refused");
    let after = settle(&run, &job.draft.retry, job.draft.timeout, now, now, verdict.into());
    assert_eq!(it.settle(&[engine::Settled { run: after.clone(), token: run.token }]).await, [true]);
    assert_eq!(it.run(&run).await, after);
    assert_eq!(after.due_at, Some(at("2026-11-24T00:00:41Z")));
    assert!(it.lease("a", "2026-11-24T00:00:40Z", "2026-11-24T00:01:10Z").await.is_empty());
    let leased = it.lease("a", "2026-11-24T00:00:41Z", "2026-11-24T00:01:11Z").await;
    assert_eq!((leased[0].run.token, leased[0].was), (2, RunStatus::Pending));
    assert_eq!(leased[0].run.attempts, after.attempts);
    let firings = it.fire("2026-11-24T00:01:00Z").await;
    assert_eq!(firings[0].runs[0].status, RunStatus::Skipped, "a run between its attempts is active");
}

/// A worker that lost its lease writes nothing, and learns it.
pub async fn a_stale_token_writes_nothing(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    let taken = it.lease("b", "2026-11-24T00:00:30Z", "2026-11-24T00:01:00Z").await;
    let taken = &taken[0].run;
    for late in [succeeded(&run, "2026-11-24T00:00:31Z"), to_be_retried(&run, "2026-11-24T00:00:31Z")] {
        assert_eq!(it.settle(&[late]).await, [false]);
        assert_eq!(it.run(&run).await, *taken);
    }
    assert_eq!(it.settle(&[succeeded(taken, "2026-11-24T00:00:32Z")]).await, [true]);
    let mut early = succeeded(taken, "2026-11-24T00:00:33Z");
    early.token += 1;
    assert_eq!(it.settle(&[early]).await, [false], "a token of the future is no better");
}

/// What is finished is not written again, not even by its own worker.
pub async fn a_finished_run_is_not_written_again(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    assert_eq!(it.settle(&[succeeded(&run, "2026-11-24T00:00:01Z")]).await, [true]);
    let finished = it.run(&run).await;
    assert_eq!(it.settle(&[succeeded(&run, "2026-11-24T00:00:02Z")]).await, [false]);
    assert_eq!(it.settle(&[to_be_retried(&run, "2026-11-24T00:00:02Z")]).await, [false]);
    assert_eq!(it.run(&run).await, finished);
}

/// A batch is answered in its own order, each for itself.
pub async fn a_batch_is_answered_in_order(it: &Fixture) {
    let job = job("report").build();
    let stale = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    let current = it.lease("b", "2026-11-24T00:00:30Z", "2026-11-24T00:05:00Z").await[0].run.clone();
    let mine = it.running(&job, "a", "2026-11-24T00:00:31Z").await;
    let again = it.running(&job, "a", "2026-11-24T00:00:32Z").await;
    let unknown = manual(&job, "2026-11-24T07:00:00Z");
    let batch = [
        succeeded(&again, "2026-11-24T00:00:40Z"),
        succeeded(&stale, "2026-11-24T00:00:40Z"),
        succeeded(&unknown, "2026-11-24T00:00:40Z"),
        to_be_retried(&mine, "2026-11-24T00:00:50Z"),
    ];
    assert_eq!(it.settle(&batch).await, [true, false, false, true]);
    assert_eq!(it.run(&again).await.status, RunStatus::Succeeded);
    assert_eq!(it.run(&current).await, current);
    assert_eq!(it.run(&mine).await.status, RunStatus::Pending);
    assert_eq!(it.settle(&[]).await, [false; 0]);
}

/// One batch may hold both the late word of a lost lease and the word of whoever took over.
pub async fn a_batch_may_name_a_run_twice(it: &Fixture) {
    let job = job("report").build();
    for (first_stale, base) in [(true, "00"), (false, "10")] {
        let stale = it.running(&job, "a", &format!("2026-11-24T{base}:00:00Z")).await;
        let lapsed = format!("2026-11-24T{base}:00:30Z");
        let taken = it.lease("b", &lapsed, &format!("2026-11-24T{base}:01:00Z")).await[0].run.clone();
        assert_eq!(taken.id, stale.id);
        let late = to_be_retried(&stale, &lapsed);
        let right = succeeded(&taken, &lapsed);
        let batch = if first_stale { [late, right] } else { [right, late] };
        assert_eq!(it.settle(&batch).await, [!first_stale, first_stale]);
        assert_eq!(it.run(&stale).await.status, RunStatus::Succeeded);
    }
}

/// A run that waits can be closed with its token, without a lease: that is how it is cancelled.
pub async fn a_waiting_run_can_be_closed(it: &Fixture) {
    let job = job("report").build();
    let run = it.waiting(&job, "2026-11-24T00:00:05Z").await;
    assert_eq!(it.settle(&[succeeded(&run, "2026-11-24T00:00:06Z")]).await, [true]);
    assert!(it.lease("a", "2026-11-24T00:00:10Z", "2026-11-24T00:00:40Z").await.is_empty());
    // Had a worker been faster, the token would have grown.
    let run = it.waiting(&job, "2026-11-24T00:00:15Z").await;
    it.lease("a", "2026-11-24T00:00:15Z", "2026-11-24T00:00:45Z").await;
    assert_eq!(it.settle(&[succeeded(&run, "2026-11-24T00:00:16Z")]).await, [false]);
}

/// A finished run waits again, as it is told, and its next lease is a new one.
pub async fn a_finished_run_is_reopened(it: &Fixture) {
    let job = job("report").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    it.cancel(&run).await.unwrap();
    let mut done = succeeded(&run, "2026-11-24T00:00:01Z");
    done.run.status = RunStatus::Failed;
    assert_eq!(it.settle(&[done]).await, [true]);
    let mut again = it.run(&run).await;
    assert!(again.cancel_requested);
    again.status = RunStatus::Pending;
    again.finished_at = None;
    again.due_at = Some(at("2026-11-24T01:00:00Z"));
    assert!(it.store.reopen_run(&again).await.unwrap());
    again.cancel_requested = false;
    again.token += 1;
    assert_eq!(
        it.run(&run).await,
        again,
        "the wish to cancel it is forgotten, and so is the right to settle it"
    );
    assert!(!it.store.reopen_run(&again).await.unwrap(), "it waits already");
    assert_eq!(it.find(&job).await.unwrap().last_run, None);
    let leased = it.lease("b", "2026-11-24T01:00:00Z", "2026-11-24T01:00:30Z").await;
    assert_eq!((leased[0].run.token, leased[0].was), (3, RunStatus::Pending));
}

/// Only a finished run that is as it was read is reopened.
pub async fn reopening_compares_the_token(it: &Fixture) {
    let job = job("report").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    let mut again = run.clone();
    again.status = RunStatus::Pending;
    again.due_at = Some(at("2026-11-24T01:00:00Z"));
    assert!(!it.store.reopen_run(&again).await.unwrap(), "it is not finished");
    let taken = it.lease("b", "2026-11-24T00:00:30Z", "2026-11-24T00:01:00Z").await[0].run.clone();
    it.settle(&[succeeded(&taken, "2026-11-24T00:00:31Z")]).await;
    assert!(!it.store.reopen_run(&again).await.unwrap(), "it was leased again since");
    assert_eq!(it.run(&run).await.status, RunStatus::Succeeded);
    let unknown = manual(&job, "2026-11-24T07:00:00Z");
    assert!(!it.store.reopen_run(&unknown).await.unwrap());
    assert!(it.store.run("default", unknown.id).await.unwrap().is_none());
}

/// A worker that shuts down hands its run back: another may go on at once.
pub async fn a_run_handed_back_is_due_at_once(it: &Fixture) {
    let job = job("report").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    let now = at("2026-11-24T00:00:05Z");
    let back = settle(&run, &job.draft.retry, job.draft.timeout, now, now, Verdict::Interrupted.into());
    assert_eq!(it.settle(&[engine::Settled { run: back, token: run.token }]).await, [true]);
    let leased = it.lease("b", "2026-11-24T00:00:05Z", "2026-11-24T00:00:35Z").await;
    assert_eq!((leased[0].run.token, leased[0].run.worker.as_deref()), (2, Some("b")));
    assert_eq!(leased[0].run.tries(), 0);
}

/// Work that goes on after its call stays running, under the same token, until it is due; nobody holds a lease.
pub async fn a_run_may_go_on_without_a_lease(it: &Fixture) {
    let job = job("report").every("1d").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    let accepted = Accepted {
        token: run.token,
        started_at: at("2026-11-24T00:00:00.100Z"),
        accepted_at: at("2026-11-24T00:00:01.234Z"),
        until: at("2026-11-24T04:00:00Z"),
        heartbeat: Some(duration("5m")),
        request: None,
        response: None,
        worker: Some("a".to_owned()),
    };
    let due_at = Some(at("2026-11-24T00:05:01.234Z"));
    let going_on = Run { accepted: Some(accepted), due_at, ..run.clone() };
    assert_eq!(it.settle(&[Settled { run: going_on.clone(), token: run.token }]).await, [true]);
    assert_eq!(it.run(&run).await, going_on);
    assert!(it.lease("b", "2026-11-24T00:05:01Z", "2026-11-24T00:05:31Z").await.is_empty());
    let later = at("2026-11-24T00:10:00Z");
    assert_eq!(it.store.renew(&[(run.id, run.token)], later).await.unwrap(), [Renewal::Kept]);
    assert!(it.lease("b", "2026-11-24T00:09:59Z", "2026-11-24T00:10:29Z").await.is_empty());
    let taken = it.lease("b", "2026-11-24T00:10:00Z", "2026-11-24T00:10:30Z").await;
    assert_eq!((taken[0].was, taken[0].run.token), (RunStatus::Running, run.token + 1));
    assert_eq!(taken[0].run.accepted, going_on.accepted);
}
