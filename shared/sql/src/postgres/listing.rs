//! Lists and counts. One statement for each order, so that each page is a walk along an index from its cursor.

use domain::{Instant, JobState, Run, RunStatus};
use engine::query::{JobCursor, JobSortKey};
use engine::record::numbered;
use engine::{Counts, JobQuery, Page, RunQuery, StoredJob};
use serde_json::json;
use sqlx::postgres::PgPool;

use super::{has_nul, rows};

/// The page is cut first, and last runs are looked up for its rows only. `$6` and `$7` are the cursor.
macro_rules! list_jobs {
    ($condition:literal, $order:literal) => {
        concat!(
            "-- list_jobs
SELECT j.*, l.id AS last_run_id, l.status AS last_run_status, l.finished_at FROM (
    SELECT ",
            job_columns!(),
            "
    FROM jobs AS j JOIN job_state AS s ON s.job_id = j.id
    WHERE j.project = $1
        AND (cardinality($2::smallint[]) = 0 OR s.state = ANY ($2))
        AND j.labels @> ALL ($3::jsonb[])
        AND ($4::text IS NULL OR strpos(j.name_lower, $4) > 0)
        ",
            $condition,
            "
    ORDER BY ",
            $order,
            " LIMIT $5
) AS j
LEFT JOIN LATERAL (
    SELECT r.id, r.status, r.finished_at FROM runs AS r
    WHERE r.job_id = j.id AND r.finished_at IS NOT NULL ORDER BY r.id DESC LIMIT 1
) AS l ON true
ORDER BY ",
            $order
        )
    };
}

/// A part of a list that is one walk along one index.
#[derive(Clone, Copy)]
enum Walk {
    ById,
    ByName,
    /// Jobs that have a next occurrence.
    Timed,
    /// Jobs that have none, which come after all that have one.
    Timeless,
}

fn job_statement(walk: Walk, descending: bool, goes_on: bool) -> &'static str {
    match (walk, descending, goes_on) {
        (Walk::ById, false, false) => list_jobs!("", "id"),
        (Walk::ById, false, true) => list_jobs!("AND j.id > $6", "id"),
        (Walk::ById, true, false) => list_jobs!("", "id DESC"),
        (Walk::ById, true, true) => list_jobs!("AND j.id < $6", "id DESC"),
        (Walk::ByName, false, false) => list_jobs!("", "name"),
        (Walk::ByName, false, true) => list_jobs!("AND j.name > $6", "name"),
        (Walk::ByName, true, false) => list_jobs!("", "name DESC"),
        (Walk::ByName, true, true) => list_jobs!("AND j.name < $6", "name DESC"),
        (Walk::Timed, false, false) => list_jobs!("AND s.next_fire_at IS NOT NULL", "next_fire_at, id"),
        (Walk::Timed, false, true) => list_jobs!(
            "AND s.next_fire_at IS NOT NULL AND s.next_fire_at >= $6 AND (s.next_fire_at, j.id) > ($6, $7)",
            "next_fire_at, id"
        ),
        (Walk::Timed, true, false) => {
            list_jobs!("AND s.next_fire_at IS NOT NULL", "next_fire_at DESC, id DESC")
        }
        (Walk::Timed, true, true) => list_jobs!(
            "AND s.next_fire_at IS NOT NULL AND s.next_fire_at <= $6 AND (s.next_fire_at, j.id) < ($6, $7)",
            "next_fire_at DESC, id DESC"
        ),
        (Walk::Timeless, false, false) => list_jobs!("AND s.next_fire_at IS NULL", "id"),
        (Walk::Timeless, false, true) => list_jobs!("AND s.next_fire_at IS NULL AND j.id > $6", "id"),
        (Walk::Timeless, true, false) => list_jobs!("AND s.next_fire_at IS NULL", "id DESC"),
        (Walk::Timeless, true, true) => list_jobs!("AND s.next_fire_at IS NULL AND j.id < $6", "id DESC"),
    }
}

pub(super) async fn jobs(pool: &PgPool, query: &JobQuery) -> sqlx::Result<Page<StoredJob>> {
    let texts = query.labels.iter().flat_map(|(key, value)| [key, value]).chain(&query.text);
    if texts.into_iter().any(|text| has_nul(text)) {
        return Ok(Page { items: Vec::new(), has_more: false });
    }

    let wanted = i64::from(query.limit) + 1;
    let after = query.after.as_ref();
    let items = match query.sort.by {
        JobSortKey::CreatedAt => walk(pool, query, Walk::ById, after, wanted).await?,
        JobSortKey::Name => walk(pool, query, Walk::ByName, after, wanted).await?,
        JobSortKey::NextFireAt => {
            let among_timeless = after.filter(|after| after.next_fire_at.is_none());
            let mut items = match among_timeless {
                Some(_) => Vec::new(),
                None => walk(pool, query, Walk::Timed, after, wanted).await?,
            };
            let rest = wanted - i64::try_from(items.len()).unwrap_or(wanted);
            if rest > 0 {
                items.extend(walk(pool, query, Walk::Timeless, among_timeless, rest).await?);
            }
            items
        }
    };
    Ok(Page::from_one_more(items, query.limit))
}

async fn walk(
    pool: &PgPool,
    query: &JobQuery,
    walk: Walk,
    after: Option<&JobCursor>,
    limit: i64,
) -> sqlx::Result<Vec<StoredJob>> {
    let states: Vec<i16> = query.states.iter().map(|state| *state as i16).collect();
    let labels: Vec<_> = query.labels.iter().map(|(key, value)| json!({ key: value })).collect();
    let statement = sqlx::query(job_statement(walk, query.sort.descending, after.is_some()))
        .bind(&query.project)
        .bind(states)
        .bind(labels)
        .bind(query.text.as_ref().map(|text| text.to_lowercase()))
        .bind(limit);
    let statement = match (walk, after) {
        (_, None) => statement,
        (Walk::ById | Walk::Timeless, Some(after)) => statement.bind(after.id.0),
        (Walk::ByName, Some(after)) => statement.bind(&after.name),
        (Walk::Timed, Some(after)) => statement.bind(after.next_fire_at).bind(after.id.0),
    };
    statement.fetch_all(pool).await?.iter().map(rows::stored_job).collect()
}

/// `$5` and `$6` are the bounds of the ids, `$7` the job.
macro_rules! list_runs {
    ($condition:literal, $order:literal) => {
        concat!(
            "-- list_runs
SELECT ",
            kept_run_columns!(),
            " FROM runs AS r
WHERE r.project = $1
    AND (cardinality($2::smallint[]) = 0 OR r.status = ANY ($2))
    AND (cardinality($3::smallint[]) = 0 OR r.kind = ANY ($3))
    AND r.id >= $5 AND r.id < $6 ",
            $condition,
            "
ORDER BY r.id ",
            $order,
            " LIMIT $4"
        )
    };
}

/// Unfinished runs are few and have an index of their own. Materialised, because the planner, for the order's sake,
/// would rather walk along all of the others.
macro_rules! list_unfinished_runs {
    ($condition:literal, $order:literal) => {
        concat!(
            "-- list_unfinished_runs
WITH unfinished AS MATERIALIZED (
    SELECT r.id FROM runs AS r
    WHERE r.due_at IS NOT NULL AND r.project = $1 AND r.status = ANY ($2)
        AND (cardinality($3::smallint[]) = 0 OR r.kind = ANY ($3))
        AND r.id >= $5 AND r.id < $6 ",
            $condition,
            "
    UNION ALL
    SELECT r.id FROM leases AS l, unnest(l.run_ids) AS k (id)
    JOIN runs AS r ON r.id = ANY (ARRAY[k.id]) AND r.finished_at IS NULL AND r.due_at IS NULL
    WHERE r.project = $1 AND r.status = ANY ($2)
        AND (cardinality($3::smallint[]) = 0 OR r.kind = ANY ($3))
        AND r.id >= $5 AND r.id < $6 ",
            $condition,
            "
)
SELECT ",
            kept_run_columns!(),
            " FROM runs AS r
WHERE r.id = ANY (ARRAY(SELECT id FROM unfinished ORDER BY id ",
            $order,
            " LIMIT $4)) ORDER BY r.id ",
            $order
        )
    };
}

fn run_statement(unfinished_only: bool, of_job: bool, ascending: bool) -> &'static str {
    match (unfinished_only, of_job, ascending) {
        (false, false, false) => list_runs!("", "DESC"),
        (false, false, true) => list_runs!("", "ASC"),
        (false, true, false) => list_runs!("AND r.job_id = $7", "DESC"),
        (false, true, true) => list_runs!("AND r.job_id = $7", "ASC"),
        (true, false, false) => list_unfinished_runs!("", "DESC"),
        (true, false, true) => list_unfinished_runs!("", "ASC"),
        (true, true, false) => list_unfinished_runs!("AND r.job_id = $7", "DESC"),
        (true, true, true) => list_unfinished_runs!("AND r.job_id = $7", "ASC"),
    }
}

pub(super) async fn runs(pool: &PgPool, query: &RunQuery) -> sqlx::Result<Page<Run>> {
    let statuses: Vec<i16> = query.statuses.iter().map(|status| *status as i16).collect();
    let kinds: Vec<i16> = query.kinds.iter().map(|kind| *kind as i16).collect();
    let (from, until) = query.bounds();
    let text = run_statement(query.unfinished_only(), query.job.is_some(), query.ascending);
    let mut statement = sqlx::query(text)
        .bind(&query.project)
        .bind(statuses)
        .bind(kinds)
        .bind(i64::from(query.limit) + 1)
        .bind(from.0)
        .bind(until.0);
    if let Some(job) = query.job {
        statement = statement.bind(job.0);
    }
    let items = statement.fetch_all(pool).await?.iter().map(rows::run).collect::<sqlx::Result<_>>()?;
    Ok(Page::from_one_more(items, query.limit))
}

const COUNT_JOBS: &str = "-- count_jobs
SELECT state, count(*) FROM job_state GROUP BY state ORDER BY state";

const COUNT_RUNS: &str = "-- count_unfinished_runs
SELECT status, count(*) FROM (
    SELECT status FROM runs WHERE due_at IS NOT NULL
    UNION ALL
    SELECT r.status FROM leases AS l, unnest(l.run_ids) AS k (id)
    JOIN runs AS r ON r.id = ANY (ARRAY[k.id]) AND r.finished_at IS NULL AND r.due_at IS NULL
) AS unfinished GROUP BY status ORDER BY status";

pub(super) async fn counts(pool: &PgPool) -> sqlx::Result<Counts> {
    let jobs = sqlx::query_as(COUNT_JOBS).fetch_all(pool).await?;
    let runs = sqlx::query_as(COUNT_RUNS).fetch_all(pool).await?;
    Ok(Counts { jobs: by_number(&JobState::ALL, jobs), runs: by_number(&RunStatus::ALL, runs) })
}

/// The order is that of the index: with it the planner walks the index and stops at the limit, however many jobs it
/// believes to be due.
const COUNT_DUE: &str = "-- count_due
SELECT count(*) FROM (
    SELECT 1 FROM job_state WHERE next_fire_at BETWEEN $1 AND $2 ORDER BY next_fire_at LIMIT $3
) AS due";

pub(super) async fn count_due(pool: &PgPool, from: Instant, until: Instant, limit: u32) -> sqlx::Result<u64> {
    // Planned anew each time: a plan made while the table was small reads all of it when it is not any more.
    let query = sqlx::query_scalar(COUNT_DUE).persistent(false);
    let query = query.bind(from).bind(until).bind(i64::from(limit));
    let count: i64 = query.fetch_one(pool).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

pub(super) fn by_number<T: Copy>(all: &[T], counted: Vec<(i16, i64)>) -> Vec<(T, u64)> {
    let known = counted.into_iter().filter_map(|(number, count)| Some((numbered(all, number)?, count)));
    known.map(|(it, count)| (it, u64::try_from(count).unwrap_or(0))).collect()
}
