//! A limit to how many runs of one job are carried out at a time.

use chrono::TimeDelta;
use domain::{Asked, BackfillOrder, JobDraft, Overlap, Run, RunKind, RunStatus, Verdict};
use testkit::{Fault, at, job};

use super::bench::{Bench, key};

fn draft(every: &str, limit: u32) -> JobDraft {
    job("busy")
        .every(every)
        .overlap(Overlap::AllowAll)
        .attempts(3, "1m")
        .with(|draft| draft.concurrency = Some(limit))
        .draft()
}

fn count(runs: &[Run], status: RunStatus) -> usize {
    runs.iter().filter(|run| run.status == status).count()
}

/// A second passes, leases are kept, and somebody looks; twice, since what is fired starts with the next look.
async fn second(bench: &Bench) {
    bench.manual.advance(TimeDelta::milliseconds(990));
    bench.dispatcher.renew().await.unwrap();
    bench.dispatcher.look().await.unwrap();
    bench.look_after("10ms").await;
    bench.quiet().await;
}

#[tokio::test]
async fn no_more_at_a_time_than_the_limit_and_all_in_order() {
    let bench = Bench::new();
    bench.create(draft("1s", 2)).await;
    let gate = bench.executor.hold();
    for _ in 0..8 {
        second(&bench).await;
    }
    assert_eq!(bench.executor.calls().len(), 2);
    bench.scheduler.pause("default", &key("busy"), None, None, None).await.unwrap();
    let waiting = bench.runs().await.len();
    for done in 1..=waiting {
        gate.release(1);
        bench.settled_count(done).await;
        // The end of one lets the next begin: nobody has to wait until it looks for itself.
        bench.look_after("0s").await;
        bench.quiet().await;
        assert_eq!(bench.executor.calls().len(), (done + 2).min(waiting), "after {done}");
    }
    let called: Vec<_> = bench.executor.calls().iter().map(|it| it.call.scheduled_for).collect();
    assert!(called.is_sorted(), "{called:?}");
    assert_eq!(count(&bench.runs().await, RunStatus::Succeeded), waiting);
}

/// By hand, by a backfill, by the schedule; on two workers.
#[tokio::test]
async fn it_counts_whatever_made_the_run_and_whoever_carries_it_out() {
    let bench = Bench::new();
    bench.create(draft("1h", 3)).await;
    let other = bench.another("b", 100);
    bench.manual.advance(TimeDelta::minutes(30));
    let gate = bench.executor.hold();
    let (from, to) = (at("2026-11-23T00:00:00Z"), at("2026-11-23T12:00:00Z"));
    let order = BackfillOrder { from, to, overlap: Overlap::AllowAll, max: 100, payload: None };
    bench.scheduler.backfill("default", &key("busy"), order).await.unwrap();
    for _ in 0..5 {
        bench.scheduler.run_now("default", &key("busy")).await.unwrap();
    }
    bench.manual.advance(TimeDelta::minutes(30));
    let mut most = 0;
    for round in 0..400 {
        bench.manual.advance(TimeDelta::seconds(1));
        let _ = tokio::join!(bench.dispatcher.renew(), other.renew());
        let _ = tokio::join!(bench.dispatcher.look(), other.look());
        bench.quiet().await;
        let ended = bench.runs().await.iter().filter(|run| !run.attempts.is_empty()).count();
        most = most.max(bench.executor.calls().len() - ended);
        if round > 10 {
            gate.release(1);
        }
    }
    assert_eq!(most, 3);
    let runs = bench.runs().await;
    assert_eq!((runs.len(), count(&runs, RunStatus::Succeeded)), (18, 18), "{runs:#?}");
    for kind in RunKind::ALL {
        assert!(runs.iter().any(|run| run.kind == kind), "{kind:?}");
    }
}

/// A run that waits for its next attempt leaves its place to others, and waits for one when it comes back.
#[tokio::test]
async fn a_run_that_waits_for_its_retry_takes_no_place() {
    let bench = Bench::new();
    bench.create(draft("1h", 1)).await;
    bench.executor.script("busy", [Verdict::retryable("connect", "refused")]);
    bench.scheduler.run_now("default", &key("busy")).await.unwrap();
    bench.look_after("10ms").await;
    bench.settled().await;
    let gate = bench.executor.hold();
    bench.scheduler.run_now("default", &key("busy")).await.unwrap();
    bench.look_after("10ms").await;
    bench.executor.started(2).await;
    for _ in 0..70 {
        second(&bench).await;
    }
    assert_eq!(bench.executor.calls().len(), 2, "the first is due again, and has to wait");
    gate.open();
    bench.settled_count(1).await;
    for _ in 0..6 {
        second(&bench).await;
    }
    let runs = bench.settled().await;
    assert_eq!(count(&runs, RunStatus::Succeeded), 2, "{runs:#?}");
}

/// A worker that disappears takes its places with it, until its leases run out.
#[tokio::test]
async fn the_places_of_a_dead_worker_are_free_with_its_leases() {
    let bench = Bench::new();
    bench.create(draft("1h", 1)).await;
    let dead = bench.another("dead", 10);
    let gate = bench.executor.hold();
    for _ in 0..2 {
        bench.scheduler.run_now("default", &key("busy")).await.unwrap();
        bench.manual.advance(TimeDelta::milliseconds(1));
    }
    dead.look().await.unwrap();
    bench.executor.started(1).await;
    // It lives on, but nobody hears of it any more.
    for _ in 0..29 {
        bench.look_after("1s").await;
        bench.quiet().await;
    }
    assert_eq!(bench.executor.calls().len(), 1);
    for _ in 0..100 {
        bench.look_after("1s").await;
        bench.dispatcher.renew().await.unwrap();
        bench.quiet().await;
        gate.release(1);
    }
    let runs = bench.settled().await;
    assert_eq!(count(&runs, RunStatus::Succeeded), 2, "{runs:#?}");
}

/// Waiting for each other by overlap and by limit at once, in all orders: nothing waits for ever.
#[tokio::test]
async fn limits_and_overlap_policies_do_not_lock_each_other_up() {
    for overlap in [Overlap::Skip, Overlap::BufferOne, Overlap::BufferAll, Overlap::CancelOther] {
        let bench = Bench::new();
        bench.create(JobDraft { overlap, ..draft("5s", 1) }).await;
        bench.manual.advance(TimeDelta::seconds(3));
        for asked in [Overlap::BufferAll, Overlap::AllowAll, Overlap::CancelOther, Overlap::BufferAll] {
            let asked = Asked { overlap: Some(asked), ..Asked::default() };
            bench.scheduler.run_as_asked("default", &key("busy"), asked).await.unwrap();
            // Late: what the schedule has made meanwhile comes before in time, and later into being.
            bench.manual.advance(TimeDelta::seconds(4));
        }
        let (from, to) = (at("2026-11-23T00:00:00Z"), at("2026-11-23T00:01:00Z"));
        let order = BackfillOrder { from, to, overlap: Overlap::AllowAll, max: 100, payload: None };
        bench.scheduler.backfill("default", &key("busy"), order).await.unwrap();
        bench.dispatcher.look().await.unwrap();
        bench.scheduler.pause("default", &key("busy"), None, None, None).await.unwrap();
        for _ in 0..200 {
            second(&bench).await;
        }
        let runs = bench.runs().await;
        assert!(runs.iter().all(|run| run.status.is_finished()), "{overlap:?} {runs:#?}");
    }
}

/// What waits looks for itself now and then, and no oftener.
#[tokio::test]
async fn waiting_costs_next_to_nothing() {
    let bench = Bench::new();
    bench.create(draft("1h", 1)).await;
    let _gate = bench.executor.hold();
    for _ in 0..20 {
        bench.scheduler.run_now("default", &key("busy")).await.unwrap();
        bench.manual.advance(TimeDelta::milliseconds(1));
    }
    bench.look_after("1ms").await;
    bench.executor.started(1).await;
    let looks = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = looks.clone();
    bench.store.fail_by(move |call, _| {
        if call == "slots" {
            seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Fault::None
    });
    for _ in 0..60 {
        second(&bench).await;
    }
    // A minute, 19 runs: the n-th of them looks every 5·n seconds.
    let looks = looks.load(std::sync::atomic::Ordering::Relaxed);
    assert!((10..=60).contains(&looks), "{looks}");
    assert_eq!(bench.executor.calls().len(), 1);
}
