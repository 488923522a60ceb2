//! Single jobs: created, found, replaced, deleted.

use domain::{Instant, Job, JobId, Run, RunStatus};
use engine::ports::Expected;
use engine::record::JobRecord;
use engine::{Deed, Entry, JobKey, StoredJob};
use sqlx::sqlite::SqlitePool;

use super::{SqliteStore, events, rows, runs};

const INSERT_DEFINITION: &str = "-- insert_job_definition
INSERT INTO jobs (id, project, name, name_lower, labels, document, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const INSERT_STATE: &str = "-- insert_job_state
INSERT INTO job_state (job_id, version, state, next_fire_at, runs_started) VALUES ($1, $2, $3, $4, $5)";

pub(super) async fn insert(store: &SqliteStore, job: &Job) -> sqlx::Result<()> {
    let record = JobRecord::from(job);
    let mut tx = store.begin().await?;
    sqlx::query(INSERT_DEFINITION)
        .bind(record.id)
        .bind(&record.project)
        .bind(&record.name)
        .bind(record.name.to_lowercase())
        .bind(record.labels.to_string())
        .bind(&record.document)
        .bind(record.created_at.timestamp_millis())
        .bind(record.updated_at.timestamp_millis())
        .execute(&mut *tx)
        .await?;
    sqlx::query(INSERT_STATE)
        .bind(record.id)
        .bind(record.version)
        .bind(record.state)
        .bind(record.next_fire_at.map(|at| at.timestamp_millis()))
        .bind(record.runs_started)
        .execute(&mut *tx)
        .await?;
    events::tell(&mut tx, Deed::Insert, vec![Entry::from(job)]).await?;
    store.commit(tx).await
}

macro_rules! find_job {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT ",
            job_columns!(),
            ", l.id, l.status, l.finished_at
FROM jobs AS j JOIN job_state AS s ON s.job_id = j.id
LEFT JOIN runs AS l ON l.id = (
    SELECT r.id FROM runs AS r
    WHERE r.job_id = j.id AND r.finished_at IS NOT NULL ORDER BY r.id DESC LIMIT 1
)
WHERE j.project = $1 AND ",
            $condition
        )
    };
}

const FIND_BY_ID: &str = find_job!("find_job_by_id", "j.id = $2");
const FIND_BY_NAME: &str = find_job!("find_job_by_name", "j.name = $2");

pub(super) async fn find(pool: &SqlitePool, project: &str, key: &JobKey) -> sqlx::Result<Option<StoredJob>> {
    let query = match key {
        JobKey::Id(id) => sqlx::query(FIND_BY_ID).bind(project).bind(id.0),
        JobKey::Name(name) => sqlx::query(FIND_BY_NAME).bind(project).bind(name),
    };
    query.fetch_optional(pool).await?.as_ref().map(rows::stored_job).transpose()
}

const REPLACE_STATE: &str = "-- replace_job_state
UPDATE job_state SET version = $2, state = $3, next_fire_at = $4, runs_started = $8
WHERE job_id = $1 AND version = $5 AND next_fire_at IS $6
    AND EXISTS (SELECT 1 FROM jobs WHERE id = $1 AND project = $7)";

const REPLACE_DEFINITION: &str = "-- replace_job_definition
UPDATE jobs SET name = $2, name_lower = $3, labels = $4, document = $5, updated_at = $6 WHERE id = $1";

pub(super) async fn replace(
    store: &SqliteStore,
    job: &Job,
    expected: Expected,
    new: &[Run],
) -> sqlx::Result<bool> {
    let record = JobRecord::from(job);
    let mut tx = store.begin().await?;
    let state = sqlx::query(REPLACE_STATE)
        .bind(record.id)
        .bind(record.version)
        .bind(record.state)
        .bind(record.next_fire_at.map(|at| at.timestamp_millis()))
        .bind(i64::try_from(expected.version).unwrap_or(i64::MAX))
        .bind(expected.next_fire_at.map(|at| at.timestamp_millis()))
        .bind(&record.project)
        .bind(record.runs_started)
        .execute(&mut *tx)
        .await?;
    if state.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    sqlx::query(REPLACE_DEFINITION)
        .bind(record.id)
        .bind(&record.name)
        .bind(record.name.to_lowercase())
        .bind(record.labels.to_string())
        .bind(&record.document)
        .bind(record.updated_at.timestamp_millis())
        .execute(&mut *tx)
        .await?;
    events::tell(&mut tx, Deed::Replace, vec![Entry::from(job)]).await?;
    runs::add(&mut tx, Deed::Replace, new).await?;
    store.commit(tx).await?;
    Ok(true)
}

const DELETE_STATE: &str = "-- delete_job_state
DELETE FROM job_state
WHERE job_id = $1 AND version = $2 AND EXISTS (SELECT 1 FROM jobs WHERE id = $1 AND project = $3)";

const DELETE_DEFINITION: &str = "-- delete_job_definition
DELETE FROM jobs WHERE id = $1";

const WAKE_WAITING: &str = "-- wake_waiting_runs
UPDATE runs SET due_at = $2 WHERE job_id = $1 AND due_at IS NOT NULL AND status = $3";

pub(super) async fn delete(
    store: &SqliteStore,
    project: &str,
    id: JobId,
    expected: u64,
    now: Instant,
) -> sqlx::Result<bool> {
    let mut tx = store.begin().await?;
    let state = sqlx::query(DELETE_STATE)
        .bind(id.0)
        .bind(i64::try_from(expected).unwrap_or(i64::MAX))
        .bind(project)
        .execute(&mut *tx)
        .await?;
    if state.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    sqlx::query(DELETE_DEFINITION).bind(id.0).execute(&mut *tx).await?;
    sqlx::query(WAKE_WAITING)
        .bind(id.0)
        .bind(now.timestamp_millis())
        .bind(RunStatus::Pending as i16)
        .execute(&mut *tx)
        .await?;
    let gone = Entry { project: project.to_owned(), job: id, run: None, status: 0 };
    events::tell(&mut tx, Deed::Delete, vec![gone]).await?;
    store.commit(tx).await?;
    Ok(true)
}
