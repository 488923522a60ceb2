//! Firing: due jobs are locked, decided on in Rust, and moved on together with their new runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::{Firing, Instant, Job, JobId, Run, RunKind};
use engine::DueJob;
use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::rows;
use super::runs::{PER_STATEMENT, RunArrays};
use crate::definitions::Definitions;

/// Keys are matched as in [`super::leasing`]. `NO KEY`, because that is all an update of the row takes: inserting a run of a job does not wait for it.
pub(super) const CLAIM_DUE: &str = "-- claim_due
SELECT job_id, version, next_fire_at, runs_started FROM job_state
WHERE next_fire_at <= $1 ORDER BY next_fire_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED";

pub(super) const COUNT_ACTIVE: &str = "-- count_active
SELECT job_id, count(*) FROM runs WHERE job_id = ANY ($1) AND finished_at IS NULL AND kind <> $2 GROUP BY job_id";

pub(super) const ADVANCE: &str = concat!(
    "-- advance
WITH moved AS (
    UPDATE job_state AS s
    SET next_fire_at = f.next_fire_at, state = f.state, runs_started = s.runs_started + f.started
    FROM unnest($14::uuid[], $15::timestamptz[], $16::smallint[], $17::bigint[]) AS f (job_id, next_fire_at, state, started)
    WHERE s.job_id = ANY (ARRAY[f.job_id])
), inserted AS (
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
RETURNING id
)
SELECT array_agg(id) FROM inserted"
);

pub(super) async fn fire_due(
    pool: &PgPool,
    definitions: &Definitions,
    now: Instant,
    limit: u32,
    decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
) -> sqlx::Result<Vec<Firing>> {
    let mut tx = pool.begin().await?;
    let due: Vec<Due> =
        sqlx::query_as(CLAIM_DUE).bind(now).bind(i64::from(limit)).fetch_all(&mut *tx).await?;
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let versions = due.iter().map(|(id, version, ..)| (*id, *version)).collect();
    let mut jobs = load_definitions(&mut tx, definitions, versions).await?;
    let mut active = count_active(&mut tx, &due).await?;
    let mut firings = Vec::with_capacity(due.len());
    for (id, _, next_fire_at, runs_started) in due {
        let active = active.remove(&id).unwrap_or(0);
        let runs_started = u64::try_from(runs_started).unwrap_or(0);
        let job = jobs.remove(&id);
        firings.push(decide(DueJob { id: JobId(id), next_fire_at, job, active, runs_started }));
    }
    advance(&mut tx, &mut firings).await?;
    tx.commit().await?;
    Ok(firings)
}

/// Id, version, next occurrence, and how many runs have been started.
type Due = (Uuid, i64, Instant, i64);

async fn count_active(connection: &mut PgConnection, due: &[Due]) -> sqlx::Result<HashMap<Uuid, u64>> {
    let ids: Vec<Uuid> = due.iter().map(|(id, ..)| *id).collect();
    let query = sqlx::query_as(COUNT_ACTIVE).bind(ids).bind(RunKind::Backfill as i16);
    let counted: Vec<(Uuid, i64)> = query.fetch_all(connection).await?;
    Ok(counted.into_iter().map(|(id, count)| (id, u64::try_from(count).unwrap_or(0))).collect())
}

/// Writes the firings, and takes out of them the runs that existed already.
async fn advance(connection: &mut PgConnection, firings: &mut [Firing]) -> sqlx::Result<()> {
    let mut moves = Some(Moves::from_iter(&*firings));
    let runs: Vec<&Run> = firings.iter().flat_map(|firing| &firing.runs).collect();
    let mut chunks = runs.chunks(PER_STATEMENT);
    let mut inserted = HashSet::with_capacity(runs.len());
    // At least one statement, to move the jobs on; further ones find nothing left to move.
    while let Some(some) = chunks.next().or(moves.as_ref().map(|_| &[][..])) {
        let Moves { ids, next_fire_at, states, started } = moves.take().unwrap_or_default();
        let query = some.iter().copied().collect::<RunArrays>().bind(sqlx::query(ADVANCE));
        // One row with an array: a row for each run costs more than inserting it does elsewhere.
        let query = query.bind(ids).bind(next_fire_at).bind(states).bind(started);
        let row = query.fetch_one(&mut *connection).await?;
        inserted.extend(row.try_get::<Option<Vec<Uuid>>, _>(0)?.unwrap_or_default());
    }
    if inserted.len() < runs.len() {
        for firing in firings {
            firing.runs.retain(|run| inserted.contains(&run.id.0));
        }
    }
    Ok(())
}

/// What becomes of the jobs, as one array for each column.
#[derive(Default)]
struct Moves {
    ids: Vec<Uuid>,
    next_fire_at: Vec<Option<Instant>>,
    states: Vec<i16>,
    started: Vec<i64>,
}

impl<'a> FromIterator<&'a Firing> for Moves {
    fn from_iter<I: IntoIterator<Item = &'a Firing>>(firings: I) -> Self {
        let mut moves = Self::default();
        for firing in firings {
            moves.ids.push(firing.job_id.0);
            moves.next_fire_at.push(firing.next_fire_at);
            moves.states.push(firing.state as i16);
            moves.started.push(i64::try_from(firing.started()).unwrap_or(i64::MAX));
        }
        moves
    }
}

pub(super) const LOAD_DEFINITIONS: &str = concat!(
    "-- load_definitions
SELECT ",
    job_columns!(),
    "
FROM unnest($1::uuid[]) AS k (id)
JOIN jobs AS j ON j.id = ANY (ARRAY[k.id])
JOIN job_state AS s ON s.job_id = ANY (ARRAY[k.id])"
);

/// The jobs of these ids and versions that can be read. One that has another version by now is returned as it is.
pub(super) async fn load_definitions(
    connection: &mut PgConnection,
    definitions: &Definitions,
    versions: HashMap<Uuid, i64>,
) -> sqlx::Result<HashMap<Uuid, Arc<Job>>> {
    let mut jobs = HashMap::new();
    let mut missing = Vec::new();
    for (id, version) in versions {
        match definitions.get(id, version) {
            Some(job) => drop(jobs.insert(id, job)),
            None => missing.push(id),
        }
    }
    if !missing.is_empty() {
        // Jobs that are due together were often made together: neighbours in the index.
        missing.sort_unstable();
        for row in sqlx::query(LOAD_DEFINITIONS).bind(missing).fetch_all(connection).await? {
            // A row that cannot be read costs its own job, not the batch it is due with.
            match rows::job_record(&row) {
                Ok(record) => {
                    let id = record.id;
                    jobs.extend(definitions.add(record).map(|job| (id, job)));
                }
                Err(error) => tracing::error!(%error, "the row of a job cannot be read"),
            }
        }
    }
    Ok(jobs)
}

pub(super) const NEXT_DUE: &str = "-- next_due
SELECT least(
    (SELECT min(next_fire_at) FROM job_state WHERE next_fire_at IS NOT NULL),
    (SELECT min(due_at) FROM runs WHERE due_at IS NOT NULL)
)";

pub(super) async fn next_due(pool: &PgPool) -> sqlx::Result<Option<Instant>> {
    sqlx::query_scalar(NEXT_DUE).fetch_one(pool).await
}
