//! Runs of a job overlap only where it allows them to, and are skipped, or wait, only for a reason.

use std::collections::{BTreeMap, BTreeSet};

use domain::{JobId, Overlap, Reason, Run, RunId, RunKind, RunStatus};

use super::super::event::{Entry, Event};
use super::super::history::History;
use super::replay::{Known, Replay};
use super::{Judgement, Violation};

pub(super) fn check(history: &History) -> Judgement {
    let mut seen = Seen::default();
    for entry in &history.entries {
        seen.judge(entry).map_err(|(run, what)| {
            Violation::new("runs overlap only where they may", what).at(entry.at).of_run(run)
        })?;
        seen.runs.pass(entry);
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    runs: Replay,
    rules: BTreeMap<JobId, Overlap>,
    /// Runs that wait for their turn, if the definition of their job that they were leased with says so.
    in_turn: BTreeMap<RunId, bool>,
    /// Under which token each run was called last.
    called: BTreeMap<RunId, u64>,
    /// How many runs of a job may be carried out at a time, at most; `None` where there was no limit once.
    limits: BTreeMap<JobId, Option<u32>>,
    /// Runs that may begin beside others of their job: somebody asked for them.
    asked_for: BTreeSet<RunId>,
}

/// How many runs of a job may be unfinished when one more is to run.
fn room(overlap: Overlap) -> usize {
    match overlap {
        Overlap::Skip => 1,
        Overlap::BufferOne => 2,
        Overlap::BufferAll => 1_001,
        Overlap::CancelOther | Overlap::AllowAll => usize::MAX,
    }
}

impl Seen {
    fn judge(&mut self, entry: &Entry) -> Result<(), (RunId, String)> {
        match &entry.event {
            Event::JobInserted(job) | Event::JobReplaced(job, _) => {
                self.rules.insert(job.id, job.draft.overlap);
                let limit = self.limits.entry(job.id).or_insert(job.draft.concurrency);
                *limit = (*limit).zip(job.draft.concurrency).map(|(one, other)| one.max(other));
            }
            Event::Fired { firing, .. } => {
                let mut active = self.runs.active(firing.job_id);
                let overlap = self.rules.get(&firing.job_id).copied().unwrap_or_default();
                for run in &firing.runs {
                    fires(run, overlap, &mut active).map_err(|what| (run.id, what))?;
                    self.leased(run);
                }
            }
            Event::RunInserted(run) | Event::Reopened(run) => drop(self.asked_for.insert(run.id)),
            Event::Leased { run, .. } => self.leased(run),
            Event::Called { run, .. } => {
                let Some(known) = self.runs.get(*run) else { return Ok(()) };
                let Known { job, token, .. } = known;
                // Who was stopped for long may call under a lease that another has by now.
                if known.worker != Some(entry.by.to_string()) {
                    return Ok(());
                }
                self.called.insert(*run, *token);
                self.keeps_limit(*job).map_err(|what| (*run, what))?;
                if self.in_turn.get(run) != Some(&true) {
                    return Ok(());
                }
                let earlier = self.runs.iter().find(|(id, known)| {
                    *id < run
                        && known.job == *job
                        && !known.status.is_finished()
                        && !self.asked_for.contains(id)
                });
                if let Some((earlier, _)) = earlier {
                    return Err((*run, format!("it begins before its turn: {earlier} is not finished")));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts the runs of a job that were called under the lease that they have now.
    fn keeps_limit(&self, job: JobId) -> Result<(), String> {
        let Some(Some(limit)) = self.limits.get(&job) else { return Ok(()) };
        let holds = |(id, known): &(&RunId, &Known)| {
            known.job == job
                && known.status == RunStatus::Running
                && self.called.get(id) == Some(&known.token)
        };
        let count = self.runs.iter().filter(holds).count();
        if count > *limit as usize {
            Err(format!("{count} runs at a time, where {limit} may be"))
        } else {
            Ok(())
        }
    }

    fn leased(&mut self, run: &Run) {
        let overlap = self.rules.get(&run.job_id).copied().unwrap_or_default();
        let sequential = matches!(overlap, Overlap::BufferOne | Overlap::BufferAll | Overlap::CancelOther);
        self.in_turn.insert(run.id, sequential && run.kind == RunKind::Schedule);
    }
}

/// A run comes of a firing while `active` others of its job are not finished.
fn fires(run: &Run, overlap: Overlap, active: &mut usize) -> Result<(), String> {
    match (run.status, run.reason) {
        (RunStatus::Pending | RunStatus::Running, _) => {
            if room(overlap) <= *active {
                return Err(format!("it fires beside {active} unfinished runs"));
            }
            *active += 1;
        }
        (RunStatus::Skipped, Some(Reason::Overlap | Reason::BufferFull)) => {
            let reason = if overlap == Overlap::Skip { Reason::Overlap } else { Reason::BufferFull };
            if *active < room(overlap) || run.reason != Some(reason) {
                return Err(format!("it is skipped for {:?} beside {active} unfinished runs", run.reason));
            }
        }
        _ => {}
    }
    Ok(())
}
