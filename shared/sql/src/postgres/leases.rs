//! Leases that many runs have in common: those that were leased as they were fired.
//!
//! An attempt is short, as a rule. Were each run entered into the indexes of unfinished runs for these moments, ending
//! it would write all of its indexes anew. So the runs of a firing have one row in `leases` instead, and a run's
//! completion leaves every index alone. A run that goes on for long gets a lease of its own when it is renewed, and so do
//! those of a lease that ran out, to be taken over like any other.
//!
//! When the last run has left a lease, it is deleted in the statement that writes its outcome. Which one that is, the
//! process that fired them knows by heart. Should it forget, by ending, the lease runs out, and no harm is done.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use domain::{Instant, RunId};
use sqlx::PgConnection;

/// For how long a lease that has run out is kept in mind: its runs may be at work still, and the last to end deletes
/// it, unless somebody has taken them over. Only what never ends is forgotten so.
const KEPT_IN_MIND: TimeDelta = TimeDelta::days(7);

/// Deletes leases by id, as a part of other statements. One that somebody is dissolving is left to him: he may wait for
/// runs that the statement has written.
macro_rules! end_leases {
    ($ids:literal) => {
        concat!(
            "DELETE FROM leases WHERE id = ANY (ARRAY(SELECT id FROM leases WHERE id = ANY (",
            $ids,
            "::bigint[]) FOR UPDATE SKIP LOCKED))"
        )
    };
}

/// Gives every run that is still kept by a lease that has run out one of its own, which has run out, too.
pub(super) const DISSOLVE: &str = "-- dissolve_leases
WITH gone AS (
    DELETE FROM leases WHERE id = ANY (ARRAY(
        SELECT id FROM leases WHERE until <= $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED
    )) RETURNING id, until, run_ids
), kept AS MATERIALIZED (
    SELECT gone.id AS lease, gone.until, k.run_id FROM gone, unnest(gone.run_ids) AS k (run_id) ORDER BY k.run_id
)
UPDATE runs AS r SET due_at = kept.until FROM kept
WHERE r.id = ANY (ARRAY[kept.run_id]) AND r.lease = kept.lease
    AND coalesce(r.due_at, r.finished_at, 'infinity') = 'infinity'";

/// Dissolves as many leases as may be needed to find `limit` runs.
pub(super) async fn dissolve(connection: &mut PgConnection, now: Instant, limit: u32) -> sqlx::Result<()> {
    sqlx::query(DISSOLVE).bind(now).bind(i64::from(limit)).execute(connection).await.map(drop)
}

/// A new lease and its runs, each with its token.
pub(super) struct CommonLease {
    pub(super) id: i64,
    pub(super) until: Instant,
    pub(super) runs: Vec<(RunId, u64)>,
}

/// Deletes those of `new` that no run came into: all that they were given for existed already. Rare.
pub(super) async fn end_empty(connection: &mut PgConnection, new: &mut Vec<CommonLease>) -> sqlx::Result<()> {
    let empty: Vec<i64> = new.extract_if(.., |lease| lease.runs.is_empty()).map(|lease| lease.id).collect();
    if !empty.is_empty() {
        sqlx::query("-- end_empty_leases\nDELETE FROM leases WHERE id = ANY ($1)")
            .bind(empty)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// The leases this process has given, and who is still in them.
#[derive(Default)]
pub(super) struct Leases(Mutex<State>);

#[derive(Default)]
struct State {
    /// The lease of each run, under the token it was given with: only a write with that token ends it.
    of: HashMap<(RunId, u64), i64>,
    leases: HashMap<i64, Left>,
    /// Left by everybody, but not deleted yet.
    empty: Vec<i64>,
}

struct Left {
    until: Instant,
    runs: usize,
}

impl Leases {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers new leases, and forgets those that have run out long before `now`.
    pub(super) fn add(&self, new: Vec<CommonLease>, now: Instant) {
        let mut state = self.lock();
        let before = state.leases.len();
        state.leases.retain(|_, left| now < left.until + KEPT_IN_MIND);
        if state.leases.len() < before {
            let State { of, leases, .. } = &mut *state;
            of.retain(|_, lease| leases.contains_key(lease));
        }
        for CommonLease { id, until, runs } in new {
            state.leases.insert(id, Left { until, runs: runs.len() });
            state.of.extend(runs.into_iter().map(|run| (run, id)));
        }
    }

    /// The leases that nobody is left in once these runs have ended or got leases of their own.
    pub(super) fn ended_with(&self, leaving: &[(RunId, u64)]) -> Vec<i64> {
        let state = self.lock();
        let mut going: HashMap<i64, usize> = HashMap::new();
        let distinct: HashSet<_> = leaving.iter().collect();
        for lease in distinct.into_iter().filter_map(|run| state.of.get(run)) {
            *going.entry(*lease).or_default() += 1;
        }
        let all =
            |(lease, going): &(i64, usize)| state.leases.get(lease).is_some_and(|left| left.runs == *going);
        let ended = going.into_iter().filter(all);
        ended.map(|(lease, _)| lease).chain(state.empty.iter().copied()).collect()
    }

    /// These runs have left their leases, and the leases that `ended` with that are deleted.
    pub(super) fn remove(&self, left: &[(RunId, u64)], ended: &[i64]) {
        let mut state = self.lock();
        state.empty.retain(|lease| !ended.contains(lease));
        for run in left {
            let Some(lease) = state.of.remove(run) else { continue };
            if let Some(left) = state.leases.get_mut(&lease) {
                left.runs -= 1;
                if left.runs == 0 {
                    state.leases.remove(&lease);
                    // Two statements at a time were each not the last.
                    if !ended.contains(&lease) {
                        state.empty.push(lease);
                    }
                }
            }
        }
    }
}
