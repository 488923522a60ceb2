//! Changing jobs: each change is read, made and written again while the job fires in between.

use domain::job::{Changed, Surroundings};
use domain::{Instant, Job, JobDraft, parse};
use serde_json::Value;

use super::{MAX_RACES, Result, Scheduler, check_version, identity, lost_race, name_taken, readable};
use crate::error::{SchedulerError, StoreError};
use crate::ports::{Expected, InvalidJob, StoredJob};
use crate::query::JobKey;

/// A change of a job.
pub(super) enum Edit<'a> {
    /// Another draft in place of the one there is, also where that cannot be read.
    Replace(&'a JobDraft),
    /// A JSON merge patch of the draft.
    Patch(&'a Value),
    /// Stops it, for a reason, until an instant.
    Pause(Option<&'a str>, Option<Instant>),
    /// Lets it go on.
    Resume,
    /// Its calendars as they are now.
    Calendars,
}

impl Scheduler {
    /// Reads, changes and writes a job, again and again while it fires in between.
    pub(super) async fn change(
        &self,
        project: &str,
        key: &JobKey,
        expected: Option<u64>,
        edit: &Edit<'_>,
    ) -> Result<StoredJob> {
        for _ in 0..MAX_RACES {
            let stored = self.job(project, key).await?;
            check_version(expected, identity(&stored).1)?;
            let Changed { job, closing } = self.changed(project, &stored, edit).await?;
            let (read, unchanged) = match &stored.job {
                Ok(before) => (
                    Expected { version: before.version, next_fire_at: before.next_fire_at },
                    before.version == job.version,
                ),
                Err(broken) => {
                    (Expected { version: broken.version, next_fire_at: broken.next_fire_at }, false)
                }
            };
            if unchanged {
                return Ok(stored);
            }
            let replaced = self.store.replace_job(&job, read, &closing).await;
            if replaced.map_err(|error| name_taken(error, &job))? {
                self.alarm.arm(job.id, job.next_fire_at).await;
                return Ok(StoredJob { job: Ok(job), last_run: stored.last_run });
            }
        }
        Err(lost_race("job"))
    }

    /// The job as it will be. Calendars are read after the job: whoever changes one later finds this job's write, or
    /// makes it fail.
    pub(super) async fn changed(
        &self,
        project: &str,
        stored: &StoredJob,
        edit: &Edit<'_>,
    ) -> Result<Changed> {
        match edit {
            Edit::Replace(draft) => self.redrafted(project, stored, (*draft).clone()).await,
            Edit::Patch(patch) => {
                let draft = patched(&readable(stored)?.draft, patch)?;
                self.redrafted(project, stored, draft).await
            }
            Edit::Pause(reason, until) => {
                let job = readable(stored)?.paused_until(reason.map(str::to_owned), *until, self.now());
                Ok(Changed { job, closing: Vec::new() })
            }
            Edit::Resume => Ok(readable(stored)?.resumed(self.now())),
            Edit::Calendars => {
                let job = readable(stored)?;
                let calendars = self.copies(project, &job.draft.calendars).await?;
                let changed = job.with_calendars(&calendars, self.now())?;
                Ok(changed.unwrap_or_else(|| Changed { job: job.clone(), closing: Vec::new() }))
            }
        }
    }

    async fn redrafted(&self, project: &str, stored: &StoredJob, draft: JobDraft) -> Result<Changed> {
        let calendars = self.copies(project, &draft.calendars).await?;
        let surroundings = Surroundings { zone: &self.zone, calendars: &calendars };
        match &stored.job {
            Ok(job) => Ok(job.edit(draft, surroundings, self.now())?),
            Err(broken) => repaired(broken, draft, surroundings, self.now()),
        }
    }
}

/// A job that cannot be read, started afresh under its old id.
fn repaired(
    broken: &InvalidJob,
    draft: JobDraft,
    surroundings: Surroundings<'_>,
    now: Instant,
) -> Result<Changed> {
    let job = Job::create(draft, &broken.project, broken.id, surroundings, now)?;
    let job = Job { version: broken.version + 1, created_at: broken.created_at, ..job };
    Ok(Changed { job: job.having_started(broken.runs_started), closing: Vec::new() })
}

fn patched(draft: &JobDraft, patch: &Value) -> Result<JobDraft> {
    let mut document = serde_json::to_value(draft)
        .map_err(|error| SchedulerError::Store(StoreError::Failed(error.into())))?;
    merge(&mut document, patch);
    Ok(parse::from_value(document)?)
}

/// JSON merge patch, RFC 7396: `null` removes, objects merge, everything else replaces.
///
/// A schedule or target of another `type` replaces the old one whole: fields of one type mean nothing in another.
fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    let other_type =
        patch.get("type").is_some_and(|kind| document.get("type").is_some_and(|old| old != kind));
    if !document.is_object() || other_type {
        *document = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = document else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    /// The table of RFC 7396, appendix A.
    #[test]
    fn merge_patch_follows_the_rfc() {
        let cases = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (mut document, patch, expected) in cases {
            merge(&mut document, &patch);
            assert_eq!(document, expected, "{patch}");
        }
    }

    #[test]
    fn another_type_of_schedule_replaces_the_old_one() {
        let mut job = json!({"schedule": {"type": "interval", "every": "5m", "anchor": null}});
        merge(&mut job, &json!({"schedule": {"type": "cron", "expression": "@daily"}}));
        assert_eq!(job, json!({"schedule": {"type": "cron", "expression": "@daily"}}));
    }
}
