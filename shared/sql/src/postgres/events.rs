//! What is told of jobs and runs: written by whoever changes them, in the same statement.

use async_trait::async_trait;
use domain::{Instant, JobId, RunId};
use engine::bell::Ear;
use engine::{Entry, Events, Place, StoreError, Telling};
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

use super::{PostgresStore, answered};
use crate::numbers::to_i64;

/// Tells of the runs that another part of the statement returns, if there are any, as a part of its own.
macro_rules! tell_of_runs {
    ($deed:literal, $runs:literal) => {
        concat!(
            "INSERT INTO events (deed, projects, job_ids, run_ids, statuses)
    SELECT ",
            $deed,
            "::smallint, array_agg(project), array_agg(job_id), array_agg(id), array_agg(status)
    FROM ",
            $runs,
            " HAVING count(*) > 0"
        )
    };
}

/// Tells of the job that another part of the statement returns, likewise.
macro_rules! tell_of_job {
    ($deed:literal, $state:literal, $job:literal) => {
        concat!(
            "INSERT INTO events (deed, projects, job_ids, run_ids, statuses)
    SELECT ",
            $deed,
            "::smallint, ARRAY[project], ARRAY[id], ARRAY[NULL::uuid], ARRAY[",
            $state,
            "::smallint] FROM ",
            $job
        )
    };
}

pub(super) const LATEST: &str = "-- latest_event
SELECT xid::text, seq FROM events WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid DESC, seq DESC LIMIT 1";

/// With the one at the place itself, which must be there; of that no more than is asked for.
pub(super) const READ: &str = "-- read_events
SELECT xid::text, seq, deed, CASE WHEN wanted THEN projects END, CASE WHEN wanted THEN job_ids END,
    CASE WHEN wanted THEN run_ids END, CASE WHEN wanted THEN statuses END
FROM (
    SELECT *, $3 OR (xid, seq) <> ($1::text::xid8, $2) AS wanted FROM events
    WHERE (xid, seq) >= ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, seq LIMIT $4
) AS told";

async fn latest(pool: &PgPool) -> sqlx::Result<Option<Place>> {
    sqlx::query(LATEST).fetch_optional(pool).await?.as_ref().map(place_of).transpose()
}

async fn read(pool: &PgPool, place: Place, own: bool, limit: u32) -> sqlx::Result<Option<Vec<Telling>>> {
    let rows = sqlx::query(READ)
        .bind(place.transaction.to_string())
        .bind(to_i64(place.seq))
        .bind(own)
        .bind(i64::from(limit) + i64::from(!own))
        .fetch_all(pool)
        .await?;
    let told = rows.iter().map(telling).collect::<sqlx::Result<Vec<_>>>()?;
    let there = told.first().is_some_and(|first| first.place == place);
    Ok(there.then(|| told.into_iter().skip(usize::from(!own)).collect()))
}

fn place_of(row: &PgRow) -> sqlx::Result<Place> {
    let transaction: String = row.try_get(0)?;
    let transaction = transaction.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Place { transaction, seq: row.try_get::<i64, _>(1)?.unsigned_abs() })
}

fn telling(row: &PgRow) -> sqlx::Result<Telling> {
    let projects = row.try_get::<Option<Vec<String>>, _>(3)?.unwrap_or_default();
    let jobs = row.try_get::<Option<Vec<Uuid>>, _>(4)?.unwrap_or_default();
    let runs = row.try_get::<Option<Vec<Option<Uuid>>>, _>(5)?.unwrap_or_default();
    let statuses = row.try_get::<Option<Vec<i16>>, _>(6)?.unwrap_or_default();
    let entries = projects.into_iter().zip(jobs).zip(runs).zip(statuses);
    let entries = entries.map(|(((project, job), run), status)| Entry {
        project,
        job: JobId(job),
        run: run.map(RunId),
        status,
    });
    Ok(Telling { place: place_of(row)?, deed: row.try_get(2)?, entries: entries.collect() })
}

/// From the front, up to the first that is to stay. What a copy brought from a database that had seen more transactions
/// lies behind all that can be read, and goes by its age alone.
pub(super) const FORGET: &str = "-- purge_events
WITH front AS MATERIALIZED (
    SELECT xid, seq, at FROM events WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq LIMIT $2
), old AS (
    SELECT xid, seq FROM (SELECT xid, seq, bool_and(at < $1) OVER (ORDER BY xid, seq) AS old FROM front) AS aged
    WHERE old AND (xid, seq) <> (
        SELECT xid, seq FROM events WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY xid DESC, seq DESC LIMIT 1
    )
    UNION ALL
    SELECT xid, seq FROM events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) AND at < $1
), unlocked AS (
    SELECT xid, seq FROM events WHERE (xid, seq) IN (SELECT xid, seq FROM old) FOR UPDATE SKIP LOCKED
)
DELETE FROM events WHERE (xid, seq) IN (SELECT xid, seq FROM unlocked)";

pub(super) async fn forget(pool: &PgPool, before: Instant, limit: u32) -> sqlx::Result<u64> {
    Ok(sqlx::query(FORGET).bind(before).bind(i64::from(limit)).execute(pool).await?.rows_affected())
}

#[async_trait]
impl Events for PostgresStore {
    async fn latest(&self) -> Result<Option<Place>, StoreError> {
        answered(latest(&self.pool)).await
    }

    async fn events_after(
        &self,
        place: Place,
        own: bool,
        limit: u32,
    ) -> Result<Option<Vec<Telling>>, StoreError> {
        answered(read(&self.pool, place, own, limit)).await
    }

    fn listen(&self) -> Ear {
        self.told.listen()
    }
}
