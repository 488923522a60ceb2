//! Rows as `engine::record` knows them.

use domain::{Instant, Run, RunId, RunStatus};
use engine::StoredJob;
use engine::ports::LastRun;
use engine::record::{CalendarRecord, JobRecord, RunRecord, numbered};
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A job, from `job_columns!()`.
pub(super) fn job_record(row: &SqliteRow) -> sqlx::Result<JobRecord> {
    Ok(JobRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        name: row.try_get(2)?,
        state: row.try_get(3)?,
        version: row.try_get(4)?,
        next_fire_at: maybe_instant(row, 5)?,
        labels: json(row, 6)?,
        created_at: instant(row.try_get(7)?)?,
        updated_at: instant(row.try_get(8)?)?,
        document: row.try_get(9)?,
        runs_started: row.try_get(10)?,
    })
}

/// A job with its last run's id, status and end, from `job_columns!()` and these three.
pub(super) fn stored_job(row: &SqliteRow) -> sqlx::Result<StoredJob> {
    let last_run = match (row.try_get(11)?, row.try_get::<Option<i16>, _>(12)?, maybe_instant(row, 13)?) {
        (Some(id), Some(status), Some(finished_at)) => {
            numbered(&RunStatus::ALL, status).map(|status| LastRun { id: RunId(id), status, finished_at })
        }
        _ => None,
    };
    Ok(StoredJob { job: job_record(row)?.into_job(), last_run })
}

/// A run, from `run_columns!()`.
pub(super) fn run(row: &SqliteRow) -> sqlx::Result<Run> {
    let record = RunRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        job_id: row.try_get(2)?,
        kind: row.try_get(3)?,
        status: row.try_get(4)?,
        scheduled_for: instant(row.try_get(5)?)?,
        due_at: maybe_instant(row, 6)?,
        token: row.try_get(7)?,
        worker: row.try_get(8)?,
        cancel_requested: row.try_get(9)?,
        created_at: instant(row.try_get(10)?)?,
        finished_at: maybe_instant(row, 11)?,
        document: row.try_get(12)?,
    };
    Ok(record.into_run())
}

pub(super) fn instant(millis: i64) -> sqlx::Result<Instant> {
    let error = || sqlx::Error::Decode(format!("{millis} ms is no instant").into());
    Instant::from_timestamp_millis(millis).ok_or_else(error)
}

pub(super) fn maybe_instant(row: &SqliteRow, index: usize) -> sqlx::Result<Option<Instant>> {
    row.try_get::<Option<i64>, _>(index)?.map(instant).transpose()
}

/// A calendar, from `calendar_columns!()`.
pub(super) fn calendar_record(row: &SqliteRow) -> sqlx::Result<CalendarRecord> {
    Ok(CalendarRecord {
        project: row.try_get(0)?,
        name: row.try_get(1)?,
        version: row.try_get(2)?,
        created_at: instant(row.try_get(3)?)?,
        updated_at: instant(row.try_get(4)?)?,
        document: json(row, 5)?,
    })
}

/// A document, or null where it is not JSON: a single row must not fail the statement that reads a thousand.
pub(super) fn json(row: &SqliteRow, index: usize) -> sqlx::Result<Value> {
    let text: &str = row.try_get(index)?;
    Ok(serde_json::from_str(text).unwrap_or(Value::Null))
}
