//! Rows as `engine::record` knows them.

use domain::{Run, RunId, RunStatus};
use engine::StoredJob;
use engine::ports::LastRun;
use engine::record::{CalendarRecord, JobRecord, RunRecord, numbered};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{Row, ValueRef};

/// A job, from `job_columns!()`.
pub(super) fn job_record(row: &PgRow) -> sqlx::Result<JobRecord> {
    Ok(JobRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        name: row.try_get(2)?,
        state: row.try_get(3)?,
        version: row.try_get(4)?,
        next_fire_at: row.try_get(5)?,
        labels: json(row, 6)?,
        created_at: row.try_get(7)?,
        updated_at: row.try_get(8)?,
        document: text(row, 9)?,
        runs_started: row.try_get(10)?,
    })
}

/// A job with its last run's id, status and end, from `job_columns!()` and these three.
pub(super) fn stored_job(row: &PgRow) -> sqlx::Result<StoredJob> {
    let (id, status, finished_at) = (row.try_get(11)?, row.try_get(12)?, row.try_get(13)?);
    Ok(StoredJob { job: job_record(row)?.into_job(), last_run: last_run(id, status, finished_at) })
}

fn last_run(
    id: Option<uuid::Uuid>,
    status: Option<i16>,
    finished_at: Option<domain::Instant>,
) -> Option<LastRun> {
    let status = numbered(&RunStatus::ALL, status?)?;
    Some(LastRun { id: RunId(id?), status, finished_at: finished_at? })
}

/// A run, from `run_columns!()`.
pub(super) fn run(row: &PgRow) -> sqlx::Result<Run> {
    let record = RunRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        job_id: row.try_get(2)?,
        kind: row.try_get(3)?,
        status: row.try_get(4)?,
        scheduled_for: row.try_get(5)?,
        due_at: row.try_get(6)?,
        token: row.try_get(7)?,
        worker: row.try_get(8)?,
        cancel_requested: row.try_get(9)?,
        created_at: row.try_get(10)?,
        finished_at: row.try_get(11)?,
        document: text(row, 12)?,
    };
    Ok(record.into_run())
}

/// A calendar, from `calendar_columns!()`.
pub(super) fn calendar_record(row: &PgRow) -> sqlx::Result<CalendarRecord> {
    Ok(CalendarRecord {
        project: row.try_get(0)?,
        name: row.try_get(1)?,
        version: row.try_get(2)?,
        created_at: row.try_get(3)?,
        updated_at: row.try_get(4)?,
        document: json(row, 5)?,
    })
}

/// The document of a job or a run as it is sent. One that is no text cannot be read later either, and says so then.
pub(super) fn text(row: &PgRow, index: usize) -> sqlx::Result<String> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(raw.as_bytes().map_err(sqlx::Error::Decode)?).into_owned())
}

/// A document, or null where it is JSON that Rust cannot hold (a number of 400 digits is one): a single row must
/// not fail the statement that reads a thousand.
pub(super) fn json(row: &PgRow, index: usize) -> sqlx::Result<Value> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let bytes = raw.as_bytes().map_err(sqlx::Error::Decode)?;
    // Sent in binary, jsonb is this byte, its version, and the text; no text begins with it.
    let text = bytes.strip_prefix(&[1]).unwrap_or(bytes);
    Ok(serde_json::from_slice(text).unwrap_or(Value::Null))
}
