//! A server that goes away and comes back.

use std::time::Duration;

use engine::{Store, StoreError};
use futures::future::join_all;
use testkit::{at, job};
use tokio::time::{Instant, sleep};

use crate::support::PgDatabase;

/// All connections end at once, as in a restart: callers are told to try again, and soon it works again.
#[tokio::test]
async fn lost_connections_are_replaced() {
    let Some(database) = PgDatabase::new().await else { return };
    let store = &database.store;
    let job = job("report").build();
    store.insert_job(&job).await.unwrap();
    for idle in [Duration::ZERO, Duration::from_millis(1_200)] {
        // As many connections as both pools have.
        join_all((0..20).map(|_| async {
            store.next_due().await.unwrap();
            store.ping().await.unwrap();
        }))
        .await;
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'scheduler'";
        sqlx::query(kill).execute(&database.raw).await.unwrap();
        sleep(idle).await;
        let began = Instant::now();
        let mut failures = 0;
        let mut successes = 0;
        while successes < 20 {
            let answers = [
                store.next_due().await.map(drop),
                store
                    .fire_due(at("2026-11-24T00:00:00Z"), 10, &mut |_| panic!("nothing is due"))
                    .await
                    .map(drop),
                store.job("default", &job.id.into()).await.map(drop),
            ];
            for answer in answers {
                match answer {
                    Ok(()) => successes += 1,
                    Err(StoreError::Unavailable(_)) => (failures, successes) = (failures + 1, 0),
                    Err(error) => panic!("{error:?}"),
                }
            }
            assert!(began.elapsed() < Duration::from_secs(5), "still failing after {failures} failures");
        }
        assert!(idle.is_zero() || failures == 0, "connections that were idle are tried before they are used");
    }
}
