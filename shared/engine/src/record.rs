//! The one mapping between jobs and runs and what stores keep of them: a few columns to find them by, and one
//! versioned JSON document. A new field of a job touches no store.

mod backfill;

use domain::calendar::{CalendarCopy, CalendarDraft};
use domain::job::Pause;
use domain::run::Attempt;
use domain::settle::Accepted;
use domain::{
    Asked, Calendar, HumanDuration, Instant, Invalid, Job, JobDraft, JobId, JobState, Plan, Reason, Run,
    RunId, RunKind, RunStatus, parse,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use self::backfill::BackfillRecord;
use crate::ports::InvalidJob;

/// A job as a row.
#[derive(Clone, Debug)]
pub struct JobRecord {
    /// Key.
    pub id: Uuid,
    /// Tenant.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// [`JobState`] as a number.
    pub state: i16,
    /// Compared when the job is replaced.
    pub version: i64,
    /// Indexed: what is due.
    pub next_fire_at: Option<Instant>,
    /// Grows as it fires.
    pub runs_started: i64,
    /// A JSON object, for filters.
    pub labels: Value,
    /// For people.
    pub created_at: Instant,
    /// For people.
    pub updated_at: Instant,
    /// Everything else, as JSON text: a storm of jobs that fire for the first time reads one for each.
    pub document: String,
}

/// The version of both documents. Raised when old ones can no longer be read as they are.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct JobDocument {
    v: u32,
    draft: JobDraft,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause: Option<Pause>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calendars: Vec<CalendarCopy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Instant>,
}

impl From<&Job> for JobRecord {
    fn from(job: &Job) -> Self {
        let document = JobDocument {
            v: FORMAT,
            draft: job.draft.clone(),
            pause: job.pause.clone(),
            calendars: job.calendars.clone(),
            since: Some(job.since),
        };
        Self {
            id: job.id.0,
            project: job.project.clone(),
            name: job.draft.name.clone(),
            state: job.state as i16,
            version: i64::try_from(job.version).unwrap_or(i64::MAX),
            next_fire_at: job.next_fire_at,
            runs_started: i64::try_from(job.runs_started).unwrap_or(i64::MAX),
            labels: json(&job.draft.labels),
            created_at: job.created_at,
            updated_at: job.updated_at,
            document: serde_json::to_string(&document).unwrap_or_default(),
        }
    }
}

impl JobRecord {
    /// The job, or what is left of it where the document cannot be read.
    #[expect(clippy::result_large_err, reason = "both are data here, and a job is larger still")]
    pub fn into_job(self) -> Result<Job, InvalidJob> {
        let version = u64::try_from(self.version).unwrap_or(0);
        let runs_started = u64::try_from(self.runs_started).unwrap_or(0);
        let read = read_text::<JobDocument>(&self.document).and_then(|document| {
            let plan = Plan::compile(JobId(self.id), &document.draft.timing(), &document.calendars)?;
            Ok((document, plan))
        });
        match read {
            Ok((JobDocument { draft, pause, calendars, since, .. }, plan)) => {
                let state = numbered(&JobState::ALL, self.state).unwrap_or(JobState::Invalid);
                let job = Job {
                    id: JobId(self.id),
                    project: self.project,
                    draft,
                    calendars,
                    plan,
                    since: since.unwrap_or(self.created_at),
                    state,
                    next_fire_at: self.next_fire_at,
                    pause,
                    runs_started,
                    version,
                    created_at: self.created_at,
                    updated_at: self.updated_at,
                };
                Ok(job.as_fired(state, self.next_fire_at))
            }
            Err(error) => Err(InvalidJob {
                id: JobId(self.id),
                project: self.project,
                name: self.name,
                version,
                next_fire_at: self.next_fire_at,
                runs_started,
                created_at: self.created_at,
                updated_at: self.updated_at,
                error: error.to_string(),
            }),
        }
    }
}

/// A run as a row.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// Key; sorts by nominal time.
    pub id: Uuid,
    /// Tenant.
    pub project: String,
    /// For lists by job.
    pub job_id: Uuid,
    /// [`RunKind`] as a number.
    pub kind: i16,
    /// [`RunStatus`] as a number.
    pub status: i16,
    /// The nominal time.
    pub scheduled_for: Instant,
    /// Indexed: when a worker must look at it; `None` once finished.
    pub due_at: Option<Instant>,
    /// The fencing token.
    pub token: i64,
    /// Who holds the lease.
    pub worker: Option<String>,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// When it was recorded.
    pub created_at: Instant,
    /// When it ended; `None` exactly while it counts as active.
    pub finished_at: Option<Instant>,
    /// Everything else, as JSON text: runs are written too often for a detour over a [`Value`].
    pub document: String,
}

#[derive(Serialize, Deserialize)]
struct RunDocument {
    v: u32,
    job_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheduled_until: Option<Instant>,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    count: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    jitter: HumanDuration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reopened_at: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Box<Asked>>,
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_one(count: &u64) -> bool {
    *count == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(duration: &HumanDuration) -> bool {
    *duration == HumanDuration::ZERO
}

impl From<&Run> for RunRecord {
    fn from(run: &Run) -> Self {
        let document = RunDocument {
            v: FORMAT,
            job_name: run.job_name.clone(),
            reason: run.reason,
            scheduled_until: run.scheduled_until,
            count: run.count,
            jitter: run.jitter,
            started_at: run.started_at,
            reopened_at: run.reopened_at,
            accepted: run.accepted.clone(),
            attempts: run.attempts.clone(),
            asked: run.asked.clone(),
        };
        Self {
            id: run.id.0,
            project: run.project.clone(),
            job_id: run.job_id.0,
            kind: run.kind as i16,
            status: run.status as i16,
            scheduled_for: run.scheduled_for,
            due_at: run.due_at,
            token: i64::try_from(run.token).unwrap_or(i64::MAX),
            worker: run.worker.clone(),
            cancel_requested: run.cancel_requested,
            created_at: run.created_at,
            finished_at: run.finished_at,
            document: serde_json::to_string(&document).unwrap_or_default(),
        }
    }
}

impl RunRecord {
    /// The run. Columns say all that the engine acts on, so a document that cannot be read costs details, not
    /// the run: it is logged, and the run's details are empty.
    pub fn into_run(self) -> Run {
        let document = read_text::<RunDocument>(&self.document).unwrap_or_else(|error| {
            tracing::error!(run.id = %RunId(self.id), %error, "the details of a run cannot be read");
            RunDocument {
                v: FORMAT,
                job_name: String::new(),
                reason: None,
                scheduled_until: None,
                count: 1,
                jitter: HumanDuration::ZERO,
                started_at: None,
                reopened_at: None,
                accepted: None,
                attempts: Vec::new(),
                asked: None,
            }
        });
        Run {
            id: RunId(self.id),
            project: self.project,
            job_id: JobId(self.job_id),
            job_name: document.job_name,
            kind: numbered(&RunKind::ALL, self.kind).unwrap_or(RunKind::Manual),
            status: numbered(&RunStatus::ALL, self.status).unwrap_or(RunStatus::Failed),
            reason: document.reason,
            scheduled_for: self.scheduled_for,
            scheduled_until: document.scheduled_until,
            count: document.count,
            jitter: document.jitter,
            due_at: self.due_at,
            token: u64::try_from(self.token).unwrap_or(0),
            worker: self.worker,
            cancel_requested: self.cancel_requested,
            created_at: self.created_at,
            started_at: document.started_at,
            reopened_at: document.reopened_at,
            accepted: document.accepted,
            finished_at: self.finished_at,
            attempts: document.attempts,
            asked: document.asked,
        }
    }
}

/// A calendar as a row.
#[derive(Clone, Debug)]
pub struct CalendarRecord {
    /// Tenant; key together with the name.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// Compared when the calendar is replaced.
    pub version: i64,
    /// For people.
    pub created_at: Instant,
    /// For people.
    pub updated_at: Instant,
    /// Everything else.
    pub document: Value,
}

#[derive(Serialize, Deserialize)]
struct CalendarDocument {
    v: u32,
    draft: CalendarDraft,
}

impl From<&Calendar> for CalendarRecord {
    fn from(calendar: &Calendar) -> Self {
        Self {
            project: calendar.project.clone(),
            name: calendar.name.clone(),
            version: i64::try_from(calendar.version).unwrap_or(i64::MAX),
            created_at: calendar.created_at,
            updated_at: calendar.updated_at,
            document: json(&CalendarDocument { v: FORMAT, draft: calendar.draft.clone() }),
        }
    }
}

impl CalendarRecord {
    /// The calendar.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn into_calendar(self) -> Result<Calendar, Invalid> {
        let CalendarDocument { draft, .. } = read(self.document)?;
        Ok(Calendar {
            project: self.project,
            name: self.name,
            draft,
            version: u64::try_from(self.version).unwrap_or(0),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// The variant with this number, where there is one.
pub fn numbered<T: Copy>(all: &[T], number: i16) -> Option<T> {
    usize::try_from(number).ok().and_then(|index| all.get(index)).copied()
}

/// Reads a stored text: at once where it is as this program writes it.
fn read_text<T: DeserializeOwned>(text: &str) -> Result<T, Invalid> {
    if text.starts_with(r#"{"v":1,"#)
        && let Ok(read) = serde_json::from_str(text)
    {
        return Ok(read);
    }
    read(serde_json::from_str(text).unwrap_or(Value::Null))
}

/// Reads a stored document. While replicas are replaced one by one, the older ones meet fields they do not know:
/// those are left out, whereas a document of a newer format is refused.
fn read<T: DeserializeOwned>(mut document: Value) -> Result<T, Invalid> {
    const MOST: usize = 100;
    if document.get("v").and_then(Value::as_u64).is_none_or(|format| u64::from(FORMAT) < format) {
        return Err(Invalid::one(
            "/v",
            "unsupported",
            "the document is of a format this program does not know",
        ));
    }
    // Most documents are as expected; what is wrong with another is found out on a copy.
    if let Ok(read) = T::deserialize(&document) {
        return Ok(read);
    }
    for _ in 0..MOST {
        let invalid = match parse::from_value(document.clone()) {
            Ok(read) => return Ok(read),
            Err(invalid) => invalid,
        };
        let unknown = invalid.0.first().filter(|error| error.code == "unknown_field");
        if !unknown.is_some_and(|error| remove(&mut document, &error.pointer)) {
            return Err(invalid);
        }
    }
    parse::from_value(document)
}

/// Removes the field at `pointer`; false where there is none.
fn remove(document: &mut Value, pointer: &str) -> bool {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = document.pointer_mut(parent).and_then(Value::as_object_mut);
    parent.is_some_and(|fields| fields.remove(&name).is_some())
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(extra: &Value) -> Value {
        let mut document = json!({"v": 1, "draft": {
            "name": "report",
            "schedule": {"type": "interval", "every": "5m"},
            "target": {"type": "http", "url": "https://example.com/"},
        }});
        for (pointer, value) in extra.as_object().unwrap() {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        document
    }

    /// An older replica meets the fields of a newer one during a rolling upgrade.
    #[test]
    fn unknown_fields_of_newer_programs_are_left_out() {
        let newer = json!({
            "/later": 1,
            "/draft/later": "5s",
            "/draft/schedule/holidays": ["de"],
            "/draft/target/body_match": {"a": 1},
        });
        let read: JobDocument = read(document(&newer)).unwrap();
        assert_eq!(read.draft.name, "report");
    }

    #[test]
    fn newer_formats_and_nonsense_are_refused() {
        assert!(read::<JobDocument>(document(&json!({"/v": 2}))).is_err());
        assert!(read::<JobDocument>(document(&json!({"/draft/name": 7}))).is_err());
        assert!(read::<JobDocument>(json!({"v": 1})).is_err());
        assert!(read::<JobDocument>(json!(null)).is_err());
        assert!(read_text::<RunDocument>(r#"{"v":2,"job_name":"a"}"#).is_err());
        assert!(read_text::<RunDocument>("{").is_err());
    }

    #[test]
    fn texts_are_read_whoever_wrote_them() {
        for text in [r#"{"v":1,"job_name":"a"}"#, r#"{ "job_name": "a", "v": 1, "later": true }"#] {
            assert_eq!(read_text::<RunDocument>(text).unwrap().job_name, "a");
        }
    }
}
