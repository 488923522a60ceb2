//! A million records of one job: they go in small steps, and what is kept is what should be.

use engine::{Purge, Store};
use testkit::{at, job};

use crate::support::SqliteFile;

const MANY: i64 = 1_000_000;
const KEEP: u32 = 1_000;

/// One a second, each ended a second later.
const FILL: &str = "
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $3 - 1)
INSERT INTO runs (id, project, job_id, kind, status, scheduled_for, due_at, token, worker, cancel_requested,
    created_at, finished_at, document)
SELECT unhex(printf('%012x', $2 + 1000 * i) || '8000' || hex(randomblob(8))), 'default', $1, 0, 2, $2 + 1000 * i,
    NULL, 1, NULL, 0, $2 + 1000 * i, $2 + 1000 * i + 1000, '{\"v\":1,\"job_name\":\"tick\"}'
FROM n";

#[tokio::test]
async fn a_million_runs_come_down_to_what_is_kept() {
    let SqliteFile { store, raw, folder: _folder } = SqliteFile::new().await;
    let job = job("tick").every("1s").build();
    store.insert_job(&job).await.unwrap();
    let start = at("2026-10-01T00:00:00Z").timestamp_millis();
    sqlx::query(FILL).bind(job.id.0).bind(start).bind(MANY).execute(&raw).await.unwrap();

    let now = at("2026-11-24T00:00:00Z");
    let mut steps = 0;
    loop {
        let removed = store.purge_excess(KEEP, now, None, 100).await.unwrap().removed;
        if removed == 0 {
            break;
        }
        assert!(removed <= 1_000, "{removed} at once");
        steps += 1;
    }
    assert_eq!(steps, (MANY - i64::from(KEEP)) / 1_000);
    let left: (i64, i64, i64) =
        sqlx::query_as("SELECT count(*), min(scheduled_for), max(scheduled_for) FROM runs")
            .fetch_one(&raw)
            .await
            .unwrap();
    let newest = start + 1_000 * (MANY - 1);
    assert_eq!(left, (KEEP.into(), newest - 1_000 * (i64::from(KEEP) - 1), newest));

    // By age, all but the latest.
    let mut after = None;
    loop {
        let purged = store.purge_old(now, after, 1_000).await.unwrap();
        after = purged.next;
        if after.is_none() {
            break;
        }
    }
    let left: (i64, i64) =
        sqlx::query_as("SELECT count(*), max(scheduled_for) FROM runs").fetch_one(&raw).await.unwrap();
    assert_eq!(left, (1, newest));
    assert!(store.job("default", &job.id.into()).await.unwrap().unwrap().last_run.is_some());
}
