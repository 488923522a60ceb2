//! Single jobs: created, found, replaced, deleted.

use domain::{Instant, Job, JobId, Run, RunStatus};
use engine::ports::Expected;
use engine::record::JobRecord;
use engine::{Deed, JobKey, StoredJob};
use sqlx::PgConnection;
use sqlx::postgres::PgPool;

use super::{has_nul, rows, runs};

const INSERT: &str = concat!(
    "-- insert_job
WITH job AS (
    INSERT INTO jobs (id, project, name, name_lower, labels, document, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8)
    RETURNING id, project
), told AS (
    ",
    tell_of_job!("$13", "$10", "job"),
    "
)
INSERT INTO job_state (job_id, version, state, next_fire_at, runs_started) SELECT id, $9, $10, $11, $12 FROM job"
);

pub(super) async fn insert(pool: &PgPool, job: &Job) -> sqlx::Result<()> {
    let record = JobRecord::from(job);
    sqlx::query(INSERT)
        .bind(record.id)
        .bind(&record.project)
        .bind(&record.name)
        .bind(record.name.to_lowercase())
        .bind(record.labels)
        .bind(&record.document)
        .bind(record.created_at)
        .bind(record.updated_at)
        .bind(record.version)
        .bind(record.state)
        .bind(record.next_fire_at)
        .bind(record.runs_started)
        .bind(Deed::Insert as i16)
        .execute(pool)
        .await?;
    Ok(())
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
LEFT JOIN LATERAL (
    SELECT r.id, r.status, r.finished_at FROM runs AS r
    WHERE r.job_id = j.id AND r.finished_at IS NOT NULL ORDER BY r.id DESC LIMIT 1
) AS l ON true
WHERE j.project = $1 AND ",
            $condition
        )
    };
}

const FIND_BY_ID: &str = find_job!("find_job_by_id", "j.id = $2");
const FIND_BY_NAME: &str = find_job!("find_job_by_name", "j.name = $2");

pub(super) async fn find(pool: &PgPool, project: &str, key: &JobKey) -> sqlx::Result<Option<StoredJob>> {
    if has_nul(project) || has_nul(&key.to_string()) {
        return Ok(None);
    }
    let query = match key {
        JobKey::Id(id) => sqlx::query(FIND_BY_ID).bind(project).bind(id.0),
        JobKey::Name(name) => sqlx::query(FIND_BY_NAME).bind(project).bind(name),
    };
    query.fetch_optional(pool).await?.as_ref().map(rows::stored_job).transpose()
}

const REPLACE_STATE: &str = "-- replace_job_state
UPDATE job_state SET version = $2, state = $3, next_fire_at = $4, runs_started = $8
WHERE job_id = $1 AND version = $5 AND next_fire_at IS NOT DISTINCT FROM $6
    AND EXISTS (SELECT 1 FROM jobs WHERE id = $1 AND project = $7)";

const REPLACE_DEFINITION: &str = concat!(
    "-- replace_job_definition
WITH job AS (
    UPDATE jobs SET name = $2, name_lower = $3, labels = $4, document = $5::json, updated_at = $6 WHERE id = $1
    RETURNING id, project
)
",
    tell_of_job!("$7", "$8", "job")
);

/// Takes the state's row first: whoever holds it (firing does) keeps the definition from changing too.
pub(super) async fn replace(pool: &PgPool, job: &Job, expected: Expected, new: &[Run]) -> sqlx::Result<bool> {
    let record = JobRecord::from(job);
    let mut tx = pool.begin().await?;
    let state = sqlx::query(REPLACE_STATE)
        .bind(record.id)
        .bind(record.version)
        .bind(record.state)
        .bind(record.next_fire_at)
        .bind(i64::try_from(expected.version).unwrap_or(i64::MAX))
        .bind(expected.next_fire_at)
        .bind(&record.project)
        .bind(record.runs_started)
        .execute(&mut *tx)
        .await?;
    if state.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    if let Err(error) = redefine(&mut tx, record, new).await {
        // Now, not some time later: until then whoever looks for due jobs would pass this one by.
        tx.rollback().await?;
        return Err(error);
    }
    tx.commit().await?;
    Ok(true)
}

async fn redefine(connection: &mut PgConnection, record: JobRecord, new: &[Run]) -> sqlx::Result<()> {
    sqlx::query(REPLACE_DEFINITION)
        .bind(record.id)
        .bind(&record.name)
        .bind(record.name.to_lowercase())
        .bind(record.labels)
        .bind(&record.document)
        .bind(record.updated_at)
        .bind(Deed::Replace as i16)
        .bind(record.state)
        .execute(&mut *connection)
        .await?;
    runs::insert_many(connection, Deed::Replace, new).await
}

const DELETE_STATE: &str = "-- delete_job_state
DELETE FROM job_state AS s USING jobs AS j
WHERE s.job_id = $1 AND s.version = $2 AND j.id = s.job_id AND j.project = $3";

const DELETE_DEFINITION: &str = concat!(
    "-- delete_job_definition
WITH job AS (DELETE FROM jobs WHERE id = $1 RETURNING id, project)
",
    tell_of_job!("$2", "0", "job")
);

/// In the order of ids, as everybody locks runs.
const WAKE_WAITING: &str = "-- wake_waiting_runs
UPDATE runs SET due_at = $2 WHERE id = ANY (ARRAY(
    SELECT id FROM runs WHERE job_id = $1 AND coalesce(due_at, 'infinity') < 'infinity' AND status = $3 ORDER BY id FOR NO KEY UPDATE
)) AND status = $3";

pub(super) async fn delete(
    pool: &PgPool,
    project: &str,
    id: JobId,
    expected: u64,
    now: Instant,
) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
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
    sqlx::query(DELETE_DEFINITION).bind(id.0).bind(Deed::Delete as i16).execute(&mut *tx).await?;
    // A statement of its own: it must see the runs of a fire that the first one waited for.
    sqlx::query(WAKE_WAITING).bind(id.0).bind(now).bind(RunStatus::Pending as i16).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}
