//! Firing: due jobs are locked, decided on in Rust, and moved on together with their new runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::{Firing, Instant, Job, JobId, Run, RunKind, RunStatus};
use engine::record::JobRecord;
use engine::{Deed, DueJob};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use super::leases::{self, CommonLease, Leases};
use super::rows;
use super::runs::{PER_STATEMENT, RunArrays};
use crate::definitions::Definitions;

/// Keys are matched as in [`super::leasing`]. `NO KEY`, because that is all an update of the row takes: inserting a run of a job does not wait for it.
pub(super) const CLAIM_DUE: &str = "-- claim_due
SELECT job_id, version, state, next_fire_at, runs_started, open_from FROM job_state
WHERE next_fire_at <= $1 ORDER BY next_fire_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED";

pub(super) const COUNT_ACTIVE: &str = "-- count_active
SELECT * FROM (
    SELECT k.job_id, (
        SELECT count(*) FROM runs AS r
        WHERE r.job_id = k.job_id AND coalesce(r.due_at, 'infinity') < 'infinity' AND r.kind <> $3
    ) AS alone, (
        SELECT count(*) FROM runs AS r
        WHERE r.job_id = k.job_id AND r.id >= k.open_from AND r.finished_at IS NULL AND r.due_at IS NULL
    ) AS together
    FROM unnest($1::uuid[], $2::uuid[]) AS k (job_id, open_from) OFFSET 0
) AS counted WHERE alone + together > 0";

pub(super) const ADVANCE: &str = concat!(
    "-- advance
WITH moved AS (
    UPDATE job_state AS s
    SET next_fire_at = f.next_fire_at, state = f.state, runs_started = s.runs_started + f.started, open_from = f.open_from
    FROM unnest($14::uuid[], $15::timestamptz[], $16::smallint[], $20::bigint[], $17::uuid[])
        AS f (job_id, next_fire_at, state, started, open_from)
    WHERE s.job_id = ANY (ARRAY[f.job_id])
), common AS (
    INSERT INTO leases (until, run_ids) SELECT $18::timestamptz, $19::uuid[] WHERE $18::timestamptz IS NOT NULL
    RETURNING id
), inserted AS (
INSERT INTO runs (",
    bare_run_columns!(),
    ", lease)
SELECT ",
    run_insert_values!(),
    ", CASE WHEN coalesce(due_at, finished_at) IS NULL THEN (SELECT id FROM common) END FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::smallint[], $5::smallint[], $6::timestamptz[], $7::timestamptz[],
    $8::bigint[], $9::text[], $10::boolean[], $11::timestamptz[], $12::timestamptz[], $13::text[]
) AS n (",
    bare_run_columns!(),
    ")
ON CONFLICT (id) DO NOTHING
RETURNING id, project, job_id, status
), told AS (
    INSERT INTO events (deed, projects, job_ids, run_ids, statuses)
    SELECT $23::smallint, array_agg(project), array_agg(job_id), array_agg(run_id), array_agg(status) FROM (
        SELECT coalesce(t.project, (SELECT j.project FROM jobs AS j WHERE j.id = t.job_id)) AS project,
            t.job_id, NULL::uuid AS run_id, t.state AS status
        FROM unnest($21::uuid[], $22::smallint[], $24::text[]) AS t (job_id, state, project)
        UNION ALL SELECT project, job_id, id, status FROM inserted
    ) AS news HAVING count(*) > 0
)
SELECT array_agg(id), (SELECT id FROM common) FROM inserted"
);

pub(super) async fn fire_due(
    pool: &PgPool,
    definitions: &Definitions,
    leases: &Leases,
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
    let mut jobs = due_definitions(&mut tx, definitions, &due).await?;
    let mut active = count_active(&mut tx, &due).await?;
    let mut firings = Vec::with_capacity(due.len());
    let mut open_from = HashMap::new();
    let mut turned = Turned::default();
    for Due { job_id: id, state, next_fire_at, runs_started, open_from: from, .. } in due {
        let Active { alone, together } = active.remove(&id).unwrap_or_default();
        if together > 0 {
            open_from.insert(JobId(id), from);
        }
        let active = alone + together;
        let runs_started = u64::try_from(runs_started).unwrap_or(0);
        let job = jobs.remove(&id);
        let firing = decide(DueJob { id: JobId(id), next_fire_at, job, active, runs_started });
        if firing.state as i16 != state {
            turned.ids.push(id);
            turned.states.push(firing.state as i16);
            turned.projects.push(firing.runs.first().map(|run| run.project.clone()));
        }
        firings.push(firing);
    }
    let new = advance(&mut tx, &mut firings, &open_from, turned).await?;
    tx.commit().await?;
    leases.add(new, now);
    Ok(firings)
}

/// A due job's state.
#[derive(FromRow)]
struct Due {
    job_id: Uuid,
    version: i64,
    state: i16,
    next_fire_at: Instant,
    runs_started: i64,
    open_from: Option<Uuid>,
}

/// The jobs whose state is another one by now: those of them that are told of.
#[derive(Default)]
struct Turned {
    ids: Vec<Uuid>,
    states: Vec<i16>,
    /// As far as they are known without looking.
    projects: Vec<Option<String>>,
}

/// How many of a job's runs are not finished: those that no common lease keeps, and the others.
#[derive(Default)]
struct Active {
    alone: u64,
    together: u64,
}

async fn count_active(connection: &mut PgConnection, due: &[Due]) -> sqlx::Result<HashMap<Uuid, Active>> {
    let (ids, open_from): (Vec<Uuid>, Vec<Option<Uuid>>) =
        due.iter().map(|due| (due.job_id, due.open_from)).unzip();
    let query = sqlx::query_as(COUNT_ACTIVE).bind(ids).bind(open_from).bind(RunKind::Backfill as i16);
    let counted: Vec<(Uuid, i64, i64)> = query.fetch_all(connection).await?;
    let count = |count| u64::try_from(count).unwrap_or(0);
    let counted = counted.into_iter();
    Ok(counted.map(|(id, a, t)| (id, Active { alone: count(a), together: count(t) })).collect())
}

/// Writes the firings, and takes out of them the runs that existed already. Returns the new leases.
async fn advance(
    connection: &mut PgConnection,
    firings: &mut [Firing],
    open_from: &HashMap<JobId, Option<Uuid>>,
    mut turned: Turned,
) -> sqlx::Result<Vec<CommonLease>> {
    let mut moves = Moves::default();
    let runs: Vec<&Run> = firings.iter().flat_map(|firing| &firing.runs).collect();
    // Nearly always one for all: they are leased as they are fired.
    let until = runs.iter().find(|run| run.status == RunStatus::Running).and_then(|run| run.due_at);
    for firing in &*firings {
        let kept = firing.runs.iter().filter(|run| is_kept(run, until)).map(|run| run.id.0);
        let open = open_from.get(&firing.job_id).copied().flatten().into_iter().chain(kept).min();
        moves.push(firing, open);
    }
    let mut moves = Some(moves);
    let mut chunks = runs.chunks(PER_STATEMENT);
    let mut inserted = HashSet::with_capacity(runs.len());
    let mut new = Vec::new();
    // At least one statement, to move the jobs on; further ones find nothing left to move.
    while let Some(some) = chunks.next().or(moves.as_ref().map(|_| &[][..])) {
        let Moves { ids, next_fire_at, states, open_from, started } = moves.take().unwrap_or_default();
        let kept: Vec<&Run> = some.iter().copied().filter(|run| is_kept(run, until)).collect();
        let kept_ids: Vec<Uuid> = kept.iter().map(|run| run.id.0).collect();
        let mut arrays: RunArrays = some.iter().copied().collect();
        arrays.keep(RunStatus::Running as i16, until);
        let query =
            arrays.bind(sqlx::query(ADVANCE)).bind(ids).bind(next_fire_at).bind(states).bind(open_from);
        let query = query.bind(until.filter(|_| !kept.is_empty())).bind(kept_ids).bind(started);
        let Turned { ids, states, projects } = std::mem::take(&mut turned);
        let query = query.bind(ids).bind(states).bind(Deed::Fire as i16).bind(projects);
        // One row with an array: a row for each run costs more than inserting it does elsewhere.
        let row = query.fetch_one(&mut *connection).await?;
        inserted.extend(row.try_get::<Option<Vec<Uuid>>, _>(0)?.unwrap_or_default());
        if let (Some(id), Some(until)) = (row.try_get(1)?, until) {
            let runs = kept.iter().filter(|run| inserted.contains(&run.id.0)).map(|run| (run.id, run.token));
            new.push(CommonLease { id, until, runs: runs.collect() });
        }
    }
    leases::end_empty(connection, &mut new).await?;
    if inserted.len() < runs.len() {
        for firing in firings {
            firing.runs.retain(|run| inserted.contains(&run.id.0));
        }
    }
    Ok(new)
}

/// Whether the common lease that ends at `until` keeps this run.
fn is_kept(run: &Run, until: Option<Instant>) -> bool {
    run.status == RunStatus::Running && run.due_at == until
}

/// What becomes of the jobs, as one array for each column.
#[derive(Default)]
struct Moves {
    ids: Vec<Uuid>,
    next_fire_at: Vec<Option<Instant>>,
    states: Vec<i16>,
    open_from: Vec<Option<Uuid>>,
    started: Vec<i64>,
}

impl Moves {
    fn push(&mut self, firing: &Firing, open_from: Option<Uuid>) {
        self.ids.push(firing.job_id.0);
        self.next_fire_at.push(firing.next_fire_at);
        self.states.push(firing.state as i16);
        self.open_from.push(open_from);
        self.started.push(i64::try_from(firing.started()).unwrap_or(i64::MAX));
    }
}

/// Without the state, which is known and locked: the definition cannot change before the transaction ends.
pub(super) const DUE_DEFINITIONS: &str = "-- due_definitions
SELECT j.id, j.project, j.name, j.created_at, j.updated_at, j.document
FROM unnest($1::uuid[]) AS k (id) JOIN jobs AS j ON j.id = ANY (ARRAY[k.id])";

/// The definitions of due jobs that can be read.
async fn due_definitions(
    connection: &mut PgConnection,
    definitions: &Definitions,
    due: &[Due],
) -> sqlx::Result<HashMap<Uuid, Arc<Job>>> {
    let mut jobs = HashMap::with_capacity(due.len());
    let mut missing = HashMap::new();
    for due in due {
        match definitions.get(due.job_id, due.version) {
            Some(job) => drop(jobs.insert(due.job_id, job)),
            None => drop(missing.insert(due.job_id, due)),
        }
    }
    if missing.is_empty() {
        return Ok(jobs);
    }
    // Jobs that are due together were often made together: neighbours in the index.
    let mut ids: Vec<Uuid> = missing.keys().copied().collect();
    ids.sort_unstable();
    for row in sqlx::query(DUE_DEFINITIONS).bind(ids).fetch_all(connection).await? {
        let id: Uuid = row.try_get(0)?;
        let Some(due) = missing.get(&id) else { continue };
        // A row that cannot be read costs its own job, not the batch it is due with.
        match due_record(&row, due) {
            Ok(record) => jobs.extend(definitions.add(record).map(|job| (id, job))),
            Err(error) => tracing::error!(%error, "the row of a job cannot be read"),
        }
    }
    Ok(jobs)
}

fn due_record(row: &PgRow, due: &Due) -> sqlx::Result<JobRecord> {
    Ok(JobRecord {
        id: due.job_id,
        project: row.try_get(1)?,
        name: row.try_get(2)?,
        state: due.state,
        version: due.version,
        next_fire_at: Some(due.next_fire_at),
        runs_started: due.runs_started,
        // A copy for filters of what the document says.
        labels: serde_json::Value::Null,
        created_at: row.try_get(3)?,
        updated_at: row.try_get(4)?,
        document: rows::text(row, 5)?,
    })
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
    (SELECT min(due_at) FROM runs WHERE due_at IS NOT NULL),
    (SELECT min(until) FROM leases)
)";

pub(super) async fn next_due(pool: &PgPool) -> sqlx::Result<Option<Instant>> {
    sqlx::query_scalar(NEXT_DUE).fetch_one(pool).await
}
