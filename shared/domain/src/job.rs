//! A job: a schedule, a target and policies, stored under a name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::duration::shorten;
use crate::fire::close_ledger;
use crate::ids::JobId;
use crate::invalid::{Findings, Invalid};
use crate::policy::{DAY, Misfire, Overlap, Retry};
use crate::run::{Reason, Run};
use crate::schedule::Schedule;
use crate::target::Target;
use crate::time::{Timetable, Zone};
use crate::{HumanDuration, Instant, is_in_range, whole_millis};

/// What a user writes: everything about a job that is theirs to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobDraft {
    /// Unique within the project.
    #[schema(example = "nightly-report", min_length = 1, max_length = 128)]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub description: String,
    /// For finding and grouping.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// When it is due.
    pub schedule: Schedule,
    /// What it calls.
    pub target: Target,
    /// What happens after a failed attempt.
    #[serde(default)]
    pub retry: Retry,
    /// How long one attempt may take.
    #[serde(default = "thirty_seconds")]
    #[schema(value_type = String, default = "30s")]
    pub timeout: HumanDuration,
    /// What happens to occurrences noticed late.
    #[serde(default)]
    pub misfire: Misfire,
    /// What happens to an occurrence that is due while an earlier run is not finished.
    #[serde(default)]
    pub overlap: Overlap,
    /// No occurrence before this instant.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_at: Option<Instant>,
    /// No occurrence after this instant.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end_at: Option<Instant>,
}

fn thirty_seconds() -> HumanDuration {
    HumanDuration::from_secs(30)
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum JobState {
    /// Fires.
    Active = 0,
    /// Does not fire until resumed.
    Paused = 1,
    /// Has no occurrence left.
    Completed = 2,
    /// Its stored form cannot be read; replace or delete it.
    Invalid = 3,
}

impl JobState {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Completed, Self::Invalid];

    /// The word used in JSON, metrics and URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Invalid => "invalid",
        }
    }
}

/// Why and since when a job is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// In the words of whoever paused it.
    pub reason: Option<String>,
    /// The first occurrence the pause keeps from firing.
    pub since: Option<Instant>,
}

/// A stored job. Its schedule is known to be sound: `timetable` is what it means.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The project it belongs to.
    pub project: String,
    /// What its author chose, with all defaults filled in.
    pub draft: JobDraft,
    /// What `draft.schedule` means.
    pub timetable: Timetable,
    /// Where it stands.
    pub state: JobState,
    /// The stored next occurrence; `None` unless active.
    pub next_fire_at: Option<Instant>,
    /// Set while paused.
    pub pause: Option<Pause>,
    /// Grows with every change of the definition or the state by a user; not by firing.
    pub version: u64,
    /// When it was stored first.
    pub created_at: Instant,
    /// When its definition or state was last changed by a user.
    pub updated_at: Instant,
}

/// What a change to a job brings: the job as it will be, and the records that close its past.
#[derive(Debug)]
pub struct Changed {
    /// The job after the change.
    pub job: Job,
    /// Occurrences that were due and will not fire any more.
    pub closing: Option<Run>,
}

impl JobDraft {
    /// Everything wrong with the draft, apart from its schedule.
    fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        findings.nest("/name", check_name(&self.name));
        findings.require(self.description.len() <= 4096, "/description", "too_long", || {
            "longer than 4096 bytes".to_owned()
        });
        findings.nest("/labels", check_labels(&self.labels));
        findings.nest("/target", self.target.check());
        findings.nest("/retry", self.retry.check());
        findings.nest("/misfire", self.misfire.check());
        let shortest = HumanDuration::from_millis(1);
        findings.require((shortest..=DAY).contains(&self.timeout), "/timeout", "out_of_range", || {
            format!("{} is outside {shortest}–{DAY}", self.timeout)
        });
        for (pointer, at) in [("/start_at", self.start_at), ("/end_at", self.end_at)] {
            findings.require(at.is_none_or(is_in_range), pointer, "out_of_range", || {
                "lies outside 1970–2100".to_owned()
            });
        }
        let ordered = self.start_at.zip(self.end_at).is_none_or(|(start, end)| start <= end);
        findings.require(ordered, "/end_at", "out_of_range", || "lies before start_at".to_owned());
        findings.finish()
    }
}

/// Names appear in URLs, logs and metrics: printable, bounded, and never to be taken for an id.
fn check_name(name: &str) -> Result<(), Invalid> {
    let refuse = |code, detail: &str| Err(Invalid::one("", code, detail));
    if name.trim().is_empty() {
        return refuse("too_short", "must not be empty");
    }
    if name.chars().count() > 128 {
        return refuse("too_long", "longer than 128 characters");
    }
    if name.chars().any(char::is_control) || name.trim() != name {
        return refuse("invalid_value", "must not hold control characters, nor begin or end with a space");
    }
    if name.parse::<JobId>().is_ok() {
        return refuse("invalid_value", "has the form of an id");
    }
    Ok(())
}

fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), Invalid> {
    let mut findings = Findings::default();
    findings.require(labels.len() <= 32, "", "too_long", || "more than 32 labels".to_owned());
    for (key, value) in labels.iter().take(32) {
        let pointer = format!("/{}", shorten(key).replace('~', "~0").replace('/', "~1"));
        let plain = (1..=63).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte));
        findings.require(plain, &pointer, "invalid_value", || {
            "a label's key is 1–63 letters, digits, dots, dashes, slashes or underscores".to_owned()
        });
        let printable = value.chars().count() <= 128 && !value.chars().any(char::is_control);
        findings.require(printable, &pointer, "invalid_value", || {
            "a label's value is at most 128 printable characters".to_owned()
        });
    }
    findings.finish()
}

impl Job {
    /// A new, active job. `zone` is the default zone for schedules that name none.
    ///
    /// # Errors
    /// Everything wrong with the draft, by pointer: also a schedule that never fires, and a date further
    /// in the past than the misfire window.
    pub fn create(
        draft: JobDraft,
        project: &str,
        id: JobId,
        zone: &Zone,
        now: Instant,
    ) -> Result<Self, Invalid> {
        let (draft, timetable) = sound(draft, zone, now, None)?;
        let next_fire_at = Some(first_fire(&draft, &timetable, now, Past::WithinWindow)?);
        Ok(Self {
            id,
            project: project.to_owned(),
            draft,
            timetable,
            state: JobState::Active,
            next_fire_at,
            pause: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The job with another draft. A changed schedule is due from `now` on; any other edit keeps the next
    /// occurrence. State and pause stay.
    ///
    /// # Errors
    /// As for [`Job::create`].
    pub fn edit(&self, draft: JobDraft, zone: &Zone, now: Instant) -> Result<Changed, Invalid> {
        let (draft, timetable) = sound(draft, zone, now, Some(&self.draft.schedule))?;
        let when = |draft: &JobDraft| (draft.schedule.clone(), draft.start_at, draft.end_at);
        let rescheduled = when(&draft) != when(&self.draft);
        let mut job = Self { draft, timetable, version: self.version + 1, updated_at: now, ..self.clone() };
        if !rescheduled && self.state != JobState::Invalid {
            return Ok(Changed { job, closing: None });
        }
        let next = first_fire(&job.draft, &job.timetable, now, Past::Never)?;
        let closing =
            close_ledger(self, now, if self.pause.is_some() { Reason::Paused } else { Reason::Edited });
        match &mut job.pause {
            Some(pause) => pause.since = Some(next),
            None => {
                job.state = JobState::Active;
                job.next_fire_at = Some(next);
            }
        }
        Ok(Changed { job, closing })
    }

    /// The job, paused. Pausing again changes the reason only.
    #[must_use]
    pub fn paused(&self, reason: Option<String>, now: Instant) -> Self {
        let since = self.pause.as_ref().map_or(self.next_fire_at, |pause| pause.since);
        Self {
            state: JobState::Paused,
            next_fire_at: None,
            pause: Some(Pause { reason, since }),
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }

    /// The job, active again from `now` on: nothing fires for the time of the pause, which is closed by one record.
    /// A job that is not paused stays as it is.
    pub fn resumed(&self, now: Instant) -> Changed {
        if self.pause.is_none() {
            return Changed { job: self.clone(), closing: None };
        }
        let next_fire_at = next_within(&self.draft, &self.timetable, now);
        let job = Self {
            state: if next_fire_at.is_some() { JobState::Active } else { JobState::Completed },
            next_fire_at,
            pause: None,
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        };
        Changed { job, closing: close_ledger(self, now, Reason::Paused) }
    }

    /// The first occurrence after `after`, within `start_at` and `end_at`.
    pub fn next_after(&self, after: Instant) -> Option<Instant> {
        next_within(&self.draft, &self.timetable, after)
    }
}

/// Fills in a draft's defaults and checks all of it, reporting everything that is wrong at once.
fn sound(
    mut draft: JobDraft,
    zone: &Zone,
    now: Instant,
    before: Option<&Schedule>,
) -> Result<(JobDraft, Timetable), Invalid> {
    draft.schedule = draft.schedule.resolved(zone, now, before);
    draft.start_at = draft.start_at.map(whole_millis);
    draft.end_at = draft.end_at.map(whole_millis);
    let mut findings = Findings::default();
    findings.nest("", draft.check());
    let timetable = findings.nest("/schedule", Timetable::compile(&draft.schedule));
    findings.finish()?;
    timetable.map(|timetable| (draft, timetable)).ok_or_else(|| Invalid(Vec::new()))
}

/// Whether a new schedule may still catch an occurrence that has just passed.
#[derive(Clone, Copy, PartialEq)]
enum Past {
    /// A date a moment ago is meant to run: the request was on its way.
    WithinWindow,
    Never,
}

fn first_fire(draft: &JobDraft, timetable: &Timetable, now: Instant, past: Past) -> Result<Instant, Invalid> {
    let just_passed = match &draft.schedule {
        Schedule::Date(_) => timetable.last_until(now),
        _ => None,
    };
    if just_passed.is_some_and(|at| past == Past::Never || now - at > draft.misfire.window.to_delta()) {
        return Err(Invalid::one("/schedule/at", "in_the_past", "lies in the past"));
    }
    let next = match just_passed {
        Some(at) => next_within(draft, timetable, at - chrono::TimeDelta::milliseconds(1)),
        None => next_within(draft, timetable, now),
    };
    next.ok_or_else(|| {
        let bounded = draft.start_at.is_some() || draft.end_at.is_some();
        let detail = if bounded { "never fires between start_at and end_at" } else { "never fires" };
        Invalid::one("/schedule", "never_fires", detail)
    })
}

fn next_within(draft: &JobDraft, timetable: &Timetable, after: Instant) -> Option<Instant> {
    let just_before_start = draft.start_at.map(|start| start - chrono::TimeDelta::milliseconds(1));
    let next = timetable.next_after(just_before_start.map_or(after, |start| start.max(after)))?;
    (draft.end_at.is_none_or(|end| next <= end)).then_some(next)
}
