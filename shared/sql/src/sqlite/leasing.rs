//! Runs in work: leased, kept, settled. Only the holder of the newest token writes.

use std::collections::{HashMap, HashSet};

use domain::run::Lease;
use domain::{Instant, JobId, RunId, RunStatus};
use engine::record::{RunRecord, numbered};
use engine::{Deed, Entry, LeasedRun, Renewal, Settled};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use uuid::Uuid;

use super::firing::load_definitions;
use super::{SqliteStore, batch, events, rows};

pub(super) const CLAIM: &str = "-- claim_runs
SELECT id, status FROM runs INDEXED BY runs_due_idx WHERE due_at <= $1 ORDER BY due_at LIMIT $2";

/// The job's version comes along to find its definition in the cache; a deleted job has none.
pub(super) const LEASE: &str = concat!(
    "-- lease_runs
UPDATE runs SET token = token + 1, status = $2, due_at = $3, worker = $4
WHERE id IN (SELECT unhex(value) FROM json_each($1))
RETURNING ",
    bare_run_columns!(),
    ", (SELECT s.version FROM job_state AS s WHERE s.job_id = runs.job_id) AS version"
);

pub(super) async fn lease(
    store: &SqliteStore,
    now: Instant,
    lease: &Lease,
    limit: u32,
) -> sqlx::Result<Vec<LeasedRun>> {
    let mut tx = store.begin().await?;
    let due: Vec<(Uuid, i16)> =
        sqlx::query_as(CLAIM).bind(now.timestamp_millis()).bind(i64::from(limit)).fetch_all(&mut *tx).await?;
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let rows = sqlx::query(LEASE)
        .bind(batch::ids(due.iter().map(|(id, _)| *id)))
        .bind(RunStatus::Running as i16)
        .bind(lease.until.timestamp_millis())
        .bind(&lease.worker)
        .fetch_all(&mut *tx)
        .await?;
    let was: HashMap<Uuid, (usize, i16)> =
        due.into_iter().enumerate().map(|(place, (id, status))| (id, (place, status))).collect();
    let mut leased = rows.iter().map(|row| leased_run(row, &was)).collect::<sqlx::Result<Vec<_>>>()?;
    leased.sort_by_key(|(_, leased)| was.get(&leased.run.id.0).map(|(place, _)| *place));
    let versions: HashMap<Uuid, i64> =
        leased.iter().filter_map(|(version, leased)| Some((leased.run.job_id.0, (*version)?))).collect();
    let jobs = load_definitions(&mut tx, &store.definitions, versions).await?;
    let told = leased.iter().map(|(_, leased)| Entry::from(&leased.run)).collect();
    events::tell(&mut tx, Deed::Lease, told).await?;
    store.commit(tx).await?;
    let with_job = |(_, leased): (_, LeasedRun)| {
        let JobId(id) = leased.run.job_id;
        LeasedRun { job: jobs.get(&id).cloned(), ..leased }
    };
    Ok(leased.into_iter().map(with_job).collect())
}

/// A leased run, its job still to be found by version.
fn leased_run(row: &SqliteRow, was: &HashMap<Uuid, (usize, i16)>) -> sqlx::Result<(Option<i64>, LeasedRun)> {
    let run = rows::run(row)?;
    let was =
        was.get(&run.id.0).and_then(|(_, status)| numbered(&RunStatus::ALL, *status)).unwrap_or(run.status);
    Ok((row.try_get("version")?, LeasedRun { run, was, job: None }))
}

pub(super) const RENEW: &str = "-- renew
UPDATE runs AS r SET due_at = max(r.due_at, $2)
FROM json_each($1) AS h
WHERE r.id = unhex(h.value ->> 0) AND r.token = h.value ->> 1 AND r.status = $3
RETURNING id, token, cancel_requested";

pub(super) async fn renew(
    pool: &SqlitePool,
    held: &[(RunId, u64)],
    until: Instant,
) -> sqlx::Result<Vec<Renewal>> {
    let rows = held.iter().map(|(id, token)| (batch::Id(id.0), to_i64(*token)));
    let rows = batch::rows(rows);
    let kept: Vec<(Uuid, i64, bool)> = sqlx::query_as(RENEW)
        .bind(rows)
        .bind(until.timestamp_millis())
        .bind(RunStatus::Running as i16)
        .fetch_all(pool)
        .await?;
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
pub(super) const COMMIT: &str = "-- commit_settled
UPDATE runs AS r
SET status = n.value ->> 2, due_at = n.value ->> 3, worker = n.value ->> 4, finished_at = n.value ->> 5,
    document = n.value ->> 6
FROM json_each($1) AS n
WHERE r.id = unhex(n.value ->> 0) AND r.token = n.value ->> 1 AND r.finished_at IS NULL
RETURNING id, token";

/// Of two outcomes of one lease the first is written, and the second is late by definition.
pub(super) async fn commit(store: &SqliteStore, settled: &[Settled]) -> sqlx::Result<Vec<bool>> {
    let mut seen = HashSet::with_capacity(settled.len());
    let first: Vec<bool> = settled.iter().map(|it| seen.insert((it.run.id, it.token))).collect();
    let new = settled.iter().zip(&first).filter(|(_, first)| **first).map(|(settled, _)| values(settled));
    let new = batch::rows(new);
    let mut written = HashSet::with_capacity(settled.len());
    let mut tx = store.begin().await?;
    for row in sqlx::query(COMMIT).bind(new).fetch_all(&mut *tx).await? {
        written.insert((RunId(row.try_get(0)?), row.try_get::<i64, _>(1)?));
    }
    let is_written =
        |(it, first): (&Settled, bool)| first && written.contains(&(it.run.id, to_i64(it.token)));
    let answers: Vec<bool> = settled.iter().zip(first).map(is_written).collect();
    let told = settled.iter().zip(&answers).filter(|(_, written)| **written);
    let told = told.map(|(it, _)| Entry::from(&it.run)).collect();
    events::tell(&mut tx, Deed::Settle, told).await?;
    store.commit(tx).await?;
    Ok(answers)
}

fn values(settled: &Settled) -> impl Serialize {
    let record = RunRecord::from(&settled.run);
    (
        batch::Id(record.id),
        to_i64(settled.token),
        record.status,
        batch::instant(record.due_at),
        record.worker,
        batch::instant(record.finished_at),
        record.document,
    )
}

fn to_i64(token: u64) -> i64 {
    i64::try_from(token).unwrap_or(i64::MAX)
}
