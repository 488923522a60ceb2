//! Runs of a job overlap only where it allows them to, and are skipped, or wait, only for a reason.

use std::collections::{BTreeMap, BTreeSet};

use domain::{JobId, Overlap, Reason, Run, RunId, RunKind, RunStatus};

use super::super::event::{Entry, Event};
use super::super::history::History;
use super::replay::Replay;
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
            Event::Called { run, .. } if self.in_turn.get(run) == Some(&true) => {
                let job = self.runs.get(*run).map(|known| known.job);
                let earlier = self.runs.iter().find(|(id, known)| {
                    *id < run
                        && Some(known.job) == job
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
