//! Races: many tasks at once, and exactly one of them wins. Every order that is right is accepted.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::run::Lease;
use domain::{Backfill, BackfillId, BackfillOrder, Calendar, Firing, Overlap, Run, RunKind, RunStatus};
use engine::{Begun, Calendars, Idempotency, Store, StoreError};
use futures::future::join_all;
use tokio::sync::Barrier;

use super::Fixture;
use super::support::{all_runs, decide, expected, manual, succeeded, to_be_retried};
use crate::fixtures::{at, calendar, days, job};

/// So many at once.
const CROWD: usize = 16;
/// So often, where a race has only two sides and many ways to go.
const ROUNDS: i64 = 12;

/// Runs `act` in [`CROWD`] tasks that begin together.
async fn crowd<T, F>(it: &Fixture, act: impl Fn(usize, Arc<dyn Store>) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(CROWD));
    let tasks = (0..CROWD).map(|index| {
        let (barrier, work) = (barrier.clone(), act(index, it.store.clone()));
        tokio::spawn(async move {
            barrier.wait().await;
            work.await
        })
    });
    join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect()
}

/// Runs both at the same time.
async fn duel<A, B>(
    left: impl Future<Output = A> + Send + 'static,
    right: impl Future<Output = B> + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let barrier = Arc::new(Barrier::new(2));
    let other = barrier.clone();
    let left = tokio::spawn(async move {
        barrier.wait().await;
        left.await
    });
    let right = tokio::spawn(async move {
        other.wait().await;
        right.await
    });
    (left.await.unwrap(), right.await.unwrap())
}

async fn fire(store: Arc<dyn Store>, now: domain::Instant, limit: u32) -> Vec<Firing> {
    store.fire_due(now, limit, &mut decide(now)).await.unwrap()
}

/// One due job, sixteen schedulers: it fires once.
pub async fn one_of_many_fires_a_due_job(it: &Fixture) {
    it.insert(&job("report").overlap(Overlap::AllowAll).build()).await;
    let now = at("2026-11-24T00:01:00Z");
    let firings = crowd(it, |_, store| fire(store, now, 10)).await;
    let runs: Vec<_> = firings.iter().flatten().flat_map(|firing| &firing.runs).collect();
    assert_eq!(runs.len(), 1, "one run was handed out");
    assert_eq!(firings.iter().flatten().count(), 1, "one firing took place");
    assert_eq!(it.runs(&all_runs("default")).await.items.len(), 1, "one run exists");
}

/// Many due jobs, sixteen schedulers that take a few each: every job fires once, and none is left.
pub async fn many_fire_many_due_jobs_once(it: &Fixture) {
    for index in 0..60 {
        it.insert(&job(&format!("job-{index}")).build()).await;
    }
    let now = at("2026-11-24T00:01:00Z");
    let mut fired = Vec::new();
    // A scheduler may come away empty-handed while others hold the rows, so they look again.
    for _ in 0..60 {
        let firings = crowd(it, |_, store| fire(store, now, 3)).await;
        let before = fired.len();
        fired.extend(firings.into_iter().flatten().map(|firing| firing.job_id));
        if fired.len() == before {
            break;
        }
    }
    assert_eq!(fired.len(), 60);
    assert_eq!(fired.iter().collect::<BTreeSet<_>>().len(), 60);
    assert_eq!(it.runs(&all_runs("default")).await.items.len(), 60);
}

/// One waiting run, sixteen workers: it is leased once.
pub async fn one_of_many_leases_a_run(it: &Fixture) {
    let run = it.waiting(&job("report").build(), "2026-11-24T00:00:05Z").await;
    let now = at("2026-11-24T00:00:06Z");
    let leased = crowd(it, |index, store| async move {
        let lease = Lease { worker: format!("w{index}"), until: now + TimeDelta::seconds(30) };
        store.lease_runs(now, &lease, 10).await.unwrap()
    })
    .await;
    let leased: Vec<_> = leased.into_iter().flatten().collect();
    assert_eq!(leased.len(), 1);
    assert_eq!(leased[0].run.token, 1);
    assert_eq!(it.run(&run).await, leased[0].run, "the winner is the one that is stored");
}

/// Many waiting runs, sixteen workers: each run is leased once, and none is left.
pub async fn many_lease_many_runs_once(it: &Fixture) {
    let job = job("report").build();
    for index in 0..48 {
        it.waiting(&job, &format!("2026-11-24T00:00:{index:02}Z")).await;
    }
    let now = at("2026-11-24T00:00:50Z");
    let mut seen = Vec::new();
    for _ in 0..48 {
        let leased = crowd(it, |index, store| async move {
            let lease = Lease { worker: format!("w{index}"), until: now + TimeDelta::seconds(30) };
            store.lease_runs(now, &lease, 4).await.unwrap()
        })
        .await;
        let before = seen.len();
        seen.extend(leased.into_iter().flatten().map(|leased| (leased.run.id, leased.run.token)));
        if seen.len() == before {
            break;
        }
    }
    assert_eq!(seen.len(), 48);
    assert!(seen.iter().all(|(_, token)| *token == 1));
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 48);
}

/// Two pens with one token: one of them writes.
pub async fn one_of_many_settles_a_run(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    let written = crowd(it, |index, store| {
        let settled = succeeded(&run, &format!("2026-11-24T00:00:{:02}Z", index + 1));
        async move { (store.commit_settled(std::slice::from_ref(&settled)).await.unwrap(), settled.run) }
    })
    .await;
    let winners: Vec<_> = written.into_iter().filter(|(written, _)| *written == [true]).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(it.run(&run).await, winners[0].1);
}

/// Sixteen editors who read the same version: one of them writes.
pub async fn one_of_many_replaces_a_job(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let replaced = crowd(it, |index, store| {
        let paused = job.paused(Some(format!("editor {index}")), at("2026-11-24T00:00:10Z"));
        let expected = expected(&job);
        async move { (store.replace_job(&paused, expected, &[]).await.unwrap(), paused.pause) }
    })
    .await;
    let winners: Vec<_> = replaced.into_iter().filter(|(replaced, _)| *replaced).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(it.stored(&job).await.pause, winners[0].1);
}

/// Sixteen jobs of one name: one of them is stored.
pub async fn one_of_many_takes_a_name(it: &Fixture) {
    let inserted = crowd(it, |index, store| {
        let twin = job("report").created(&format!("2026-11-24T00:00:{index:02}Z")).build();
        async move { store.insert_job(&twin).await }
    })
    .await;
    let taken = inserted.iter().filter(|result| matches!(result, Err(StoreError::NameTaken))).count();
    let stored = inserted.iter().filter(|result| result.is_ok()).count();
    assert_eq!((stored, taken), (1, CROWD - 1), "{inserted:?}");
}

/// The same run inserted by many is there once.
pub async fn one_of_many_inserts_a_run(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let run = manual(&job, "2026-11-24T00:00:05Z");
    let inserted = crowd(it, |_, store| {
        let run = run.clone();
        async move { store.insert_run(&run).await.unwrap() }
    })
    .await;
    assert_eq!(inserted.into_iter().filter(|new| *new).count(), 1);
}

/// Pausing against firing: either the occurrence fires, and the pause is to be read again, or it never does.
pub async fn a_replacement_races_a_firing(it: &Fixture) {
    for round in 0..ROUNDS {
        let job = job(&format!("job-{round}")).project("race").build();
        it.insert(&job).await;
        let now = at("2026-11-24T00:01:00Z");
        let (paused, read) = (job.paused(None, now), expected(&job));
        let (left, right) = (it.store.clone(), it.store.clone());
        let (replaced, firings) =
            duel(async move { left.replace_job(&paused, read, &[]).await.unwrap() }, fire(right, now, 10))
                .await;
        // A store may leave a row alone that somebody else is writing; it fires with the next look.
        let firings = if firings.is_empty() { it.fire("2026-11-24T00:01:00Z").await } else { firings };
        assert_eq!(replaced, firings.is_empty(), "exactly one of the two happened");
        let stored = it.stored(&job).await;
        let next = if replaced { None } else { Some(at("2026-11-24T00:02:00Z")) };
        assert_eq!(stored.next_fire_at, next);
        it.delete(&stored, "2026-11-24T00:01:00Z").await;
    }
}

/// Deleting against firing: the job is gone afterwards, and fires no more.
pub async fn a_deletion_races_a_firing(it: &Fixture) {
    for round in 0..ROUNDS {
        let job = job(&format!("job-{round}")).project("race").build();
        it.insert(&job).await;
        let now = at("2026-11-24T00:01:00Z");
        let (id, left, right) = (job.id, it.store.clone(), it.store.clone());
        let (deleted, firings) =
            duel(async move { left.delete_job("race", id, 1, now).await.unwrap() }, fire(right, now, 10))
                .await;
        assert!(deleted, "firing does not change the version");
        assert!(it.find(&job).await.is_none());
        let runs: Vec<_> = firings.iter().flat_map(|firing| &firing.runs).map(|run| run.id).collect();
        let of_job = engine::RunQuery { job: Some(job.id), ..all_runs("race") };
        assert_eq!(
            super::support::ids(&it.runs(&of_job).await),
            runs,
            "what was handed out is what is stored"
        );
        assert_eq!(it.fire("2026-11-24T00:05:00Z").await, []);
    }
}

/// Settling against a takeover: one of the two has the run.
pub async fn a_settlement_races_a_takeover(it: &Fixture) {
    let job = job("report").every("1d").build();
    for round in 0..ROUNDS {
        let run = it.running(&job, "a", &format!("2026-11-24T01:{round:02}:00Z")).await;
        let done = succeeded(&run, &format!("2026-11-24T01:{round:02}:30Z"));
        let now = at(&format!("2026-11-24T01:{round:02}:30Z"));
        let lease = Lease { worker: "b".to_owned(), until: now + TimeDelta::days(30) };
        let (left, right) = (it.store.clone(), it.store.clone());
        let (written, taken) =
            duel(async move { left.commit_settled(&[done]).await.unwrap() == [true] }, async move {
                right.lease_runs(now, &lease, 10).await.unwrap()
            })
            .await;
        let taken = taken.iter().any(|leased| leased.run.id == run.id);
        assert!(!(written && taken), "a finished run was handed to another worker");
        let stored = it.run(&run).await;
        if written {
            assert_eq!((stored.status, stored.token), (RunStatus::Succeeded, 1));
        } else {
            assert!(taken, "neither side has the run");
            assert_eq!(
                (stored.status, stored.token, stored.worker.as_deref()),
                (RunStatus::Running, 2, Some("b"))
            );
        }
    }
}

/// Prolonging against a takeover: one of the two has the run.
pub async fn a_renewal_races_a_takeover(it: &Fixture) {
    let job = job("report").every("1d").build();
    for round in 0..ROUNDS {
        let run = it.running(&job, "a", &format!("2026-11-24T01:{round:02}:00Z")).await;
        let now = at(&format!("2026-11-24T01:{round:02}:30Z"));
        let until = now + TimeDelta::days(30);
        let lease = Lease { worker: "b".to_owned(), until };
        let (left, right, held) = (it.store.clone(), it.store.clone(), [(run.id, run.token)]);
        let (renewed, taken) = duel(async move { left.renew(&held, until).await.unwrap() }, async move {
            right.lease_runs(now, &lease, 10).await.unwrap()
        })
        .await;
        let taken = taken.iter().any(|leased| leased.run.id == run.id);
        let kept = renewed == [engine::Renewal::Kept];
        assert!(kept != taken, "kept: {kept}, taken over: {taken}");
        assert_eq!(it.run(&run).await.token, if taken { 2 } else { 1 });
    }
}

/// Cancelling against settling for a retry: a wish that was granted is never lost.
pub async fn a_cancellation_races_a_settlement(it: &Fixture) {
    let job = job("report").every("1d").build();
    for round in 0..ROUNDS {
        let run = it.running(&job, "a", &format!("2026-11-24T01:{round:02}:00Z")).await;
        let retried = to_be_retried(&run, "2026-11-25T00:00:00Z");
        let (id, left, right) = (run.id, it.store.clone(), it.store.clone());
        let (written, marked) =
            duel(async move { left.commit_settled(&[retried]).await.unwrap() }, async move {
                right.request_cancel("default", id).await.unwrap()
            })
            .await;
        assert_eq!(written, [true]);
        assert!(marked.is_some_and(|run| run.cancel_requested));
        let stored = it.run(&run).await;
        assert_eq!((stored.status, stored.cancel_requested), (RunStatus::Pending, true));
    }
}

/// One key, sixteen requests: one of them is carried out.
pub async fn one_of_many_reserves_a_key(it: &Fixture) {
    // New, then abandoned: the second crowd finds a reservation that counts no more.
    for now in ["2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z"] {
        let begun = join_all((0..CROWD).map(|_| {
            let keys: Arc<dyn Idempotency> = it.idempotency.clone();
            tokio::spawn(async move { keys.begin("default", "k", "f", at(now)).await.unwrap() })
        }))
        .await;
        let begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
        assert_eq!(begun.iter().filter(|begun| **begun == Begun::New).count(), 1, "{begun:?}");
        assert_eq!(begun.iter().filter(|begun| **begun == Begun::InProgress).count(), CROWD - 1, "{begun:?}");
    }
}

/// Sixteen editors of a calendar that is new, then at version 1: one of them writes, each time.
pub async fn one_of_many_puts_a_calendar(it: &Fixture) {
    for version in 1..=3 {
        let put = join_all((0..CROWD).map(|index| {
            let day = format!("2027-{version:02}-{:02}", index + 1);
            let calendar = Calendar { version, ..calendar("holidays", days([day.as_str()])) };
            let calendars: Arc<dyn Calendars> = it.calendars.clone();
            tokio::spawn(async move { (calendars.put_calendar(&calendar).await.unwrap(), calendar) })
        }))
        .await;
        let winners: Vec<_> = put.into_iter().map(Result::unwrap).filter(|(put, _)| *put).collect();
        assert_eq!(winners.len(), 1);
        let stored = it.calendars.calendar("default", "holidays").await.unwrap();
        assert_eq!(stored.as_ref(), Some(&winners[0].1), "the winner is the one that is stored");
    }
}

/// Deleting a calendar against replacing it: one of the two happens.
pub async fn a_deletion_races_a_put(it: &Fixture) {
    for round in 0..ROUNDS {
        let first = calendar(&format!("calendar-{round}"), days(["12-25"]));
        let second = Calendar { version: 2, ..first.clone() };
        assert!(it.calendars.put_calendar(&first).await.unwrap());
        let (left, right, name) = (it.calendars.clone(), it.calendars.clone(), first.name.clone());
        let (deleted, put) =
            duel(async move { left.delete_calendar("default", &name, 1).await.unwrap() }, async move {
                right.put_calendar(&second).await.unwrap()
            })
            .await;
        assert!(deleted != put, "deleted: {deleted}, put: {put}");
        let stored = it.calendars.calendar("default", &first.name).await.unwrap();
        assert_eq!(stored.map(|calendar| calendar.version), put.then_some(2));
    }
}

/// Sixteen processes that would remove old records: one does.
pub async fn one_of_many_claims_a_round(it: &Fixture) {
    for hour in 0..3 {
        let now = at("2026-11-24T00:00:00Z") + TimeDelta::hours(hour);
        let next = now + TimeDelta::hours(1);
        let claimed = crowd(it, |_, store| async move { store.claim_purge(now, next).await.unwrap() }).await;
        assert_eq!(claimed.into_iter().filter(|claimed| *claimed).count(), 1);
    }
}

/// Sixteen workers that see the same backfill: its runs are made once, by one of them.
pub async fn one_of_many_carries_a_backfill_on(it: &Fixture) {
    let job = job("race").build();
    it.insert(&job).await;
    let (from, to, now) =
        (at("2026-11-23T00:00:00Z"), at("2026-11-23T02:00:00Z"), at("2026-11-24T00:00:30Z"));
    let order = BackfillOrder { from, to, overlap: Overlap::AllowAll, max: 1_000, payload: None };
    let mut backfill = Backfill::create(&job, order, BackfillId::new(now, 7), now).unwrap();
    assert!(it.store.insert_backfill(&backfill).await.unwrap());
    for _ in 0..3 {
        let (next, runs) = backfill.advanced(&job, 0, now).unwrap();
        let won = crowd(it, |_, store| {
            let (next, runs) = (next.clone(), runs.clone());
            async move { store.replace_backfill(&next, &runs).await.unwrap() }
        })
        .await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        backfill = next;
    }
    let counts = it.store.backfill_counts(backfill.id).await.unwrap();
    assert_eq!(counts, [(RunStatus::Pending, backfill.details.created)]);
    assert_eq!(it.runs(&all_runs("default")).await.items.len() as u64, backfill.details.created);
}

/// Sixteen runs of one job and three slots: three of them get one.
pub async fn few_of_many_take_slots(it: &Fixture) {
    let job = job("race").build();
    it.insert(&job).await;
    let now = at("2026-11-24T00:00:10Z");
    for nonce in 0..CROWD as u64 {
        assert!(it.insert_run(&Run::pending(&job, RunKind::Manual, now, now, nonce)).await);
    }
    let leased = it.lease("w", "2026-11-24T00:00:10Z", "2026-11-24T00:00:40Z").await;
    assert_eq!(leased.len(), CROWD);
    let taken = crowd(it, |index, store| {
        let run = leased[index].run.clone();
        async move { store.take_slot(&run, 3).await.unwrap() }
    })
    .await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 3);
    assert_eq!(it.store.slots(job.id).await.unwrap().len(), 3);
}
