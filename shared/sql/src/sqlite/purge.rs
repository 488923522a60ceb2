//! Removing old runs, with their logs and reports. Each statement walks along a key from where the one before stopped, so what is kept is read
//! once a round and nothing is read twice. Choosing and deleting are one transaction: there is one writer.

use async_trait::async_trait;
use domain::{Instant, JobId, RunId};
use engine::{Purge, Purged, StoreError};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;
use uuid::Uuid;

use super::{SqliteStore, batch, events};
use crate::error::store_error;

/// Of one job in one call.
const MOST: i64 = 1_000;

const CLAIM: &str = "-- claim_purge
INSERT INTO chores (name, next_at) VALUES ('purge', $2)
ON CONFLICT (name) DO UPDATE SET next_at = $2 WHERE next_at <= $1";

async fn claim(pool: &SqlitePool, now: Instant, next: Instant) -> sqlx::Result<bool> {
    let query = sqlx::query(CLAIM).bind(now.timestamp_millis()).bind(next.timestamp_millis());
    Ok(query.execute(pool).await?.rows_affected() == 1)
}

const WALK: &str = "-- purge_walk
SELECT r.id, r.finished_at < $3 AND (
    NOT EXISTS (SELECT 1 FROM job_state AS s WHERE s.job_id = r.job_id)
    OR EXISTS (SELECT 1 FROM runs AS n WHERE n.job_id = r.job_id AND n.id > r.id AND n.finished_at IS NOT NULL)
) FROM runs AS r WHERE r.id > $1 AND r.id < $2 ORDER BY r.id LIMIT $4";

const DELETE: &str = "-- purge_delete
DELETE FROM runs WHERE id IN (SELECT unhex(value) FROM json_each($1)) AND finished_at IS NOT NULL";

async fn old(
    store: &SqliteStore,
    before: Instant,
    after: Option<RunId>,
    limit: u32,
) -> sqlx::Result<Purged<RunId>> {
    let mut tx = store.begin().await?;
    let walked: Vec<(Uuid, Option<bool>)> = sqlx::query_as(WALK)
        .bind(after.map_or(Uuid::nil(), |after| after.0))
        .bind(RunId::first_at(before).0)
        .bind(before.timestamp_millis())
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await?;
    let old: Vec<Uuid> = walked.iter().filter(|(_, old)| *old == Some(true)).map(|(id, _)| *id).collect();
    let removed = delete(&mut tx, old).await?;
    tx.commit().await?;
    let walked: Vec<RunId> = walked.into_iter().map(|(id, _)| RunId(id)).collect();
    Ok(Purged::of(removed, &walked, limit))
}

const DELETE_LOGS: &str = "-- purge_delete_logs
DELETE FROM run_logs WHERE run_id IN (SELECT unhex(value) FROM json_each($1))
    AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id = run_id)";

const DELETE_REPORTS: &str = "-- purge_delete_reports
DELETE FROM run_reports WHERE run_id IN (SELECT unhex(value) FROM json_each($1))
    AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id = run_id)";

const JOBS: &str = "-- purge_jobs
SELECT job_id FROM job_state WHERE job_id > $1 ORDER BY job_id LIMIT $2";

const EXCESS: &str = "-- purge_excess
SELECT r.id FROM runs AS r
WHERE r.job_id = $1 AND r.finished_at < $2 AND r.id < (
    SELECT k.id FROM runs AS k WHERE k.job_id = $1 AND k.finished_at IS NOT NULL
    ORDER BY k.id DESC LIMIT 1 OFFSET $3
)
ORDER BY r.id LIMIT $4";

async fn excess(
    store: &SqliteStore,
    keep: u32,
    before: Instant,
    after: Option<JobId>,
    limit: u32,
) -> sqlx::Result<Purged<JobId>> {
    let jobs: Vec<(Uuid,)> = sqlx::query_as(JOBS)
        .bind(after.map_or(Uuid::nil(), |after| after.0))
        .bind(i64::from(limit))
        .fetch_all(&store.readers)
        .await?;
    let jobs: Vec<JobId> = jobs.into_iter().map(|(id,)| JobId(id)).collect();
    let mut removed = 0;
    for job in &jobs {
        // Read without the writer's lock: whoever removes a run in the meantime removes it once.
        let excess: Vec<(Uuid,)> = sqlx::query_as(EXCESS)
            .bind(job.0)
            .bind(before.timestamp_millis())
            .bind(i64::from(keep.max(1)) - 1)
            .bind(MOST)
            .fetch_all(&store.readers)
            .await?;
        if !excess.is_empty() {
            let mut tx = store.begin().await?;
            removed += delete(&mut tx, excess.into_iter().map(|(id,)| id).collect()).await?;
            tx.commit().await?;
        }
    }
    Ok(Purged::of(removed, &jobs, limit))
}

/// Within a transaction: a run's log and reports go with it.
async fn delete(connection: &mut SqliteConnection, runs: Vec<Uuid>) -> sqlx::Result<u64> {
    if runs.is_empty() {
        return Ok(0);
    }
    let ids = batch::ids(runs);
    let removed = sqlx::query(DELETE).bind(&ids).execute(&mut *connection).await?.rows_affected();
    for statement in [DELETE_LOGS, DELETE_REPORTS] {
        sqlx::query(statement).bind(&ids).execute(&mut *connection).await?;
    }
    Ok(removed)
}

const ENDED: &str = "-- purge_ended_backfills
SELECT id FROM backfills WHERE due_at IS NULL AND created_at < $1 ORDER BY id LIMIT $2";

const DELETE_LINKS: &str = "-- purge_backfill_runs
DELETE FROM backfill_runs WHERE backfill_id IN (SELECT unhex(value) FROM json_each($1))";

const DELETE_BACKFILLS: &str = "-- purge_backfills
DELETE FROM backfills WHERE id IN (SELECT unhex(value) FROM json_each($1))";

async fn backfills(store: &SqliteStore, before: Instant, limit: u32) -> sqlx::Result<u64> {
    let mut tx = store.begin().await?;
    let query = sqlx::query_as(ENDED).bind(before.timestamp_millis()).bind(i64::from(limit));
    let ended: Vec<(Uuid,)> = query.fetch_all(&mut *tx).await?;
    let ids = batch::ids(ended.iter().map(|(id,)| *id));
    sqlx::query(DELETE_LINKS).bind(&ids).execute(&mut *tx).await?;
    sqlx::query(DELETE_BACKFILLS).bind(&ids).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(ended.len() as u64)
}

#[async_trait]
impl Purge for SqliteStore {
    async fn claim_purge(&self, now: Instant, next: Instant) -> Result<bool, StoreError> {
        claim(&self.writer, now, next).await.map_err(store_error)
    }

    async fn purge_old(
        &self,
        before: Instant,
        after: Option<RunId>,
        limit: u32,
    ) -> Result<Purged<RunId>, StoreError> {
        old(self, before, after, limit).await.map_err(store_error)
    }

    async fn purge_excess(
        &self,
        keep: u32,
        before: Instant,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Purged<JobId>, StoreError> {
        excess(self, keep, before, after, limit).await.map_err(store_error)
    }

    async fn purge_events(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        events::forget(&self.writer, before, limit).await.map_err(store_error)
    }

    async fn purge_backfills(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        backfills(self, before, limit).await.map_err(store_error)
    }
}
