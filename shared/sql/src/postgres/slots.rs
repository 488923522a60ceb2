//! Which runs hold one of their job's slots.

use async_trait::async_trait;
use domain::{JobId, Run, RunId, RunStatus};
use engine::{Slots, StoreError};
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::{PostgresStore, answered};

const HOLDERS: &str = "-- slots
SELECT s.run_id FROM slots AS s JOIN runs AS r ON r.id = s.run_id AND r.token = s.token AND r.status = $2
WHERE s.job_id = $1 ORDER BY s.run_id";

async fn holders(pool: &PgPool, job: JobId) -> sqlx::Result<Vec<RunId>> {
    let query = sqlx::query_scalar(HOLDERS).bind(job.0).bind(RunStatus::Running as i16);
    let ids: Vec<Uuid> = query.fetch_all(pool).await?;
    Ok(ids.into_iter().map(RunId).collect())
}

/// One after the other: what they count must not change until they have written.
const LOCK: &str = "-- lock_slots
SELECT 1 FROM jobs WHERE id = $1 FOR NO KEY UPDATE";

const CLEAR: &str = "-- clear_slots
DELETE FROM slots AS s WHERE s.job_id = $1 AND NOT EXISTS (
    SELECT 1 FROM runs AS r WHERE r.id = s.run_id AND r.token = s.token AND r.status = $2
)";

const TAKE: &str = "-- take_slot
INSERT INTO slots (job_id, run_id, token) SELECT $1, $2, $3
WHERE (SELECT count(*) FROM slots WHERE job_id = $1 AND run_id <> $2) < $4
ON CONFLICT (job_id, run_id) DO UPDATE SET token = excluded.token";

async fn take(pool: &PgPool, run: &Run, limit: u32) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    // Statements of their own: each sees what was written while the first one waited.
    let job: Option<i32> = sqlx::query_scalar(LOCK).bind(run.job_id.0).fetch_optional(&mut *tx).await?;
    if job.is_none() {
        tx.rollback().await?;
        return Ok(false);
    }
    let running = RunStatus::Running as i16;
    sqlx::query(CLEAR).bind(run.job_id.0).bind(running).execute(&mut *tx).await?;
    let taken = sqlx::query(TAKE)
        .bind(run.job_id.0)
        .bind(run.id.0)
        .bind(i64::try_from(run.token).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(taken.rows_affected() == 1)
}

#[async_trait]
impl Slots for PostgresStore {
    async fn slots(&self, job: JobId) -> Result<Vec<RunId>, StoreError> {
        answered(holders(&self.hot, job)).await
    }

    async fn take_slot(&self, run: &Run, limit: u32) -> Result<bool, StoreError> {
        answered(take(&self.hot, run, limit)).await
    }
}
