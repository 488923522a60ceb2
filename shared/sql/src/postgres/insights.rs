//! Questions about many runs at once.
//!
//! Most statements take instants or lists whose meaning for the plan depends on their values, and none is asked often:
//! they are planned anew each time.

use async_trait::async_trait;
use domain::{Instant, JobId, JobState, RunId, RunStatus};
use engine::insights::{GistRecord, Insights, JobPart, JobTally, RunGist, Tally, Window};
use engine::record::numbered;
use engine::{StoreError, StoredJob};
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use super::listing::by_number;
use super::{PostgresStore, answered, has_nul, rows};

const REACH: &str = "-- reach
SELECT id FROM runs WHERE id >= $1 AND id < $2 ORDER BY id DESC OFFSET $3 LIMIT 1";

async fn reach(pool: &PgPool, from: Instant, until: Instant, most: u32) -> sqlx::Result<Instant> {
    let query = sqlx::query_scalar(REACH).persistent(false);
    let query = query.bind(RunId::floor(from).0).bind(RunId::floor(until).0).bind(i64::from(most));
    let beyond: Option<Uuid> = query.fetch_optional(pool).await?;
    Ok(beyond.map_or(from, |id| RunId(id).scheduled_for() + chrono::TimeDelta::milliseconds(1)))
}

/// `$1` to `$3` of every statement about a window.
fn in_window(statement: &'static str, window: &Window) -> Query<'static, Postgres, PgArguments> {
    let query = sqlx::query(statement).persistent(false);
    query.bind(window.project.clone()).bind(RunId::floor(window.from).0).bind(RunId::floor(window.until).0)
}

const TALLY: &str = "-- tally_runs
SELECT status, kind, date_bin(make_interval(secs => $4), scheduled_for, $5) AS part, count(*)
FROM runs WHERE project = $1 AND id >= $2 AND id < $3
GROUP BY 1, 2, 3";

async fn tally(pool: &PgPool, window: &Window, bucket: u64) -> sqlx::Result<Vec<Tally>> {
    let rows = in_window(TALLY, window).bind(seconds(bucket)).bind(window.from).fetch_all(pool).await?;
    let mut tallies = Vec::with_capacity(rows.len());
    for row in &rows {
        let (status, kind) =
            (numbered(&RunStatus::ALL, row.try_get(0)?), numbered(&domain::RunKind::ALL, row.try_get(1)?));
        if let (Some(status), Some(kind)) = (status, kind) {
            tallies.push(Tally { from: row.try_get(2)?, status, kind, runs: count(row, 3)? });
        }
    }
    Ok(tallies)
}

const TALLY_JOBS: &str = "-- tally_jobs
SELECT job_id, good, bad, runs FROM (
    SELECT job_id, count(*) FILTER (WHERE status = ANY ($4)) AS good, count(*) FILTER (WHERE status = ANY ($5)) AS bad,
        count(*) AS runs
    FROM runs WHERE project = $1 AND id >= $2 AND id < $3 GROUP BY job_id
) AS counted
WHERE bad > 0 OR good = 0 ORDER BY bad DESC, job_id LIMIT $6";

async fn tally_jobs(
    pool: &PgPool,
    window: &Window,
    good: &[RunStatus],
    bad: &[RunStatus],
    limit: u32,
) -> sqlx::Result<Vec<JobTally>> {
    let query = in_window(TALLY_JOBS, window).bind(numbers(good)).bind(numbers(bad)).bind(i64::from(limit));
    let read = |row: &PgRow| {
        let job = JobId(row.try_get(0)?);
        Ok(JobTally { job, good: count(row, 1)?, bad: count(row, 2)?, runs: count(row, 3)? })
    };
    query.fetch_all(pool).await?.iter().map(read).collect()
}

/// The last byte of a run's id is that of a hash: it is how the share is drawn.
const GISTS: &str = concat!(
    "-- gists
SELECT ",
    gist_columns!(),
    " FROM runs AS r
WHERE r.project = $1 AND r.id >= $2 AND r.id < $3 AND r.status = ANY ($5)
    AND get_byte(uuid_send(r.id), 15) < $6
ORDER BY r.id DESC LIMIT $7"
);

async fn gists(
    pool: &PgPool,
    window: &Window,
    statuses: &[RunStatus],
    share: u16,
    limit: u32,
) -> sqlx::Result<Vec<RunGist>> {
    let query = in_window(GISTS, window).bind(GistRecord::HEAD).bind(numbers(statuses));
    let rows = query.bind(i32::from(share)).bind(i64::from(limit)).fetch_all(pool).await?;
    rows.iter().map(gist).collect()
}

const HISTORIES: &str = concat!(
    "-- histories
SELECT r.* FROM unnest($1::uuid[]) AS k (job_id)
CROSS JOIN LATERAL (
    SELECT ",
    gist_columns!(),
    " FROM runs AS r WHERE r.job_id = k.job_id AND r.id >= $2 AND r.id < $3 ORDER BY r.id DESC LIMIT $5
) AS r
ORDER BY r.id DESC"
);

async fn histories(
    pool: &PgPool,
    jobs: &[JobId],
    from: Instant,
    until: Instant,
    each: u32,
) -> sqlx::Result<Vec<RunGist>> {
    let rows = sqlx::query(HISTORIES)
        .bind(uuids(jobs))
        .bind(RunId::floor(from).0)
        .bind(RunId::floor(until).0)
        .bind(GistRecord::HEAD)
        .bind(i64::from(each))
        .fetch_all(pool)
        .await?;
    rows.iter().map(gist).collect()
}

const TALLY_PARTS: &str = "-- tally_parts
SELECT r.job_id, date_bin(make_interval(secs => $4), r.scheduled_for, $5) AS part, r.status, count(*)
FROM unnest($1::uuid[]) AS k (job_id)
CROSS JOIN LATERAL (
    SELECT r.job_id, r.scheduled_for, r.status FROM runs AS r
    WHERE r.job_id = k.job_id AND r.id >= $2 AND r.id < $3 ORDER BY r.id DESC LIMIT $6
) AS r
GROUP BY 1, 2, 3";

async fn tally_parts(
    pool: &PgPool,
    jobs: &[JobId],
    (from, until): (Instant, Instant),
    part: u64,
    most: u32,
) -> sqlx::Result<Vec<JobPart>> {
    let query =
        sqlx::query(TALLY_PARTS).bind(uuids(jobs)).bind(RunId::floor(from).0).bind(RunId::floor(until).0);
    let rows = query.bind(seconds(part)).bind(from).bind(i64::from(most)).fetch_all(pool).await?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(status) = numbered(&RunStatus::ALL, row.try_get(2)?) {
            parts.push(JobPart {
                job: JobId(row.try_get(0)?),
                from: row.try_get(1)?,
                status,
                runs: count(row, 3)?,
            });
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
LEFT JOIN LATERAL (
    SELECT r.id, r.status, r.finished_at FROM runs AS r
    WHERE r.job_id = j.id AND r.finished_at IS NOT NULL ORDER BY r.id DESC LIMIT 1
) AS l ON true
WHERE j.project = $1 AND ",
            $condition
        )
    };
}

const JOBS_OF: &str = stored_jobs!("jobs_of", "j.id = ANY ($2)");

async fn jobs_of(pool: &PgPool, project: &str, ids: &[JobId]) -> sqlx::Result<Vec<StoredJob>> {
    if has_nul(project) {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(JOBS_OF).bind(project).bind(uuids(ids)).fetch_all(pool).await?;
    rows.iter().map(rows::stored_job).collect()
}

/// The condition is that of the index, which the planner cannot know of a parameter.
const IDLE_JOBS: &str =
    stored_jobs!("idle_jobs", "s.state = $2 AND s.state IN (1, 3) ORDER BY s.job_id DESC LIMIT $3");

async fn idle_jobs(
    pool: &PgPool,
    project: &str,
    state: JobState,
    limit: u32,
) -> sqlx::Result<Vec<StoredJob>> {
    let query = sqlx::query(IDLE_JOBS).persistent(false).bind(project).bind(state as i16);
    let rows = query.bind(i64::from(limit)).fetch_all(pool).await?;
    rows.iter().map(rows::stored_job).collect()
}

const OVERDUE: &str = "-- overdue
SELECT job_id, min(due_at) FROM (
    (SELECT job_id, next_fire_at AS due_at FROM job_state WHERE next_fire_at < $2 ORDER BY next_fire_at LIMIT $3)
    UNION ALL
    (SELECT job_id, due_at FROM runs WHERE due_at < $2 ORDER BY due_at LIMIT $3)
    UNION ALL
    (SELECT r.job_id, l.until
    FROM (SELECT id, until, run_ids FROM leases WHERE until < $2 ORDER BY until LIMIT $3) AS l
        CROSS JOIN LATERAL unnest(l.run_ids) AS k (run_id) JOIN runs AS r ON r.id = k.run_id
    WHERE r.lease = l.id AND coalesce(r.due_at, r.finished_at) IS NULL ORDER BY l.until LIMIT $3)
) AS late
WHERE EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = late.job_id AND j.project = $1)
GROUP BY job_id ORDER BY 2, 1";

async fn overdue(
    pool: &PgPool,
    project: &str,
    before: Instant,
    limit: u32,
) -> sqlx::Result<Vec<(JobId, Instant)>> {
    let query = sqlx::query_as(OVERDUE).persistent(false).bind(project).bind(before).bind(i64::from(limit));
    let late: Vec<(Uuid, Instant)> = query.fetch_all(pool).await?;
    Ok(late.into_iter().map(|(id, since)| (JobId(id), since)).collect())
}

const COUNT_JOBS: &str = "-- count_jobs_of_project
SELECT s.state, count(*) FROM (SELECT id FROM jobs WHERE project = $1 ORDER BY id LIMIT $2) AS j
JOIN job_state AS s ON s.job_id = j.id GROUP BY s.state ORDER BY s.state";

async fn count_jobs(pool: &PgPool, project: &str, limit: u32) -> sqlx::Result<Vec<(JobState, u64)>> {
    let query = sqlx::query_as(COUNT_JOBS).persistent(false).bind(project).bind(i64::from(limit));
    Ok(by_number(&JobState::ALL, query.fetch_all(pool).await?))
}

fn gist(row: &PgRow) -> sqlx::Result<RunGist> {
    let record = GistRecord {
        id: row.try_get(0)?,
        job_id: row.try_get(1)?,
        kind: row.try_get(2)?,
        status: row.try_get(3)?,
        scheduled_for: row.try_get(4)?,
        finished_at: row.try_get(5)?,
        head: row.try_get(6)?,
    };
    Ok(record.into_gist())
}

/// The form `make_interval` takes.
#[expect(clippy::cast_precision_loss, reason = "whole milliseconds of a century are exact")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

fn count(row: &PgRow, index: usize) -> sqlx::Result<u64> {
    Ok(u64::try_from(row.try_get::<i64, _>(index)?).unwrap_or(0))
}

fn numbers(statuses: &[RunStatus]) -> Vec<i16> {
    statuses.iter().map(|status| *status as i16).collect()
}

fn uuids(ids: &[JobId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

#[async_trait]
impl Insights for PostgresStore {
    async fn reach(&self, from: Instant, until: Instant, most: u32) -> Result<Instant, StoreError> {
        answered(reach(&self.pool, from, until, most)).await
    }

    async fn tally(&self, window: &Window, bucket: u64) -> Result<Vec<Tally>, StoreError> {
        answered(tally(&self.pool, window, bucket)).await
    }

    async fn tally_jobs(
        &self,
        window: &Window,
        good: &[RunStatus],
        bad: &[RunStatus],
        limit: u32,
    ) -> Result<Vec<JobTally>, StoreError> {
        answered(tally_jobs(&self.pool, window, good, bad, limit)).await
    }

    async fn gists(
        &self,
        window: &Window,
        statuses: &[RunStatus],
        share: u16,
        limit: u32,
    ) -> Result<Vec<RunGist>, StoreError> {
        answered(gists(&self.pool, window, statuses, share, limit)).await
    }

    async fn histories(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        each: u32,
    ) -> Result<Vec<RunGist>, StoreError> {
        answered(histories(&self.pool, jobs, from, until, each)).await
    }

    async fn tally_parts(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        part: u64,
        most: u32,
    ) -> Result<Vec<JobPart>, StoreError> {
        answered(tally_parts(&self.pool, jobs, (from, until), part, most)).await
    }

    async fn jobs_of(&self, project: &str, ids: &[JobId]) -> Result<Vec<StoredJob>, StoreError> {
        answered(jobs_of(&self.pool, project, ids)).await
    }

    async fn idle_jobs(
        &self,
        project: &str,
        state: JobState,
        limit: u32,
    ) -> Result<Vec<StoredJob>, StoreError> {
        answered(idle_jobs(&self.pool, project, state, limit)).await
    }

    async fn overdue(
        &self,
        project: &str,
        before: Instant,
        limit: u32,
    ) -> Result<Vec<(JobId, Instant)>, StoreError> {
        answered(overdue(&self.pool, project, before, limit)).await
    }

    async fn count_jobs(&self, project: &str, limit: u32) -> Result<Vec<(JobState, u64)>, StoreError> {
        answered(count_jobs(&self.pool, project, limit)).await
    }
}
