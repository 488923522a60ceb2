//! Runs in work: leased, kept, settled. Only the holder of the newest token writes.
//!
//! Rows are matched by `id = ANY (ARRAY[key])`, which means `id = key` and can be carried out in one way only: by
//! looking up each key. Given plain equality the planner walks all runs instead where it believes that there
//! are few, and keeps such a plan. For the same reason no condition here may be that of a partial index.

use std::collections::{HashMap, HashSet};

use domain::run::Lease;
use domain::{Instant, JobId, RunId, RunStatus};
use engine::record::{RunRecord, numbered};
use engine::{Deed, LeasedRun, Renewal, Settled};
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

use super::firing::load_definitions;
use super::leases::{self, Leases};
use super::rows;
use crate::definitions::Definitions;

/// The job's version comes along to find its definition in the cache; a deleted job has none.
pub(super) const LEASE: &str = concat!(
    "-- lease_runs
WITH due AS MATERIALIZED (
    SELECT id, status, due_at FROM runs
    WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), leased AS (
    UPDATE runs AS r SET token = r.token + 1, status = $3, due_at = $4, worker = $5
    FROM due WHERE r.id = ANY (ARRAY[due.id])
    RETURNING ",
    run_columns!(),
    ", due.status AS was, due.due_at AS was_due_at,
        (SELECT s.version FROM job_state AS s WHERE s.job_id = r.job_id) AS version
), told AS (
    ",
    tell_of_runs!("$6", "leased"),
    "
)
SELECT * FROM leased ORDER BY was_due_at, id"
);

pub(super) async fn lease(
    pool: &PgPool,
    definitions: &Definitions,
    now: Instant,
    lease: &Lease,
    limit: u32,
) -> sqlx::Result<Vec<LeasedRun>> {
    let mut connection = pool.acquire().await?;
    leases::dissolve(&mut connection, now, limit).await?;
    let rows = sqlx::query(LEASE)
        .bind(now)
        .bind(i64::from(limit))
        .bind(RunStatus::Running as i16)
        .bind(lease.until)
        .bind(&lease.worker)
        .bind(Deed::Lease as i16)
        .fetch_all(&mut *connection)
        .await?;
    let leased = rows.iter().map(leased_run).collect::<sqlx::Result<Vec<_>>>()?;
    let versions: HashMap<Uuid, i64> =
        leased.iter().filter_map(|(leased, version)| Some((leased.run.job_id.0, (*version)?))).collect();
    let jobs = load_definitions(&mut connection, definitions, versions).await?;
    let with_job = |(leased, _): (LeasedRun, _)| {
        let JobId(id) = leased.run.job_id;
        LeasedRun { job: jobs.get(&id).cloned(), ..leased }
    };
    Ok(leased.into_iter().map(with_job).collect())
}

/// A leased run, its job still to be found by version.
fn leased_run(row: &PgRow) -> sqlx::Result<(LeasedRun, Option<i64>)> {
    let run = rows::run(row)?;
    let was = numbered(&RunStatus::ALL, row.try_get("was")?).unwrap_or(run.status);
    Ok((LeasedRun { run, was, job: None }, row.try_get("version")?))
}

/// Whatever its lease was, from now on each run has one of its own, and none that ends sooner.
pub(super) const RENEW: &str = concat!(
    "-- renew
WITH ended AS (",
    end_leases!("$5"),
    ")
UPDATE runs AS r
SET due_at = greatest(coalesce(r.due_at, (SELECT l.until FROM leases AS l WHERE l.id = r.lease)), $3)
FROM unnest($1::uuid[], $2::bigint[]) AS h (id, token)
WHERE r.id = ANY (ARRAY[h.id]) AND r.token = h.token AND r.status = $4
RETURNING r.id, r.token, r.cancel_requested"
);

pub(super) async fn renew(
    pool: &PgPool,
    leases: &Leases,
    held: &[(RunId, u64)],
    until: Instant,
) -> sqlx::Result<Vec<Renewal>> {
    let mut sorted: Vec<(Uuid, i64)> = held.iter().map(|(id, token)| (id.0, to_i64(*token))).collect();
    // All statements take the locks of several runs in the order of ids, so none waits for another in a circle.
    sorted.sort_unstable();
    let (ids, tokens): (Vec<Uuid>, Vec<i64>) = sorted.into_iter().unzip();
    let ended = leases.ended_with(held);
    let kept: Vec<(Uuid, i64, bool)> = sqlx::query_as(RENEW)
        .bind(ids)
        .bind(tokens)
        .bind(until)
        .bind(RunStatus::Running as i16)
        .bind(&ended)
        .fetch_all(pool)
        .await?;
    leases.remove(held, &ended);
    let kept: HashMap<_, _> = kept.into_iter().map(|(id, token, cancel)| ((id, token), cancel)).collect();
    let answer = |(id, token): &(RunId, u64)| match kept.get(&(id.0, to_i64(*token))) {
        Some(true) => Renewal::CancelRequested,
        Some(false) => Renewal::Kept,
        None => Renewal::Lost,
    };
    Ok(held.iter().map(answer).collect())
}

/// What settling may change, and nothing else: not whether somebody asked to cancel, which may have happened since
/// the run was read, nor the token, which only leases change.
pub(super) const COMMIT: &str = concat!(
    "-- commit_settled
WITH ended AS (",
    end_leases!("$8"),
    "), written AS (
UPDATE runs AS r
SET status = n.status, due_at = n.due_at, worker = n.worker, finished_at = n.finished_at, document = n.document::json
FROM unnest(
    $1::uuid[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::text[], $6::timestamptz[], $7::text[]
) AS n (id, token, status, due_at, worker, finished_at, document)
WHERE r.id = ANY (ARRAY[n.id]) AND r.token = n.token AND coalesce(r.finished_at, 'infinity') = 'infinity'
RETURNING r.id, r.token, r.project, r.job_id, r.status
), told AS (
    ",
    tell_of_runs!("$9", "written"),
    "
)
SELECT array_agg(id), array_agg(token) FROM written"
);

/// Of two outcomes of one lease the first is written, and the second is late by definition.
pub(super) async fn commit(pool: &PgPool, leases: &Leases, settled: &[Settled]) -> sqlx::Result<Vec<bool>> {
    let left: Vec<_> = settled.iter().map(|settled| (settled.run.id, settled.token)).collect();
    let mut order: Vec<usize> = (0..settled.len()).collect();
    let key = |index: usize| (settled[index].run.id, to_i64(settled[index].token));
    order.sort_by_key(|index| key(*index));
    order.dedup_by_key(|index| key(*index));
    let mut new = Arrays::default();
    for index in &order {
        new.push(&settled[*index]);
    }
    let query = sqlx::query(COMMIT).bind(new.ids).bind(new.tokens).bind(new.statuses).bind(new.due_at);
    let query = query.bind(new.workers).bind(new.finished_at).bind(new.documents);
    let ended = leases.ended_with(&left);
    let row = query.bind(&ended).bind(Deed::Settle as i16).fetch_one(pool).await?;
    leases.remove(&left, &ended);
    let ids = row.try_get::<Option<Vec<Uuid>>, _>(0)?.unwrap_or_default();
    let tokens = row.try_get::<Option<Vec<i64>>, _>(1)?.unwrap_or_default();
    let written: HashSet<(RunId, i64)> = ids.into_iter().map(RunId).zip(tokens).collect();
    let mut answers = vec![false; settled.len()];
    for index in order {
        answers[index] = written.contains(&key(index));
    }
    Ok(answers)
}

/// Settled runs as one array for each column.
#[derive(Default)]
struct Arrays {
    ids: Vec<Uuid>,
    tokens: Vec<i64>,
    statuses: Vec<i16>,
    due_at: Vec<Option<Instant>>,
    workers: Vec<Option<String>>,
    finished_at: Vec<Option<Instant>>,
    documents: Vec<String>,
}

impl Arrays {
    fn push(&mut self, settled: &Settled) {
        let record = RunRecord::from(&settled.run);
        self.ids.push(record.id);
        self.tokens.push(to_i64(settled.token));
        self.statuses.push(record.status);
        self.due_at.push(record.due_at);
        self.workers.push(record.worker);
        self.finished_at.push(record.finished_at);
        self.documents.push(record.document);
    }
}

fn to_i64(token: u64) -> i64 {
    i64::try_from(token).unwrap_or(i64::MAX)
}
