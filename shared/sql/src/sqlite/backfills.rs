//! Backfills.

use async_trait::async_trait;
use domain::{Backfill, BackfillId, Instant, Run, RunStatus};
use engine::record::{BackfillRecord, numbered};
use engine::{BackfillQuery, Backfills, Deed, Page, StoreError};
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::{SqliteStore, batch, rows, runs};
use crate::error::store_error;
use crate::readable;

const INSERT: &str = concat!(
    "-- insert_backfill
INSERT INTO backfills (",
    backfill_columns!(),
    ") SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM jobs WHERE id = $3 AND project = $2)"
);

async fn insert(pool: &SqlitePool, backfill: &Backfill) -> sqlx::Result<bool> {
    let record = BackfillRecord::from(backfill);
    let done = sqlx::query(INSERT)
        .bind(record.id)
        .bind(record.project)
        .bind(record.job_id)
        .bind(record.version)
        .bind(batch::instant(record.due_at))
        .bind(record.created_at.timestamp_millis())
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

async fn find(pool: &SqlitePool, project: &str, id: BackfillId) -> sqlx::Result<Option<Backfill>> {
    let row = sqlx::query(FIND).bind(project).bind(id.0).fetch_optional(pool).await?;
    row.as_ref().map(record).transpose()?.map(readable::required_backfill).transpose()
}

const LIST: &str = concat!(
    "-- list_backfills
SELECT ",
    backfill_columns!(),
    " FROM backfills WHERE job_id = $2 AND project = $1 AND ($3 IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
);

async fn list(pool: &SqlitePool, query: &BackfillQuery) -> sqlx::Result<Page<Backfill>> {
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

async fn due(pool: &SqlitePool, now: Instant, limit: u32) -> sqlx::Result<Vec<Backfill>> {
    let query = sqlx::query(DUE).bind(now.timestamp_millis()).bind(i64::from(limit));
    let rows = query.fetch_all(pool).await?;
    Ok(readable::backfills(rows.iter().map(record), limit)?.items)
}

const REPLACE: &str = "-- replace_backfill
UPDATE backfills SET version = $2, due_at = $3, document = $4 WHERE id = $1 AND version = $2 - 1";

const ADD_RUNS: &str = "-- add_backfill_runs
INSERT INTO backfill_runs (backfill_id, run_id) SELECT $1, unhex(value) FROM json_each($2) WHERE true
ON CONFLICT DO NOTHING";

async fn replace(store: &SqliteStore, backfill: &Backfill, new: &[Run]) -> sqlx::Result<bool> {
    let record = BackfillRecord::from(backfill);
    let mut tx = store.begin().await?;
    let done = sqlx::query(REPLACE)
        .bind(record.id)
        .bind(record.version)
        .bind(batch::instant(record.due_at))
        .bind(record.document.to_string())
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    if !new.is_empty() {
        runs::add(&mut tx, Deed::Insert, new).await?;
        let ids = batch::ids(new.iter().map(|run| run.id.0));
        sqlx::query(ADD_RUNS).bind(record.id).bind(ids).execute(&mut *tx).await?;
    }
    store.commit(tx).await?;
    Ok(true)
}

const COUNTS: &str = "-- backfill_counts
SELECT r.status, count(*) FROM backfill_runs AS b CROSS JOIN runs AS r ON r.id = b.run_id
WHERE b.backfill_id = $1 GROUP BY r.status ORDER BY r.status";

async fn counts(pool: &SqlitePool, id: BackfillId) -> sqlx::Result<Vec<(RunStatus, u64)>> {
    let counted: Vec<(i16, i64)> = sqlx::query_as(COUNTS).bind(id.0).fetch_all(pool).await?;
    let known = |(status, count): (i16, i64)| {
        Some((numbered(&RunStatus::ALL, status)?, u64::try_from(count).unwrap_or(0)))
    };
    Ok(counted.into_iter().filter_map(known).collect())
}

fn record(row: &SqliteRow) -> sqlx::Result<BackfillRecord> {
    Ok(BackfillRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        job_id: row.try_get(2)?,
        version: row.try_get(3)?,
        due_at: rows::maybe_instant(row, 4)?,
        created_at: rows::instant(row.try_get(5)?)?,
        document: rows::json(row, 6)?,
    })
}

#[async_trait]
impl Backfills for SqliteStore {
    async fn insert_backfill(&self, backfill: &Backfill) -> Result<bool, StoreError> {
        insert(&self.writer, backfill).await.map_err(store_error)
    }

    async fn backfill(&self, project: &str, id: BackfillId) -> Result<Option<Backfill>, StoreError> {
        find(&self.readers, project, id).await.map_err(store_error)
    }

    async fn backfills(&self, query: &BackfillQuery) -> Result<Page<Backfill>, StoreError> {
        list(&self.readers, query).await.map_err(store_error)
    }

    async fn due_backfills(&self, now: Instant, limit: u32) -> Result<Vec<Backfill>, StoreError> {
        due(&self.readers, now, limit).await.map_err(store_error)
    }

    async fn replace_backfill(&self, backfill: &Backfill, runs: &[Run]) -> Result<bool, StoreError> {
        replace(self, backfill, runs).await.map_err(store_error)
    }

    async fn backfill_counts(&self, id: BackfillId) -> Result<Vec<(RunStatus, u64)>, StoreError> {
        counts(&self.readers, id).await.map_err(store_error)
    }
}
