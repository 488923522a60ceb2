//! Single runs, and the arrays in which many are written at once.

use domain::{Instant, JobId, Run, RunId};
use engine::Deed;
use engine::record::RunRecord;
use sqlx::PgConnection;
use sqlx::postgres::{PgArguments, PgPool};
use sqlx::query::Query;
use uuid::Uuid;

use super::rows;

/// So many runs go into one statement. Firings bring more only after an outage of hours.
pub(super) const PER_STATEMENT: usize = 5_000;

/// Runs as one array for each column.
#[derive(Default)]
pub(super) struct RunArrays {
    ids: Vec<Uuid>,
    projects: Vec<String>,
    job_ids: Vec<Uuid>,
    kinds: Vec<i16>,
    statuses: Vec<i16>,
    scheduled_for: Vec<Instant>,
    due_at: Vec<Option<Instant>>,
    tokens: Vec<i64>,
    workers: Vec<Option<String>>,
    cancel_requested: Vec<bool>,
    created_at: Vec<Instant>,
    finished_at: Vec<Option<Instant>>,
    documents: Vec<String>,
}

impl<'a> FromIterator<&'a Run> for RunArrays {
    fn from_iter<I: IntoIterator<Item = &'a Run>>(runs: I) -> Self {
        let mut arrays = Self::default();
        for run in runs {
            let record = RunRecord::from(run);
            arrays.ids.push(record.id);
            arrays.projects.push(record.project);
            arrays.job_ids.push(record.job_id);
            arrays.kinds.push(record.kind);
            arrays.statuses.push(record.status);
            arrays.scheduled_for.push(record.scheduled_for);
            arrays.due_at.push(record.due_at);
            arrays.tokens.push(record.token);
            arrays.workers.push(record.worker);
            arrays.cancel_requested.push(record.cancel_requested);
            arrays.created_at.push(record.created_at);
            arrays.finished_at.push(record.finished_at);
            arrays.documents.push(record.document);
        }
        arrays
    }
}

impl RunArrays {
    /// Leaves those of that status that are due at `until` to the common lease that ends then.
    pub(super) fn keep(&mut self, status: i16, until: Option<Instant>) {
        for (due_at, its) in self.due_at.iter_mut().zip(&self.statuses) {
            if *its == status && *due_at == until {
                *due_at = None;
            }
        }
    }

    /// Binds the 13 arrays, in the order of `bare_run_columns!()`.
    pub(super) fn bind(
        self,
        query: Query<'_, sqlx::Postgres, PgArguments>,
    ) -> Query<'_, sqlx::Postgres, PgArguments> {
        query
            .bind(self.ids)
            .bind(self.projects)
            .bind(self.job_ids)
            .bind(self.kinds)
            .bind(self.statuses)
            .bind(self.scheduled_for)
            .bind(self.due_at)
            .bind(self.tokens)
            .bind(self.workers)
            .bind(self.cancel_requested)
            .bind(self.created_at)
            .bind(self.finished_at)
            .bind(self.documents)
    }
}

const INSERT_MANY: &str = concat!(
    "-- insert_runs
WITH inserted AS (
INSERT INTO runs (",
    bare_run_columns!(),
    ")
SELECT ",
    run_insert_values!(),
    " FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::smallint[], $5::smallint[], $6::timestamptz[], $7::timestamptz[],
    $8::bigint[], $9::text[], $10::boolean[], $11::timestamptz[], $12::timestamptz[], $13::text[]
) AS n (",
    bare_run_columns!(),
    ")
ON CONFLICT (id) DO NOTHING
RETURNING id, project, job_id, status
)
",
    tell_of_runs!("$14", "inserted")
);

/// Inserts those of `runs` that do not exist yet, and tells of them.
pub(super) async fn insert_many(connection: &mut PgConnection, deed: Deed, runs: &[Run]) -> sqlx::Result<()> {
    for some in runs.chunks(PER_STATEMENT) {
        let query = some.iter().collect::<RunArrays>().bind(sqlx::query(INSERT_MANY));
        query.bind(deed as i16).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The lock keeps the job from being deleted until the run is there, for its deletion to find it. It keeps
/// nobody from firing.
const INSERT: &str = concat!(
    "-- insert_run
WITH inserted AS (
INSERT INTO runs (",
    bare_run_columns!(),
    ")
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::json
FROM job_state AS s JOIN jobs AS j ON j.id = s.job_id
WHERE s.job_id = $3 AND j.project = $2 FOR KEY SHARE OF s
ON CONFLICT (id) DO NOTHING
RETURNING id, project, job_id, status
)
",
    tell_of_runs!("$14", "inserted")
);

pub(super) async fn insert(pool: &PgPool, run: &Run) -> sqlx::Result<bool> {
    let record = RunRecord::from(run);
    let inserted = sqlx::query(INSERT)
        .bind(record.id)
        .bind(record.project)
        .bind(record.job_id)
        .bind(record.kind)
        .bind(record.status)
        .bind(record.scheduled_for)
        .bind(record.due_at)
        .bind(record.token)
        .bind(record.worker)
        .bind(record.cancel_requested)
        .bind(record.created_at)
        .bind(record.finished_at)
        .bind(record.document)
        .bind(Deed::Insert as i16)
        .execute(pool)
        .await?;
    Ok(inserted.rows_affected() == 1)
}

const REQUEST_CANCEL: &str = concat!(
    "-- request_cancel
WITH cancelled AS (
UPDATE runs AS r SET cancel_requested = true
WHERE r.id = $2 AND r.project = $1 AND r.finished_at IS NULL
RETURNING ",
    kept_run_columns!(),
    "
), told AS (
    ",
    tell_of_runs!("$3", "cancelled"),
    "
)
SELECT * FROM cancelled"
);

pub(super) async fn request_cancel(pool: &PgPool, project: &str, id: RunId) -> sqlx::Result<Option<Run>> {
    let row = sqlx::query(REQUEST_CANCEL)
        .bind(project)
        .bind(id.0)
        .bind(Deed::Cancel as i16)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(rows::run).transpose()
}

const REOPEN: &str = concat!(
    "-- reopen_run
WITH reopened AS (
UPDATE runs
SET status = $4, due_at = $5, worker = $6, finished_at = $7, document = $8::json, cancel_requested = false,
    token = token + 1
WHERE id = $2 AND project = $1 AND token = $3 AND finished_at IS NOT NULL
RETURNING id, project, job_id, status
)
",
    tell_of_runs!("$9", "reopened")
);

pub(super) async fn reopen(pool: &PgPool, run: &Run) -> sqlx::Result<bool> {
    let record = RunRecord::from(run);
    let reopened = sqlx::query(REOPEN)
        .bind(record.project)
        .bind(record.id)
        .bind(record.token)
        .bind(record.status)
        .bind(record.due_at)
        .bind(record.worker)
        .bind(record.finished_at)
        .bind(record.document)
        .bind(Deed::Reopen as i16)
        .execute(pool)
        .await?;
    Ok(reopened.rows_affected() == 1)
}

const FIND: &str = concat!(
    "-- find_run\nSELECT ",
    kept_run_columns!(),
    " FROM runs AS r WHERE r.id = $2 AND r.project = $1"
);

pub(super) async fn find(pool: &PgPool, project: &str, id: RunId) -> sqlx::Result<Option<Run>> {
    let row = sqlx::query(FIND).bind(project).bind(id.0).fetch_optional(pool).await?;
    row.as_ref().map(rows::run).transpose()
}

/// Those of a deleted job are looked for among all of its runs.
const UNFINISHED: &str = concat!(
    "-- unfinished_runs
SELECT ",
    kept_run_columns!(),
    " FROM runs AS r WHERE r.id = ANY (ARRAY(
    SELECT id FROM runs WHERE job_id = $1 AND coalesce(due_at, 'infinity') < 'infinity'
    UNION ALL
    SELECT id FROM runs WHERE job_id = $1 AND finished_at IS NULL AND due_at IS NULL AND id >= coalesce(
        (SELECT coalesce(open_from, 'ffffffff-ffff-ffff-ffff-ffffffffffff') FROM job_state WHERE job_id = $1),
        '00000000-0000-0000-0000-000000000000'
    )
)) ORDER BY r.id LIMIT $2"
);

pub(super) async fn unfinished(pool: &PgPool, job: JobId, limit: u32) -> sqlx::Result<Vec<Run>> {
    let rows = sqlx::query(UNFINISHED).bind(job.0).bind(i64::from(limit)).fetch_all(pool).await?;
    rows.iter().map(rows::run).collect()
}
