//! The jobs of a bench: made by the rules of the service, stored in bulk.

use chrono::TimeDelta;
use domain::time::Zone;
use domain::{Instant, Job, JobDraft, JobId};
use engine::Entropy;
use engine::record::JobRecord;
use serde_json::{Value, json};

use super::progress;
use super::scratch::Scratch;
use crate::system::OsEntropy;

pub(super) const PROJECT: &str = "default";
const CHUNK: usize = 5_000;

pub(super) fn noop() -> Value {
    json!({"type": "noop"})
}

/// Stores `count` jobs, each as `describe` says: its schedule and its target. Returns their ids.
pub(super) async fn jobs(
    scratch: &Scratch,
    count: usize,
    now: Instant,
    describe: impl Fn(usize) -> (Value, Value),
) -> anyhow::Result<Vec<JobId>> {
    let zone = Zone::default();
    let mut ids = Vec::with_capacity(count);
    let mut records = Vec::with_capacity(CHUNK);
    for index in 0..count {
        let (schedule, target) = describe(index);
        let draft = json!({"name": format!("job-{index}"), "schedule": schedule, "target": target});
        let draft: JobDraft = serde_json::from_value(draft)?;
        // As if created one after the other: ids of jobs sort by creation, and indexes are filled in that order.
        let age = TimeDelta::milliseconds(i64::try_from(count - index)?);
        let id = JobId::new(now - age, OsEntropy.random());
        let job = Job::create(draft, PROJECT, id, &zone, now)?;
        ids.push(job.id);
        records.push(JobRecord::from(&job));
        if records.len() == CHUNK || index + 1 == count {
            scratch.insert(std::mem::take(&mut records)).await?;
            if (index + 1) % 100_000 == 0 {
                progress(format_args!("{} of {count} jobs stored", index + 1));
            }
        }
    }
    scratch.tidy().await?;
    Ok(ids)
}

/// `every` seconds, on a grid through `anchor`.
pub(super) fn interval(every: u32, anchor: Instant) -> Value {
    json!({"type": "interval", "every": format!("{every}s"), "anchor": anchor})
}

pub(super) fn once(at: Instant) -> Value {
    json!({"type": "date", "at": at})
}

pub(super) fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(seconds.into())
}
