//! Rounds that remove old records: what they leave, and that one process makes each.

use std::sync::Arc;
use std::time::Duration;

use domain::{HumanDuration, JobDraft, Overlap};
use engine::retention::{round, run};
use engine::{Entropy, Purge, Retention};
use testkit::{Fault, SeededEntropy, at, job};

use super::bench::Bench;

/// A bench whose job has run every minute for `minutes`.
async fn after_minutes(minutes: usize) -> Bench {
    let bench = Bench::new();
    bench.create(JobDraft { overlap: Overlap::AllowAll, ..job("tick").every("1m").draft() }).await;
    for _ in 0..minutes {
        bench.look_after("1m").await;
    }
    bench.settled_count(minutes).await;
    bench
}

fn duration(text: &str) -> HumanDuration {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn by_age_by_number_and_not_at_all() {
    let cases = [
        (Some("1h"), None, 61),
        // The last hour stays, however many runs it has.
        (None, Some(10), 61),
        (Some("65m"), Some(10), 61),
        (None, Some(100), 100),
        (None, None, 120),
        (Some("1d"), Some(1_000), 120),
    ];
    for (age, runs, left) in cases {
        let bench = after_minutes(120).await;
        let retention = Retention { age: age.map(duration), runs };
        let before = bench.runs().await;
        let removed = round(&*bench.store, retention, bench.clock.now()).await.unwrap();
        let after = bench.runs().await;
        assert_eq!(
            (after.len(), after.len() + usize::try_from(removed).unwrap()),
            (left, 120),
            "{retention:?}"
        );
        assert_eq!(after, before[120 - left..], "the newest stay");
        assert_eq!(round(&*bench.store, retention, bench.clock.now()).await.unwrap(), 0);
    }
}

/// A round that fails half way is no harm: the next one finishes it.
#[tokio::test(start_paused = true)]
async fn a_round_may_fail_anywhere() {
    let bench = after_minutes(120).await;
    let retention = Retention { age: Some(duration("90m")), runs: Some(20) };
    for failing in 0..4 {
        let mut calls = 0;
        bench.store.fail_by(move |_, _| {
            calls += 1;
            if calls == failing + 1 { Fault::After } else { Fault::None }
        });
        let _ = round(&*bench.store, retention, bench.clock.now()).await;
    }
    bench.store.heal();
    round(&*bench.store, retention, bench.clock.now()).await.unwrap();
    assert_eq!(bench.runs().await.len(), 61);
}

/// Many processes look, each in its own time; the work is done once an hour.
#[tokio::test(start_paused = true)]
async fn one_of_many_processes_makes_the_round() {
    let bench = Bench::in_tokio_time();
    let store = bench.store.clone();
    let rounds = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = rounds.clone();
    store.fail_by(move |call, _| {
        if call == "purge_old" {
            seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Fault::None
    });
    for seed in 0..5 {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let retention = Retention { age: Some(duration("1d")), runs: None };
        tokio::spawn(run(store.clone(), bench.clock.clone(), entropy, retention));
    }
    tokio::time::sleep(Duration::from_mins(330)).await;
    let rounds = rounds.load(std::sync::atomic::Ordering::Relaxed);
    assert!((5..=6).contains(&rounds), "{rounds}");
    assert!(!store.claim_purge(at("2026-11-24T00:00:00Z"), at("2026-11-24T01:00:00Z")).await.unwrap());
}
