//! That no hot statement reads a whole table, whatever the planner believes of its size.
//!
//! Specific to these stores: the contract cannot see a plan, only its price.

use domain::HumanDuration;
use domain::run::Lease;
use engine::{Settled, Store};
use sqlx::{Executor, PgPool, Row};
use testkit::{at, job};

use crate::support::PgDatabase;

/// Jobs in the table, half of them due: the case in which a planner left to itself turns to scanning.
const JOBS: usize = 2_000;

#[tokio::test]
async fn hot_statements_read_what_they_touch_and_no_more() {
    let Some(database) = PgDatabase::new().await else { return };
    let store = &database.store;
    for index in 0..JOBS {
        let every = if index % 2 == 0 { "1m" } else { "1d" };
        store.insert_job(&job(&format!("job-{index}")).every(every).build()).await.unwrap();
    }
    database.raw.execute("VACUUM ANALYZE").await.unwrap();
    let before = rows_scanned(&database.raw).await;

    let now = at("2026-11-24T00:01:00Z");
    let lease = Lease { worker: "a".to_owned(), until: now + HumanDuration::from_secs(30).to_delta() };
    let mut started = Vec::new();
    // Many small batches: a statement that scans would read the table each time.
    for _ in 0..20 {
        let mut decide = |due: engine::DueJob| {
            let mut firing =
                domain::fire(&due.job.unwrap(), due.next_fire_at, now, due.active, due.runs_started);
            for run in &mut firing.runs {
                *run = run.clone().leased(&lease);
            }
            firing
        };
        for firing in store.fire_due(now, 10, &mut decide).await.unwrap() {
            started.extend(firing.runs);
        }
        store.next_due().await.unwrap();
        store.count_due(now, at("2026-11-25T00:00:00Z"), 100).await.unwrap();
        store.lease_runs(now, &lease, 10).await.unwrap();
    }
    assert_eq!(started.len(), 200);
    let held: Vec<_> = started.iter().map(|run| (run.id, run.token)).collect();
    for some in held.chunks(10) {
        store.renew(some, lease.until).await.unwrap();
    }
    for some in started.chunks(10) {
        let settled: Vec<Settled> = some
            .iter()
            .map(|run| Settled {
                run: domain::settle::cancelled(run, domain::Reason::Requested, now),
                token: run.token,
            })
            .collect();
        assert!(store.commit_settled(&settled).await.unwrap().iter().all(|written| *written));
    }
    let scanned = rows_scanned(&database.raw).await - before;
    assert_eq!(scanned, 0, "rows were read by sequential scans");
}

/// Rows read by sequential scans of our tables so far, by all connections that have reported.
async fn rows_scanned(pool: &PgPool) -> i64 {
    // Statistics are reported by each connection when it has been idle for a moment.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let sum = "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relname IN ('jobs', 'job_state', 'runs', 'leases')";
    sqlx::query(sum).fetch_one(pool).await.unwrap().get(0)
}
