//! Two replicas on one PostgreSQL, one of them killed: every occurrence has exactly one record.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde_json::json;
use sqlx::Row;
use uuid::Uuid;

use super::cluster::{connect, fresh_database};
use super::service::{Options, Service};

const JOBS: usize = 2_000;
/// Together with the creation of the jobs this makes a minute of firing.
const BEFORE_THE_KILL: Duration = Duration::from_secs(30);
const AFTER_THE_KILL: Duration = Duration::from_secs(30);

/// Bug classes 1 and 4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_1_killing_one_of_two_replicas_loses_no_occurrence_and_doubles_none() {
    let Some(database) = fresh_database("replicas").await else { return };
    let _alone = crate::MACHINE.write().await;
    let directory = tempfile::tempdir().unwrap();
    let environment = [("SCHEDULER_LEASE", "3s"), ("SCHEDULER_LOG", "warn")];
    let options = || Options { database: &database, directory: directory.path(), environment: &environment };
    let (mut doomed, survivor) = (Service::start(options()).await, Service::start(options()).await);

    futures::stream::iter(0..JOBS)
        .for_each_concurrent(16, |index| {
            // Half of them through either replica; each on a phase of its own within the second.
            let service = if index % 2 == 0 { &doomed } else { &survivor };
            let anchor = format!("2026-01-01T00:00:00.{:03}Z", index % 1_000);
            let job = json!({
                "name": format!("job-{index}"),
                "schedule": {"type": "interval", "every": "1s", "anchor": anchor},
                "target": {"type": "noop"},
            });
            async move {
                service.post("/api/v1/jobs", &job).await;
            }
        })
        .await;
    tokio::time::sleep(BEFORE_THE_KILL).await;
    doomed.kill();
    tokio::time::sleep(AFTER_THE_KILL).await;

    let stale_writes = survivor.metric("scheduler_stale_writes_total").await;
    assert!(stale_writes.abs() < f64::EPSILON, "the survivor lost no lease");
    let (_, clean) = { survivor }.terminate();
    assert!(clean);
    judge(&database).await;
}

struct Record {
    scheduled_for: DateTime<Utc>,
    until: DateTime<Utc>,
    count: i64,
}

/// Reads every run record and holds it against the jobs' own grids.
async fn judge(database: &str) {
    let pool = connect(database).await;
    let firsts: BTreeMap<Uuid, DateTime<Utc>> = sqlx::query("select id, created_at from jobs")
        .fetch_all(&pool)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get("id"), row.get("created_at")))
        .collect();
    assert_eq!(firsts.len(), JOBS);
    let next: BTreeMap<Uuid, DateTime<Utc>> = sqlx::query("select job_id, next_fire_at from job_state")
        .fetch_all(&pool)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get("job_id"), row.get("next_fire_at")))
        .collect();

    let rows = sqlx::query(
        "select job_id, status, scheduled_for, finished_at,
                coalesce((document->>'count')::bigint, 1) as count,
                coalesce((document->>'scheduled_until')::timestamptz, scheduled_for) as until,
                (document->>'started_at')::timestamptz as started_at,
                (select count(*) from json_array_elements(document->'attempts') a
                  where a->>'outcome' = 'succeeded') as successes
           from runs order by job_id, scheduled_for",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut by_job: BTreeMap<Uuid, Vec<Record>> = BTreeMap::new();
    let mut unfinished = 0;
    let mut statuses: BTreeMap<i16, usize> = BTreeMap::new();
    for row in &rows {
        let scheduled_for: DateTime<Utc> = row.get("scheduled_for");
        if let Some(started_at) = row.get::<Option<DateTime<Utc>>, _>("started_at") {
            assert!(started_at >= scheduled_for, "started {started_at}, before its time {scheduled_for}");
        }
        assert!(row.get::<i64, _>("successes") <= 1, "carried out twice");
        unfinished += usize::from(row.get::<Option<DateTime<Utc>>, _>("finished_at").is_none());
        *statuses.entry(row.get("status")).or_default() += 1;
        by_job.entry(row.get("job_id")).or_default().push(Record {
            scheduled_for,
            until: row.get("until"),
            count: row.get("count"),
        });
    }
    println!("{} records by status: {statuses:?}", rows.len());
    assert_eq!(unfinished, 0, "every lease of the killed replica was taken over and brought to an end");

    let second = chrono::TimeDelta::seconds(1);
    let mut occurrences = 0;
    for (job, created_at) in &firsts {
        let records = &by_job[job];
        let first = records[0].scheduled_for;
        assert!(
            *created_at < first && first <= *created_at + second,
            "the first occurrence follows the creation"
        );
        let mut expected = first;
        for record in records {
            assert_eq!(
                record.scheduled_for, expected,
                "one record for each occurrence, none twice, none missing"
            );
            assert_eq!(
                record.until,
                record.scheduled_for + second * i32::try_from(record.count - 1).unwrap()
            );
            expected = record.until + second;
            occurrences += record.count;
        }
        assert_eq!(next[job], expected, "the next occurrence follows the last record");
    }
    let seconds = i64::try_from((BEFORE_THE_KILL + AFTER_THE_KILL).as_secs()).unwrap();
    let least = i64::try_from(JOBS).unwrap() * (seconds - 10);
    assert!(
        occurrences >= least,
        "only {occurrences} occurrences were accounted for, expected at least {least}"
    );
}
