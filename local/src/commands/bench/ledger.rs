//! Holds the records against what was due: every occurrence exactly once.

use std::collections::HashSet;

use domain::run::AttemptOutcome;
use domain::{Instant, JobId, Run, RunId, RunStatus};
use engine::{RunQuery, Store};
use serde::Serialize;

use super::load::PROJECT;

/// Every occurrence that must be recorded.
pub(super) type Expected = HashSet<(JobId, Instant)>;

/// What the records say.
#[derive(Debug, Default, Serialize)]
pub(super) struct Records {
    /// Occurrences that were due.
    pub(super) expected: usize,
    /// Of these, carried out once and recorded so.
    pub(super) executed: usize,
    /// Recorded, but not as carried out with success.
    pub(super) not_executed: usize,
    /// Without any record.
    pub(super) missing: usize,
    /// Recorded or carried out a second time, or never due.
    pub(super) doubled: usize,
    /// Started before their time.
    pub(super) early: usize,
}

impl Records {
    pub(super) fn is_sound(&self) -> bool {
        self.executed == self.expected && self.doubled == 0 && self.early == 0
    }
}

/// Reads every record due in `[from, until)`; tells `each` of those carried out.
pub(super) async fn check(
    store: &dyn Store,
    from: Instant,
    until: Option<Instant>,
    mut expected: Expected,
    mut each: impl FnMut(&Run),
) -> anyhow::Result<Records> {
    let mut records = Records { expected: expected.len(), ..Records::default() };
    let mut query = RunQuery {
        project: PROJECT.to_owned(),
        job: None,
        statuses: Vec::new(),
        kinds: Vec::new(),
        from: None,
        until: None,
        ascending: true,
        after: Some(just_before(from)),
        limit: 5_000,
    };
    loop {
        let page = store.runs(&query).await?;
        for run in &page.items {
            if until.is_some_and(|until| until <= run.scheduled_for) {
                continue;
            }
            if !expected.remove(&(run.job_id, run.scheduled_for)) {
                records.doubled += 1;
                continue;
            }
            let successes =
                run.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Succeeded).count();
            match (run.status, successes) {
                (RunStatus::Succeeded, 1) => records.executed += 1,
                (_, 0) => records.not_executed += 1,
                _ => records.doubled += 1,
            }
            if run.started_at.is_some_and(|started| started < run.scheduled_for) {
                records.early += 1;
            }
            if run.started_at.is_some() {
                each(run);
            }
            // One record may stand for several occurrences that did not run.
            if let Some(last) = run.scheduled_until {
                let covered: Vec<_> = expected
                    .iter()
                    .filter(|(job, at)| *job == run.job_id && run.scheduled_for < *at && *at <= last)
                    .copied()
                    .collect();
                records.not_executed += covered.len();
                for occurrence in covered {
                    expected.remove(&occurrence);
                }
            }
        }
        let past = |run: &Run| until.is_some_and(|until| until <= run.scheduled_for);
        match page.items.last().filter(|last| page.has_more && !past(last)) {
            Some(last) => query.after = Some(last.id),
            None => break,
        }
    }
    records.missing = expected.len();
    Ok(records)
}

/// An id before those of all runs of that nominal time: ids begin with it.
fn just_before(at: Instant) -> RunId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&at.timestamp_millis().to_be_bytes()[2..]);
    RunId(uuid::Uuid::from_bytes(bytes))
}
