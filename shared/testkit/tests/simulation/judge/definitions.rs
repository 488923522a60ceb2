//! Changes of a job follow each other, none is lost, and only active jobs fire.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Firing, Instant, Job, JobId, Run};

use super::super::event::{Entry, Event};
use super::super::history::History;
use super::due::is_new_schedule;
use super::{Judgement, Violation};

/// A job at a point of the history.
struct Current {
    job: Arc<Job>,
    next_fire_at: Option<Instant>,
}

pub(super) fn check(history: &History) -> Judgement {
    let mut jobs: BTreeMap<JobId, Current> = BTreeMap::new();
    for entry in &history.entries {
        match &entry.event {
            Event::JobInserted(job) => {
                jobs.insert(job.id, Current { job: job.clone(), next_fire_at: job.next_fire_at });
            }
            Event::JobReplaced(job, closing) => {
                let before =
                    jobs.insert(job.id, Current { job: job.clone(), next_fire_at: job.next_fire_at });
                replaced(before, job, closing).map_err(|what| broken(entry, job.id, what))?;
            }
            Event::JobDeleted(job) => drop(jobs.remove(job)),
            Event::Fired { firing, .. } => {
                fired(jobs.get_mut(&firing.job_id), firing)
                    .map_err(|what| broken(entry, firing.job_id, what))?;
            }
            _ => {}
        }
    }
    kept(history, &jobs)
}

fn broken(entry: &Entry, job: JobId, what: String) -> Violation {
    Violation::new("changes follow each other", what).at(entry.at).of_job(job)
}

fn replaced(before: Option<Current>, job: &Job, closing: &[Run]) -> Result<(), String> {
    let Some(before) = before else { return Err("a job was changed that there is not".to_owned()) };
    if job.version != before.job.version + 1 {
        return Err(format!("version {} follows {}", job.version, before.job.version));
    }
    if is_new_schedule(&before.job, job) {
        return Ok(());
    }
    // The same occurrence is next, also where it is due at another time by a new jitter.
    let waits_for = |job: &Job, next: Option<Instant>| {
        let next = job.pause.as_ref().map_or(next, |pause| pause.since);
        next.map(|next| job.plan.due_for(next))
    };
    let (was, is) = (waits_for(&before.job, before.next_fire_at), waits_for(job, job.next_fire_at));
    // A job that is about to be deleted leaves records of what it owed: whether they are right, the ledger tells.
    let closed = was < is && !closing.is_empty();
    if was == is || closed { Ok(()) } else { Err(format!("its next occurrence was {was:?} and is {is:?}")) }
}

fn fired(current: Option<&mut Current>, firing: &Firing) -> Result<(), String> {
    let Some(current) = current else { return Err("a deleted job fires".to_owned()) };
    if let Some(pause) = &current.job.pause {
        if pause.until.is_none() || pause.until != current.next_fire_at {
            return Err("a paused job fires".to_owned());
        }
        // This is how a pause ends by itself.
        current.job = Arc::new(Job { pause: None, ..Job::clone(&current.job) });
    }
    let forward = match (current.next_fire_at, firing.next_fire_at) {
        (Some(was), Some(is)) => was < is || (was == is && firing.runs.is_empty()),
        (Some(_), None) => true,
        (None, _) => false,
    };
    if !forward {
        let (was, is) = (current.next_fire_at, firing.next_fire_at);
        return Err(format!("its next occurrence was {was:?} and is {is:?}"));
    }
    current.next_fire_at = firing.next_fire_at;
    Ok(())
}

/// The last change of each job is what the store holds in the end.
fn kept(history: &History, jobs: &BTreeMap<JobId, Current>) -> Judgement {
    let broken = |job, what: &str| Err(Violation::new("what is written is kept", what).of_job(job));
    for (id, Current { job, next_fire_at }) in jobs {
        let Some(stored) = history.jobs.get(id) else { return broken(*id, "the job is gone") };
        if (&stored.draft, &stored.pause, stored.version) != (&job.draft, &job.pause, job.version) {
            return broken(*id, "the job is not as it was changed last");
        }
        if stored.next_fire_at != *next_fire_at {
            return broken(*id, "the job's next occurrence is not the one it was given last");
        }
    }
    match history.jobs.keys().find(|id| !jobs.contains_key(id)) {
        Some(id) => broken(*id, "the job was deleted and is there still"),
        None => Ok(()),
    }
}
