//! Waking other processes, and the time they agree on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use domain::Instant;
use engine::{Alarm, Clock};
use testkit::{ManualClock, at, job};
use tokio::time::{sleep, timeout};

use crate::support::PgDatabase;

/// A bell that counts.
#[derive(Clone, Default)]
struct Rings(Arc<AtomicUsize>);

impl Rings {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn heard(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    async fn reach(&self, rings: usize) {
        let reached = async {
            while self.heard() < rings {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), reached).await.expect("the bell rings");
    }
}

#[tokio::test]
async fn what_is_due_soon_rings_and_what_is_due_later_does_not() {
    let Some(database) = PgDatabase::new().await else { return };
    let rings = Rings::default();
    let (bell, job) = (rings.clone(), job("report").build().id);
    let task = database.store.listen(move || bell.ring());
    rings.reach(1).await;
    let now = at("2026-11-24T00:00:00Z");
    let alarm = database.store.alarm(Arc::new(ManualClock::new(now)), Duration::from_secs(5));
    for quiet in [None, Some(now + TimeDelta::seconds(5)), Some(now + TimeDelta::hours(1))] {
        alarm.arm(job, quiet).await;
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(rings.heard(), 1, "loops look every five seconds anyway");
    alarm.arm(job, Some(now + TimeDelta::seconds(4))).await;
    rings.reach(2).await;
    for _ in 0..1_000 {
        alarm.arm(job, Some(now)).await;
    }
    rings.reach(3).await;
    sleep(Duration::from_millis(200)).await;
    assert!(rings.heard() < 10, "a thousand at once are {} rings", rings.heard() - 2);
    task.abort();
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_rings() {
    let Some(database) = PgDatabase::new().await else { return };
    let rings = Rings::default();
    let bell = rings.clone();
    let task = database.store.listen(move || bell.ring());
    rings.reach(1).await;
    for before in 1..3 {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'scheduler listen'";
        sqlx::query(kill).execute(&database.raw).await.unwrap();
        rings.reach(before + 1).await;
    }
    task.abort();
}

#[tokio::test]
async fn the_clock_is_the_databases_and_never_ahead() {
    let Some(database) = PgDatabase::new().await else { return };
    let clock = database.store.clock().await.unwrap();
    for _ in 0..200 {
        let before = clock.now();
        let there: Instant =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&database.raw).await.unwrap();
        assert!(before <= there, "{before} is ahead of {there}");
        assert!(there - before < TimeDelta::seconds(1), "{before} is far behind {there}");
        assert_eq!(before, domain::whole_millis(before));
    }
}
