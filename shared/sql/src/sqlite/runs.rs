//! Single runs, and the form in which many are written at once.

use domain::{JobId, Run, RunId};
use engine::record::RunRecord;
use engine::{Deed, Entry};
use serde::Serialize;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::{SqliteStore, batch, events, rows};

/// So many runs go into one statement. Firings bring more only after an outage of hours.
const PER_STATEMENT: usize = 5_000;

const INSERT_MANY: &str = concat!(
    "-- insert_runs
INSERT INTO runs (", bare_run_columns!(), ")
SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12
FROM json_each($1) WHERE true
ON CONFLICT (id) DO NOTHING
RETURNING id"
);

/// Inserts those of `runs` that do not exist yet; returns their ids.
pub(super) async fn insert_many(connection: &mut SqliteConnection, runs: &[&Run]) -> sqlx::Result<Vec<Uuid>> {
    let mut inserted = Vec::with_capacity(runs.len());
    for some in runs.chunks(PER_STATEMENT) {
        let values = batch::rows(some.iter().map(|run| values(run)));
        for row in sqlx::query(INSERT_MANY).bind(values).fetch_all(&mut *connection).await? {
            inserted.push(row.try_get(0)?);
        }
    }
    Ok(inserted)
}

/// Inserts those of `runs` that do not exist yet, and tells of them.
pub(super) async fn add(connection: &mut SqliteConnection, deed: Deed, runs: &[Run]) -> sqlx::Result<()> {
    let inserted = insert_many(connection, &runs.iter().collect::<Vec<_>>()).await?;
    let new = runs.iter().filter(|run| inserted.contains(&run.id.0));
    let new = new.map(Entry::from).collect();
    events::tell(connection, deed, new).await
}

/// In the order of `bare_run_columns!()`.
fn values(run: &Run) -> impl Serialize {
    let record = RunRecord::from(run);
    (
        batch::Id(record.id),
        record.project,
        batch::Id(record.job_id),
        record.kind,
        record.status,
        record.scheduled_for.timestamp_millis(),
        batch::instant(record.due_at),
        record.token,
        record.worker,
        record.cancel_requested,
        record.created_at.timestamp_millis(),
        batch::instant(record.finished_at),
        record.document,
    )
}

const INSERT: &str = concat!(
    "-- insert_run
INSERT INTO runs (",
    bare_run_columns!(),
    ")
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
WHERE EXISTS (SELECT 1 FROM jobs WHERE id = $3 AND project = $2)
ON CONFLICT (id) DO NOTHING"
);

pub(super) async fn insert(store: &SqliteStore, run: &Run) -> sqlx::Result<bool> {
    let record = RunRecord::from(run);
    let mut tx = store.begin().await?;
    let inserted = sqlx::query(INSERT)
        .bind(record.id)
        .bind(record.project)
        .bind(record.job_id)
        .bind(record.kind)
        .bind(record.status)
        .bind(record.scheduled_for.timestamp_millis())
        .bind(record.due_at.map(|at| at.timestamp_millis()))
        .bind(record.token)
        .bind(record.worker)
        .bind(record.cancel_requested)
        .bind(record.created_at.timestamp_millis())
        .bind(record.finished_at.map(|at| at.timestamp_millis()))
        .bind(record.document)
        .execute(&mut *tx)
        .await?;
    let inserted = inserted.rows_affected() == 1;
    if inserted {
        events::tell(&mut tx, Deed::Insert, vec![Entry::from(run)]).await?;
    }
    store.commit(tx).await?;
    Ok(inserted)
}

const REQUEST_CANCEL: &str = concat!(
    "-- request_cancel
UPDATE runs SET cancel_requested = 1 WHERE id = $2 AND project = $1 AND finished_at IS NULL
RETURNING ",
    bare_run_columns!()
);

pub(super) async fn request_cancel(
    store: &SqliteStore,
    project: &str,
    id: RunId,
) -> sqlx::Result<Option<Run>> {
    let mut tx = store.begin().await?;
    let row = sqlx::query(REQUEST_CANCEL).bind(project).bind(id.0).fetch_optional(&mut *tx).await?;
    let run = row.as_ref().map(rows::run).transpose()?;
    events::tell(&mut tx, Deed::Cancel, run.as_ref().map(Entry::from).into_iter().collect()).await?;
    store.commit(tx).await?;
    Ok(run)
}

const REOPEN: &str = "-- reopen_run
UPDATE runs
SET status = $4, due_at = $5, worker = $6, finished_at = $7, document = $8, cancel_requested = 0,
    token = token + 1
WHERE id = $2 AND project = $1 AND token = $3 AND finished_at IS NOT NULL";

pub(super) async fn reopen(store: &SqliteStore, run: &Run) -> sqlx::Result<bool> {
    let record = RunRecord::from(run);
    let mut tx = store.begin().await?;
    let reopened = sqlx::query(REOPEN)
        .bind(record.project)
        .bind(record.id)
        .bind(record.token)
        .bind(record.status)
        .bind(record.due_at.map(|at| at.timestamp_millis()))
        .bind(record.worker)
        .bind(record.finished_at.map(|at| at.timestamp_millis()))
        .bind(record.document)
        .execute(&mut *tx)
        .await?;
    let reopened = reopened.rows_affected() == 1;
    if reopened {
        events::tell(&mut tx, Deed::Reopen, vec![Entry::from(run)]).await?;
    }
    store.commit(tx).await?;
    Ok(reopened)
}

pub(super) const FIND: &str =
    concat!("-- find_run\nSELECT ", run_columns!(), " FROM runs AS r WHERE r.id = $2 AND r.project = $1");

pub(super) async fn find(pool: &SqlitePool, project: &str, id: RunId) -> sqlx::Result<Option<Run>> {
    let row = sqlx::query(FIND).bind(project).bind(id.0).fetch_optional(pool).await?;
    row.as_ref().map(rows::run).transpose()
}

pub(super) const UNFINISHED: &str = concat!(
    "-- unfinished_runs\nSELECT ",
    run_columns!(),
    " FROM runs AS r WHERE r.job_id = $1 AND r.finished_at IS NULL ORDER BY r.id LIMIT $2"
);

pub(super) async fn unfinished(pool: &SqlitePool, job: JobId, limit: u32) -> sqlx::Result<Vec<Run>> {
    let rows = sqlx::query(UNFINISHED).bind(job.0).bind(i64::from(limit)).fetch_all(pool).await?;
    rows.iter().map(rows::run).collect()
}
