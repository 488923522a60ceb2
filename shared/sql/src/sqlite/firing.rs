//! Firing: due jobs are read under the writer's lock, decided on in Rust, and moved on together with their new runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::{Firing, Instant, Job, JobId, Run, RunKind};
use engine::{Deed, DueJob, Entry};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;
use uuid::Uuid;

use super::{SqliteStore, batch, events, rows, runs};
use crate::definitions::Definitions;

pub(super) const CLAIM_DUE: &str = "-- claim_due
SELECT job_id, version, next_fire_at, runs_started, state FROM job_state INDEXED BY job_state_due_idx
WHERE next_fire_at <= $1 ORDER BY next_fire_at LIMIT $2";

pub(super) const COUNT_ACTIVE: &str = "-- count_active
SELECT job_id, count(*) FROM runs INDEXED BY runs_active_idx
WHERE finished_at IS NULL AND kind <> $2 AND job_id IN (SELECT unhex(value) FROM json_each($1)) GROUP BY job_id";

pub(super) const ADVANCE: &str = "-- advance
UPDATE job_state
SET next_fire_at = f.value ->> 1, state = f.value ->> 2, runs_started = runs_started + (f.value ->> 3)
FROM json_each($1) AS f WHERE job_id = unhex(f.value ->> 0)";

pub(super) async fn fire_due(
    store: &SqliteStore,
    now: Instant,
    limit: u32,
    decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
) -> sqlx::Result<Vec<Firing>> {
    let mut tx = store.begin().await?;
    let due: Vec<Due> = sqlx::query_as(CLAIM_DUE)
        .bind(now.timestamp_millis())
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await?;
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let versions = due.iter().map(|(id, version, ..)| (*id, *version)).collect();
    let mut jobs = load_definitions(&mut tx, &store.definitions, versions).await?;
    let mut active = count_active(&mut tx, &due).await?;
    let mut firings = Vec::with_capacity(due.len());
    let mut turned = HashSet::new();
    for (id, _, next_fire_at, runs_started, state) in due {
        // A job whose next occurrence cannot be read cannot be fired, whatever its definition.
        let (next_fire_at, job) = match rows::instant(next_fire_at) {
            Ok(next_fire_at) => (next_fire_at, jobs.remove(&id)),
            Err(_) => (now, None),
        };
        let active = active.remove(&id).unwrap_or(0);
        let runs_started = u64::try_from(runs_started).unwrap_or(0);
        let firing = decide(DueJob { id: JobId(id), next_fire_at, job, active, runs_started });
        if firing.state as i16 != state {
            turned.insert(firing.job_id);
        }
        firings.push(firing);
    }
    advance(&mut tx, &mut firings).await?;
    tell(&mut tx, &firings, &turned).await?;
    store.commit(tx).await?;
    Ok(firings)
}

/// Id, version, next occurrence, how many runs have been started, and the state.
type Due = (Uuid, i64, i64, i64, i16);

async fn count_active(connection: &mut SqliteConnection, due: &[Due]) -> sqlx::Result<HashMap<Uuid, u64>> {
    let ids = batch::ids(due.iter().map(|(id, ..)| *id));
    let query = sqlx::query_as(COUNT_ACTIVE).bind(ids).bind(RunKind::Backfill as i16);
    let counted: Vec<(Uuid, i64)> = query.fetch_all(connection).await?;
    Ok(counted.into_iter().map(|(id, count)| (id, u64::try_from(count).unwrap_or(0))).collect())
}

/// Writes the firings, and takes out of them the runs that existed already.
async fn advance(connection: &mut SqliteConnection, firings: &mut [Firing]) -> sqlx::Result<()> {
    let moves = firings.iter().map(|firing| {
        let next_fire_at = batch::instant(firing.next_fire_at);
        (batch::Id(firing.job_id.0), next_fire_at, firing.state as i16, firing.started())
    });
    let moves = batch::rows(moves);
    sqlx::query(ADVANCE).bind(moves).execute(&mut *connection).await?;
    let runs: Vec<&Run> = firings.iter().flat_map(|firing| &firing.runs).collect();
    let inserted = runs::insert_many(connection, &runs).await?;
    if inserted.len() < runs.len() {
        let inserted: HashSet<Uuid> = inserted.into_iter().collect();
        for firing in firings {
            firing.runs.retain(|run| inserted.contains(&run.id.0));
        }
    }
    Ok(())
}

const PROJECT: &str = "-- project_of_job
SELECT project FROM jobs WHERE id = $1";

/// Tells of the new runs, and of the jobs whose state has `turned`: few, or each for the last time.
async fn tell(
    connection: &mut SqliteConnection,
    firings: &[Firing],
    turned: &HashSet<JobId>,
) -> sqlx::Result<()> {
    let mut entries = Vec::new();
    for firing in firings {
        if turned.contains(&firing.job_id) {
            let its = firing.runs.first().map(|run| run.project.clone());
            let project = match its {
                Some(project) => project,
                None => sqlx::query_scalar(PROJECT).bind(firing.job_id.0).fetch_one(&mut *connection).await?,
            };
            entries.push(Entry { project, job: firing.job_id, run: None, status: firing.state as i16 });
        }
        entries.extend(firing.runs.iter().map(Entry::from));
    }
    events::tell(connection, Deed::Fire, entries).await
}

pub(super) const LOAD_DEFINITIONS: &str = concat!(
    "-- load_definitions
SELECT ",
    job_columns!(),
    " FROM jobs AS j JOIN job_state AS s ON s.job_id = j.id
WHERE j.id IN (SELECT unhex(value) FROM json_each($1))"
);

/// The jobs of these ids and versions that can be read. One that has another version by now is returned as it is.
pub(super) async fn load_definitions(
    connection: &mut SqliteConnection,
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
        for row in sqlx::query(LOAD_DEFINITIONS).bind(batch::ids(missing)).fetch_all(connection).await? {
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
SELECT min(at) FROM (
    SELECT min(next_fire_at) AS at FROM job_state WHERE next_fire_at IS NOT NULL
    UNION ALL SELECT min(due_at) FROM runs WHERE due_at IS NOT NULL
)";

pub(super) async fn next_due(pool: &SqlitePool) -> sqlx::Result<Option<Instant>> {
    let millis: Option<i64> = sqlx::query_scalar(NEXT_DUE).fetch_one(pool).await?;
    millis.map(rows::instant).transpose()
}
