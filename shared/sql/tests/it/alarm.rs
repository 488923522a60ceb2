//! Bells across processes. Specific to PostgreSQL: SQLite serves one process.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use engine::{Alarm, Clock};
use testkit::job;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::PgDatabase;

const POLL_FLOOR: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_is_due_soon_rings_in_another_process_and_what_is_not_does_not() {
    let Some(database) = PgDatabase::new().await else { return };
    let (rang, mut rings) = mpsc::unbounded_channel();
    let listening = database.store.listen(move || rang.send(()).unwrap_or_default());
    // It rings when it begins to listen, for something may have been missed before.
    timeout(PATIENCE, rings.recv()).await.unwrap().unwrap();

    let clock: Arc<dyn Clock> = Arc::new(database.store.clock().await.unwrap());
    let alarm = database.store.alarm(clock.clone(), POLL_FLOOR);
    let job = job("report").build().id;
    alarm.arm(job, None).await;
    alarm.arm(job, Some(clock.now() + TimeDelta::minutes(1))).await;
    let silence = timeout(Duration::from_millis(300), rings.recv()).await;
    assert!(silence.is_err(), "loops look by themselves before that is due");
    for _ in 0..100 {
        alarm.arm(job, Some(clock.now() + TimeDelta::seconds(1))).await;
    }
    timeout(PATIENCE, rings.recv()).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut more = 0;
    while rings.try_recv().is_ok() {
        more += 1;
    }
    assert!(more <= 3, "rings close together become one, but there were {more} more");
    listening.abort();
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_rings() {
    let Some(database) = PgDatabase::new().await else { return };
    let (rang, mut rings) = mpsc::unbounded_channel();
    let listening = database.store.listen(move || rang.send(()).unwrap_or_default());
    timeout(PATIENCE, rings.recv()).await.unwrap().unwrap();
    for _ in 0..2 {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'scheduler listen'";
        sqlx::query(kill).execute(&database.raw).await.unwrap();
        timeout(PATIENCE, rings.recv()).await.unwrap().unwrap();
    }
    listening.abort();
}

#[tokio::test]
async fn the_databases_clock_is_close_and_never_ahead() {
    let Some(database) = PgDatabase::new().await else { return };
    let clock = database.store.clock().await.unwrap();
    for _ in 0..50 {
        let estimate = clock.now();
        let truth: domain::Instant =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&database.raw).await.unwrap();
        assert!(estimate <= truth, "{estimate} is ahead of {truth}");
        assert!(truth - estimate < TimeDelta::seconds(1), "{estimate} is far behind {truth}");
    }
}
