//! What is noticed late runs or does not, as the job's misfire policy says.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::{Firing, HumanDuration, Instant, Job, JobId, MisfirePolicy, Reason, Run, RunStatus};

use super::super::event::Event;
use super::super::history::History;
use super::{Judgement, Violation};

pub(super) fn check(history: &History) -> Judgement {
    let mut jobs: BTreeMap<JobId, &Arc<Job>> = BTreeMap::new();
    for entry in &history.entries {
        match &entry.event {
            Event::JobInserted(job) | Event::JobReplaced(job, _) => drop(jobs.insert(job.id, job)),
            Event::Fired { now, firing } => {
                let broken = |what: String| {
                    Violation::new("late occurrences follow the policy", what)
                        .at(entry.at)
                        .of_job(firing.job_id)
                };
                if entry.at < *now {
                    return Err(broken(format!("it fires at {now}, which is yet to come")));
                }
                if let Some(job) = jobs.get(&firing.job_id) {
                    judge(job, *now, firing).map_err(broken)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn judge(job: &Job, now: Instant, firing: &Firing) -> Result<(), String> {
    let misfire = &job.draft.misfire;
    let (tolerance, window) = (misfire.tolerance.to_delta(), misfire.window.to_delta());
    // Only of what is executed it is recorded when it was due, and not just its nominal time.
    let exact = job.draft.jitter == HumanDuration::ZERO;
    let mut late_runs = 0;
    // What calendars leave out may be recorded long before.
    for run in firing.runs.iter().filter(|run| run.reason != Some(Reason::Calendar)) {
        let lateness = now - run.due_for();
        let at = run.scheduled_for;
        if lateness < TimeDelta::zero() {
            return Err(format!("{at} fires {}s early", -lateness.as_seconds_f64()));
        }
        let executed = matches!(run.status, RunStatus::Pending | RunStatus::Running);
        if executed || (exact && run.reason == Some(Reason::Overlap)) {
            if lateness > window {
                return Err(format!("{at} runs although it was noticed after its window"));
            }
            if lateness > tolerance {
                late_runs += 1;
            }
        }
        if exact && run.status == RunStatus::Missed {
            missed(run, now, tolerance, window, job.pause.as_ref().and_then(|pause| pause.until))?;
        }
    }
    let most = match misfire.policy {
        MisfirePolicy::Skip => 0,
        MisfirePolicy::Latest => 1,
        MisfirePolicy::All => misfire.max,
    };
    if late_runs > most {
        return Err(format!("{late_runs} late occurrences run, where {most} may"));
    }
    Ok(())
}

fn missed(
    run: &Run,
    now: Instant,
    tolerance: TimeDelta,
    window: TimeDelta,
    paused_until: Option<Instant>,
) -> Result<(), String> {
    let (first, last) = (run.scheduled_for, run.scheduled_until.unwrap_or(run.scheduled_for));
    let right = match run.reason {
        Some(Reason::Window) => now - last > window,
        // The pause ends with this firing.
        Some(Reason::Paused) => paused_until.is_some_and(|until| last <= until),
        Some(Reason::Downtime) => now - last > tolerance && now - first <= window,
        _ => false,
    };
    if right { Ok(()) } else { Err(format!("{first} to {last} are missed for {:?}, at {now}", run.reason)) }
}
