//! Backfills.

use async_trait::async_trait;
use domain::{Backfill, BackfillId, Instant, Run, RunStatus};
use engine::record::{BackfillRecord, numbered};
use engine::{BackfillQuery, Backfills, Deed, Page, StoreError};
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

use super::{PostgresStore, answered, has_nul, rows, runs};
use crate::readable;

const INSERT: &str = concat!(
    "-- insert_backfill
INSERT INTO backfills (",
    backfill_columns!(),
    ") SELECT $1, $2, $3, $4, $5, $6, $7::json
WHERE EXISTS (SELECT 1 FROM jobs WHERE id = $3 AND project = $2)"
);

async fn insert(pool: &PgPool, backfill: &Backfill) -> sqlx::Result<bool> {
    let record = BackfillRecord::from(backfill);
    let done = sqlx::query(INSERT)
        .bind(record.id)
        .bind(record.project)
        .bind(record.job_id)
        .bind(record.version)
        .bind(record.due_at)
        .bind(record.created_at)
        .bind(record.document.to_string())
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}

const FIND: &str = concat!(
    "-- find_backfill
SELECT ",
    backfill_columns!(),
    " FROM backfills WHERE id = $2 AND project = $1"
);

async fn find(pool: &PgPool, project: &str, id: BackfillId) -> sqlx::Result<Option<Backfill>> {
    if has_nul(project) {
        return Ok(None);
    }
    let row = sqlx::query(FIND).bind(project).bind(id.0).fetch_optional(pool).await?;
    row.as_ref().map(record).transpose()?.map(readable::required_backfill).transpose()
}

const LIST: &str = concat!(
    "-- list_backfills
SELECT ",
    backfill_columns!(),
    " FROM backfills WHERE job_id = $2 AND project = $1 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
);

async fn list(pool: &PgPool, query: &BackfillQuery) -> sqlx::Result<Page<Backfill>> {
    if has_nul(&query.project) {
        return Ok(Page { items: Vec::new(), has_more: false });
    }
    let rows = sqlx::query(LIST)
        .bind(&query.project)
        .bind(query.job.0)
        .bind(query.after.map(|after| after.0))
        .bind(i64::from(query.limit) + 1)
        .fetch_all(pool)
        .await?;
    readable::backfills(rows.iter().map(record), query.limit)
}

const DUE: &str = concat!(
    "-- due_backfills
SELECT ",
    backfill_columns!(),
    " FROM backfills WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2"
);

async fn due(pool: &PgPool, now: Instant, limit: u32) -> sqlx::Result<Vec<Backfill>> {
    let rows = sqlx::query(DUE).bind(now).bind(i64::from(limit)).fetch_all(pool).await?;
    Ok(readable::backfills(rows.iter().map(record), limit)?.items)
}

const REPLACE: &str = "-- replace_backfill
UPDATE backfills SET version = $2, due_at = $3, document = $4::json WHERE id = $1 AND version = $2 - 1";

const ADD_RUNS: &str = "-- add_backfill_runs
INSERT INTO backfill_runs (backfill_id, run_id) SELECT $1, r.id FROM unnest($2::uuid[]) AS r (id)
ON CONFLICT DO NOTHING";

async fn replace(pool: &PgPool, backfill: &Backfill, new: &[Run]) -> sqlx::Result<bool> {
    let record = BackfillRecord::from(backfill);
    let mut tx = pool.begin().await?;
    let done = sqlx::query(REPLACE)
        .bind(record.id)
        .bind(record.version)
        .bind(record.due_at)
        .bind(record.document.to_string())
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    if !new.is_empty() {
        runs::insert_many(&mut tx, Deed::Insert, new).await?;
        let ids: Vec<Uuid> = new.iter().map(|run| run.id.0).collect();
        sqlx::query(ADD_RUNS).bind(record.id).bind(ids).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(true)
}

const COUNTS: &str = "-- backfill_counts
SELECT r.status, count(*) FROM backfill_runs AS b JOIN runs AS r ON r.id = b.run_id
WHERE b.backfill_id = $1 GROUP BY r.status ORDER BY r.status";

async fn counts(pool: &PgPool, id: BackfillId) -> sqlx::Result<Vec<(RunStatus, u64)>> {
    let counted: Vec<(i16, i64)> = sqlx::query_as(COUNTS).bind(id.0).fetch_all(pool).await?;
    let known = |(status, count): (i16, i64)| {
        Some((numbered(&RunStatus::ALL, status)?, u64::try_from(count).unwrap_or(0)))
    };
    Ok(counted.into_iter().filter_map(known).collect())
}

fn record(row: &PgRow) -> sqlx::Result<BackfillRecord> {
    Ok(BackfillRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        job_id: row.try_get(2)?,
        version: row.try_get(3)?,
        due_at: row.try_get(4)?,
        created_at: row.try_get(5)?,
        document: rows::json(row, 6)?,
    })
}

#[async_trait]
impl Backfills for PostgresStore {
    async fn insert_backfill(&self, backfill: &Backfill) -> Result<bool, StoreError> {
        answered(insert(&self.pool, backfill)).await
    }

    async fn backfill(&self, project: &str, id: BackfillId) -> Result<Option<Backfill>, StoreError> {
        answered(find(&self.pool, project, id)).await
    }

    async fn backfills(&self, query: &BackfillQuery) -> Result<Page<Backfill>, StoreError> {
        answered(list(&self.pool, query)).await
    }

    async fn due_backfills(&self, now: Instant, limit: u32) -> Result<Vec<Backfill>, StoreError> {
        answered(due(&self.pool, now, limit)).await
    }

    async fn replace_backfill(&self, backfill: &Backfill, runs: &[Run]) -> Result<bool, StoreError> {
        self.told(replace(&self.pool, backfill, runs)).await
    }

    async fn backfill_counts(&self, id: BackfillId) -> Result<Vec<(RunStatus, u64)>, StoreError> {
        answered(counts(&self.pool, id)).await
    }
}
