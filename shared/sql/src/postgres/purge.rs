//! Removing old runs, with their logs and reports. Each statement walks along a key from where the one before stopped, so what is kept is read
//! once a round and nothing is read twice.

use async_trait::async_trait;
use domain::{Instant, JobId, RunId};
use engine::{Purge, Purged, StoreError};
use sqlx::Row;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::{PostgresStore, answered, events};

/// Of one job in one call.
const MOST: i64 = 1_000;

const CLAIM: &str = "-- claim_purge
INSERT INTO chores (name, next_at) VALUES ('purge', $2)
ON CONFLICT (name) DO UPDATE SET next_at = $2 WHERE chores.next_at <= $1";

async fn claim(pool: &PgPool, now: Instant, next: Instant) -> sqlx::Result<bool> {
    let done = sqlx::query(CLAIM).bind(now).bind(next).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}

const OLD: &str = "-- purge_old
WITH walked AS MATERIALIZED (
    SELECT id, job_id, finished_at FROM runs WHERE id > $1 AND id < $2 ORDER BY id LIMIT $4
), old AS MATERIALIZED (
    SELECT w.id FROM walked AS w
    WHERE w.finished_at < $3 AND (
        NOT EXISTS (SELECT 1 FROM job_state AS s WHERE s.job_id = w.job_id)
        OR EXISTS (
            SELECT 1 FROM runs AS n WHERE n.job_id = w.job_id AND n.id > w.id AND n.finished_at IS NOT NULL
        )
    )
    ORDER BY w.id
), gone AS (
    DELETE FROM runs AS r USING old WHERE r.id = ANY (ARRAY[old.id]) AND r.finished_at < $3 RETURNING r.id
), logs AS (
    DELETE FROM run_logs AS l USING gone WHERE l.run_id = ANY (ARRAY[gone.id])
), reports AS (
    DELETE FROM run_reports AS p USING gone WHERE p.run_id = ANY (ARRAY[gone.id])
)
SELECT (SELECT count(*) FROM gone), (SELECT array_agg(id ORDER BY id) FROM walked)";

async fn old(
    pool: &PgPool,
    before: Instant,
    after: Option<RunId>,
    limit: u32,
) -> sqlx::Result<Purged<RunId>> {
    let row = sqlx::query(OLD)
        .bind(after.map_or(Uuid::nil(), |after| after.0))
        .bind(RunId::first_at(before).0)
        .bind(before)
        .bind(i64::from(limit))
        .fetch_one(pool)
        .await?;
    let walked = row.try_get::<Option<Vec<Uuid>>, _>(1)?.unwrap_or_default();
    let walked: Vec<RunId> = walked.into_iter().map(RunId).collect();
    Ok(Purged::of(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0), &walked, limit))
}

const EXCESS: &str = "-- purge_excess
WITH walked AS MATERIALIZED (
    SELECT job_id FROM job_state WHERE job_id > $1 ORDER BY job_id LIMIT $4
), edge AS MATERIALIZED (
    SELECT w.job_id, e.id FROM walked AS w CROSS JOIN LATERAL (
        SELECT r.id FROM runs AS r WHERE r.job_id = w.job_id AND r.finished_at IS NOT NULL
        ORDER BY r.id DESC OFFSET $3 LIMIT 1
    ) AS e
), excess AS MATERIALIZED (
    SELECT x.id FROM edge AS e CROSS JOIN LATERAL (
        SELECT r.id FROM runs AS r WHERE r.job_id = e.job_id AND r.id < e.id AND r.finished_at < $2
        ORDER BY r.id LIMIT $5
    ) AS x
    ORDER BY x.id
), gone AS (
    DELETE FROM runs AS r USING excess WHERE r.id = ANY (ARRAY[excess.id]) AND r.finished_at < $2 RETURNING r.id
), logs AS (
    DELETE FROM run_logs AS l USING gone WHERE l.run_id = ANY (ARRAY[gone.id])
), reports AS (
    DELETE FROM run_reports AS p USING gone WHERE p.run_id = ANY (ARRAY[gone.id])
)
SELECT (SELECT count(*) FROM gone), (SELECT array_agg(job_id ORDER BY job_id) FROM walked)";

async fn excess(
    pool: &PgPool,
    keep: u32,
    before: Instant,
    after: Option<JobId>,
    limit: u32,
) -> sqlx::Result<Purged<JobId>> {
    let row = sqlx::query(EXCESS)
        .bind(after.map_or(Uuid::nil(), |after| after.0))
        .bind(before)
        .bind(i64::from(keep.max(1)) - 1)
        .bind(i64::from(limit))
        .bind(MOST)
        .fetch_one(pool)
        .await?;
    let walked = row.try_get::<Option<Vec<Uuid>>, _>(1)?.unwrap_or_default();
    let walked: Vec<JobId> = walked.into_iter().map(JobId).collect();
    Ok(Purged::of(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0), &walked, limit))
}

const BACKFILLS: &str = "-- purge_backfills
WITH ended AS MATERIALIZED (
    SELECT id FROM backfills WHERE due_at IS NULL AND created_at < $1 ORDER BY id LIMIT $2
), links AS (
    DELETE FROM backfill_runs AS l USING ended WHERE l.backfill_id = ANY (ARRAY[ended.id])
)
DELETE FROM backfills AS b USING ended WHERE b.id = ANY (ARRAY[ended.id])";

async fn backfills(pool: &PgPool, before: Instant, limit: u32) -> sqlx::Result<u64> {
    Ok(sqlx::query(BACKFILLS).bind(before).bind(i64::from(limit)).execute(pool).await?.rows_affected())
}

#[async_trait]
impl Purge for PostgresStore {
    async fn claim_purge(&self, now: Instant, next: Instant) -> Result<bool, StoreError> {
        answered(claim(&self.pool, now, next)).await
    }

    async fn purge_old(
        &self,
        before: Instant,
        after: Option<RunId>,
        limit: u32,
    ) -> Result<Purged<RunId>, StoreError> {
        answered(old(&self.hot, before, after, limit)).await
    }

    async fn purge_excess(
        &self,
        keep: u32,
        before: Instant,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Purged<JobId>, StoreError> {
        answered(excess(&self.hot, keep, before, after, limit)).await
    }

    async fn purge_events(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        answered(events::forget(&self.pool, before, limit)).await
    }

    async fn purge_backfills(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        answered(backfills(&self.pool, before, limit)).await
    }
}
