//! Questions about many runs at once.

use async_trait::async_trait;
use domain::{Instant, JobId, JobState, RunId, RunKind, RunStatus};
use engine::insights::{GistRecord, Insights, JobPart, JobTally, RunGist, Tally, Window};
use engine::record::numbered;
use engine::{StoreError, StoredJob};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Row, Sqlite};
use uuid::Uuid;

use super::listing::{by_number, numbers};
use super::{SqliteStore, batch, rows};
use crate::error::store_error;

const REACH: &str = "-- reach
SELECT id FROM runs WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3";

async fn reach(pool: &SqlitePool, from: Instant, until: Instant, most: u32) -> sqlx::Result<Instant> {
    let query = sqlx::query_scalar(REACH).bind(RunId::floor(from).0).bind(RunId::floor(until).0);
    let beyond: Option<Uuid> = query.bind(i64::from(most)).fetch_optional(pool).await?;
    Ok(beyond.map_or(from, |id| RunId(id).scheduled_for() + chrono::TimeDelta::milliseconds(1)))
}

/// `$1` to `$3` of every statement about a window.
fn in_window(statement: &'static str, window: &Window) -> Query<'static, Sqlite, SqliteArguments> {
    let query = sqlx::query(statement).bind(window.project.clone());
    query.bind(RunId::floor(window.from).0).bind(RunId::floor(window.until).0)
}

const TALLY: &str = "-- tally_runs
SELECT status, kind, $5 + (scheduled_for - $5) / $4 * $4 AS part, count(*)
FROM runs WHERE project = $1 AND id >= $2 AND id < $3
GROUP BY 1, 2, 3";

async fn tally(pool: &SqlitePool, window: &Window, bucket: u64) -> sqlx::Result<Vec<Tally>> {
    let bucket = i64::try_from(bucket).unwrap_or(i64::MAX).max(1);
    let query = in_window(TALLY, window).bind(bucket).bind(window.from.timestamp_millis());
    let mut tallies = Vec::new();
    for row in &query.fetch_all(pool).await? {
        let (status, kind) =
            (numbered(&RunStatus::ALL, row.try_get(0)?), numbered(&RunKind::ALL, row.try_get(1)?));
        if let (Some(status), Some(kind)) = (status, kind) {
            let from = rows::instant(row.try_get(2)?)?;
            tallies.push(Tally { from, status, kind, runs: count(row, 3)? });
        }
    }
    Ok(tallies)
}

const TALLY_JOBS: &str = "-- tally_jobs
SELECT job_id, good, bad, runs FROM (
    SELECT job_id, count(*) FILTER (WHERE status IN (SELECT value FROM json_each($4))) AS good,
        count(*) FILTER (WHERE status IN (SELECT value FROM json_each($5))) AS bad, count(*) AS runs
    FROM runs WHERE project = $1 AND id >= $2 AND id < $3 GROUP BY job_id
) AS counted
WHERE bad > 0 OR good = 0 ORDER BY bad DESC, job_id LIMIT $6";

async fn tally_jobs(
    pool: &SqlitePool,
    window: &Window,
    good: &[RunStatus],
    bad: &[RunStatus],
    limit: u32,
) -> sqlx::Result<Vec<JobTally>> {
    let query = in_window(TALLY_JOBS, window).bind(statuses_of(good)).bind(statuses_of(bad));
    let read = |row: &SqliteRow| {
        let job = JobId(row.try_get(0)?);
        Ok(JobTally { job, good: count(row, 1)?, bad: count(row, 2)?, runs: count(row, 3)? })
    };
    query.bind(i64::from(limit)).fetch_all(pool).await?.iter().map(read).collect()
}

/// The last byte of a run's id is that of a hash: it is how the share is drawn. Two hexadecimal digits compare as the
/// number they stand for; `100` would come before `2`, so the whole is a parameter of its own.
const GISTS: &str = concat!(
    "-- gists
SELECT ",
    gist_columns!(),
    " FROM runs AS r
WHERE r.project = $1 AND r.id >= $2 AND r.id < $3 AND r.status IN (SELECT value FROM json_each($5))
    AND ($6 OR hex(substr(r.id, 16)) < $7)
ORDER BY r.id DESC LIMIT $8"
);

async fn gists(
    pool: &SqlitePool,
    window: &Window,
    statuses: &[RunStatus],
    share: u16,
    limit: u32,
) -> sqlx::Result<Vec<RunGist>> {
    let query = in_window(GISTS, window).bind(GistRecord::HEAD).bind(statuses_of(statuses));
    let query = query.bind(share > 0xff).bind(format!("{share:02X}")).bind(i64::from(limit));
    query.fetch_all(pool).await?.iter().map(gist).collect()
}

/// What is wanted of each job is found along the index, and nothing else is read.
const HISTORIES: &str = concat!(
    "-- histories
SELECT ",
    gist_columns!(),
    " FROM json_each($1) AS k JOIN runs AS r ON r.id IN (
    SELECT h.id FROM runs AS h
    WHERE h.job_id = unhex(k.value) AND h.id >= $2 AND h.id < $3 ORDER BY h.id DESC LIMIT $5
)
ORDER BY r.id DESC"
);

async fn histories(
    pool: &SqlitePool,
    jobs: &[JobId],
    from: Instant,
    until: Instant,
    each: u32,
) -> sqlx::Result<Vec<RunGist>> {
    let rows = sqlx::query(HISTORIES)
        .bind(batch::ids(jobs.iter().map(|id| id.0)))
        .bind(RunId::floor(from).0)
        .bind(RunId::floor(until).0)
        .bind(GistRecord::HEAD)
        .bind(i64::from(each))
        .fetch_all(pool)
        .await?;
    rows.iter().map(gist).collect()
}

const TALLY_PARTS: &str = "-- tally_parts
SELECT r.job_id, $5 + (r.scheduled_for - $5) / $4 * $4 AS part, r.status, count(*)
FROM json_each($1) AS k JOIN runs AS r ON r.id IN (
    SELECT h.id FROM runs AS h
    WHERE h.job_id = unhex(k.value) AND h.id >= $2 AND h.id < $3 ORDER BY h.id DESC LIMIT $6
)
GROUP BY 1, 2, 3";

async fn tally_parts(
    pool: &SqlitePool,
    jobs: &[JobId],
    (from, until): (Instant, Instant),
    part: u64,
    most: u32,
) -> sqlx::Result<Vec<JobPart>> {
    let rows = sqlx::query(TALLY_PARTS)
        .bind(batch::ids(jobs.iter().map(|id| id.0)))
        .bind(RunId::floor(from).0)
        .bind(RunId::floor(until).0)
        .bind(i64::try_from(part).unwrap_or(i64::MAX).max(1))
        .bind(from.timestamp_millis())
        .bind(i64::from(most))
        .fetch_all(pool)
        .await?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(status) = numbered(&RunStatus::ALL, row.try_get(2)?) {
            let from = rows::instant(row.try_get(1)?)?;
            parts.push(JobPart { job: JobId(row.try_get(0)?), from, status, runs: count(row, 3)? });
        }
    }
    Ok(parts)
}

macro_rules! stored_jobs {
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

const JOBS_OF: &str = stored_jobs!("jobs_of", "j.id IN (SELECT unhex(value) FROM json_each($2))");

async fn jobs_of(pool: &SqlitePool, project: &str, ids: &[JobId]) -> sqlx::Result<Vec<StoredJob>> {
    let ids = batch::ids(ids.iter().map(|id| id.0));
    sqlx::query(JOBS_OF).bind(project).bind(ids).fetch_all(pool).await?.iter().map(rows::stored_job).collect()
}

/// The condition is that of the index, which the planner cannot know of a parameter.
const IDLE_JOBS: &str =
    stored_jobs!("idle_jobs", "s.state = $2 AND s.state IN (1, 3) ORDER BY s.job_id DESC LIMIT $3");

async fn idle_jobs(
    pool: &SqlitePool,
    project: &str,
    state: JobState,
    limit: u32,
) -> sqlx::Result<Vec<StoredJob>> {
    let query = sqlx::query(IDLE_JOBS).bind(project).bind(state as i16).bind(i64::from(limit));
    query.fetch_all(pool).await?.iter().map(rows::stored_job).collect()
}

const OVERDUE: &str = "-- overdue
SELECT job_id, min(due_at) FROM (
    SELECT * FROM (
        SELECT job_id, next_fire_at AS due_at FROM job_state WHERE next_fire_at < $2 ORDER BY next_fire_at LIMIT $3
    )
    UNION ALL
    SELECT * FROM (SELECT job_id, due_at FROM runs WHERE due_at < $2 ORDER BY due_at LIMIT $3)
) AS late
WHERE EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = late.job_id AND j.project = $1)
GROUP BY job_id ORDER BY 2, 1";

async fn overdue(
    pool: &SqlitePool,
    project: &str,
    before: Instant,
    limit: u32,
) -> sqlx::Result<Vec<(JobId, Instant)>> {
    let query = sqlx::query(OVERDUE).bind(project).bind(before.timestamp_millis()).bind(i64::from(limit));
    let read = |row: &SqliteRow| Ok((JobId(row.try_get(0)?), rows::instant(row.try_get(1)?)?));
    query.fetch_all(pool).await?.iter().map(read).collect()
}

const COUNT_JOBS: &str = "-- count_jobs_of_project
SELECT s.state, count(*) FROM (SELECT id FROM jobs WHERE project = $1 ORDER BY id LIMIT $2) AS j
JOIN job_state AS s ON s.job_id = j.id GROUP BY s.state ORDER BY s.state";

async fn count_jobs(pool: &SqlitePool, project: &str, limit: u32) -> sqlx::Result<Vec<(JobState, u64)>> {
    let query = sqlx::query_as(COUNT_JOBS).bind(project).bind(i64::from(limit));
    Ok(by_number(&JobState::ALL, query.fetch_all(pool).await?))
}

fn gist(row: &SqliteRow) -> sqlx::Result<RunGist> {
    let record = GistRecord {
        id: row.try_get(0)?,
        job_id: row.try_get(1)?,
        kind: row.try_get(2)?,
        status: row.try_get(3)?,
        scheduled_for: rows::instant(row.try_get(4)?)?,
        finished_at: rows::maybe_instant(row, 5)?,
        head: row.try_get(6)?,
    };
    Ok(record.into_gist())
}

fn count(row: &SqliteRow, index: usize) -> sqlx::Result<u64> {
    Ok(u64::try_from(row.try_get::<i64, _>(index)?).unwrap_or(0))
}

fn statuses_of(statuses: &[RunStatus]) -> String {
    numbers(statuses.iter().map(|status| *status as i16))
}

#[async_trait]
impl Insights for SqliteStore {
    async fn reach(&self, from: Instant, until: Instant, most: u32) -> Result<Instant, StoreError> {
        reach(&self.readers, from, until, most).await.map_err(store_error)
    }

    async fn tally(&self, window: &Window, bucket: u64) -> Result<Vec<Tally>, StoreError> {
        tally(&self.readers, window, bucket).await.map_err(store_error)
    }

    async fn tally_jobs(
        &self,
        window: &Window,
        good: &[RunStatus],
        bad: &[RunStatus],
        limit: u32,
    ) -> Result<Vec<JobTally>, StoreError> {
        tally_jobs(&self.readers, window, good, bad, limit).await.map_err(store_error)
    }

    async fn gists(
        &self,
        window: &Window,
        statuses: &[RunStatus],
        share: u16,
        limit: u32,
    ) -> Result<Vec<RunGist>, StoreError> {
        gists(&self.readers, window, statuses, share, limit).await.map_err(store_error)
    }

    async fn histories(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        each: u32,
    ) -> Result<Vec<RunGist>, StoreError> {
        histories(&self.readers, jobs, from, until, each).await.map_err(store_error)
    }

    async fn tally_parts(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        part: u64,
        most: u32,
    ) -> Result<Vec<JobPart>, StoreError> {
        tally_parts(&self.readers, jobs, (from, until), part, most).await.map_err(store_error)
    }

    async fn jobs_of(&self, project: &str, ids: &[JobId]) -> Result<Vec<StoredJob>, StoreError> {
        jobs_of(&self.readers, project, ids).await.map_err(store_error)
    }

    async fn idle_jobs(
        &self,
        project: &str,
        state: JobState,
        limit: u32,
    ) -> Result<Vec<StoredJob>, StoreError> {
        idle_jobs(&self.readers, project, state, limit).await.map_err(store_error)
    }

    async fn overdue(
        &self,
        project: &str,
        before: Instant,
        limit: u32,
    ) -> Result<Vec<(JobId, Instant)>, StoreError> {
        overdue(&self.readers, project, before, limit).await.map_err(store_error)
    }

    async fn count_jobs(&self, project: &str, limit: u32) -> Result<Vec<(JobState, u64)>, StoreError> {
        count_jobs(&self.readers, project, limit).await.map_err(store_error)
    }
}
