//! A job: a schedule, a target and policies, stored under a name.

mod draft;

use serde::{Deserialize, Serialize};

pub use self::draft::{JobDraft, check_max_runs};
use crate::calendar::{self, CalendarCopy};
use crate::fire::close_ledger;
use crate::ids::JobId;
use crate::invalid::{Findings, Invalid};
use crate::plan::Plan;
use crate::run::{Reason, Run};
use crate::schedule::Schedule;
use crate::time::Zone;
use crate::{Instant, whole_millis};

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
    /// When the first occurrence that the pause keeps from firing is due.
    pub since: Option<Instant>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// Whether nobody asked for it: the job's failures did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_failures: bool,
}

/// A stored job. Its schedule is known to be sound: `plan` is what it means.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The project it belongs to.
    pub project: String,
    /// What its author chose, with all defaults filled in.
    pub draft: JobDraft,
    /// The calendars it uses, as they were when they or the job were last changed.
    pub calendars: Vec<CalendarCopy>,
    /// When it is due.
    pub plan: Plan,
    /// Where it stands.
    pub state: JobState,
    /// When its next occurrence is due, where it is active; when its pause ends, where it is paused until then.
    pub next_fire_at: Option<Instant>,
    /// Set while paused. A pause that has ended by itself is left in the definition, see [`Job::as_fired`].
    pub pause: Option<Pause>,
    /// How many runs of its schedule have been started since it was created.
    pub runs_started: u64,
    /// Since when this schedule counts: creation, the last change of the schedule, or the end of the last pause.
    pub since: Instant,
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
    pub closing: Vec<Run>,
}

/// What a job takes from the project it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The zone of schedules that name none.
    pub zone: &'a Zone,
    /// The calendars there are, at least all of those the job may name.
    pub calendars: &'a [CalendarCopy],
}

impl<'a> From<&'a Zone> for Surroundings<'a> {
    fn from(zone: &'a Zone) -> Self {
        Self { zone, calendars: &[] }
    }
}

impl Job {
    /// A new, active job.
    ///
    /// # Errors
    /// Everything wrong with the draft, by pointer: also a schedule that never fires, a date further in the past
    /// than the misfire window, and a calendar that does not exist.
    pub fn create<'a>(
        draft: JobDraft,
        project: &str,
        id: JobId,
        surroundings: impl Into<Surroundings<'a>>,
        now: Instant,
    ) -> Result<Self, Invalid> {
        let Sound { draft, calendars, plan } = sound(draft, id, surroundings.into(), now, None)?;
        let first = first_occurrence(&draft, &plan, now, Past::WithinWindow)?;
        Ok(Self {
            id,
            project: project.to_owned(),
            draft,
            calendars,
            next_fire_at: Some(plan.due_at(first)),
            plan,
            state: JobState::Active,
            pause: None,
            runs_started: 0,
            since: now,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The job with another draft. A changed schedule is due from `now` on; any other edit keeps the next
    /// occurrence. State and pause stay, except that another `max_runs` may end the schedule, or let it go on from `now`.
    ///
    /// # Errors
    /// As for [`Job::create`].
    pub fn edit<'a>(
        &self,
        draft: JobDraft,
        surroundings: impl Into<Surroundings<'a>>,
        now: Instant,
    ) -> Result<Changed, Invalid> {
        let now = self.no_earlier(now);
        let sound = sound(draft, self.id, surroundings.into(), now, Some(&self.draft.schedule))?;
        let rescheduled = sound.draft.timing().unjittered() != self.draft.timing().unjittered()
            || sound.calendars != self.calendars;
        let Sound { draft, calendars, plan } = sound;
        let mut job =
            Self { draft, calendars, plan, version: self.version + 1, updated_at: now, ..self.clone() };
        if rescheduled || self.state == JobState::Invalid {
            let next = first_occurrence(&job.draft, &job.plan, now, Past::Never)?;
            return Ok(job.rescheduled(self, Some(next), now));
        }
        if self.has_runs_left() != job.has_runs_left() {
            let next = job.plan.next_after(now);
            return Ok(job.rescheduled(self, next, now));
        }
        // The same occurrence, which another jitter makes due at another time.
        let due = |at: Option<Instant>| at.map(|at| job.plan.due_at(self.plan.due_for(at)));
        let next_fire_at = if self.pause.is_some() { self.next_fire_at } else { due(self.next_fire_at) };
        let pause = self.pause.clone().map(|pause| Pause { since: due(pause.since), ..pause });
        (job.next_fire_at, job.pause) = (next_fire_at, pause);
        Ok(Changed { job, closing: Vec::new() })
    }

    /// The job with its calendars as they are now. It is due from `now` on; one that has no occurrence left by
    /// them is completed. `None` where it has them already; a calendar that is gone stays as it was.
    ///
    /// # Errors
    /// None for a job that could be stored.
    pub fn with_calendars(
        &self,
        there_are: &[CalendarCopy],
        now: Instant,
    ) -> Result<Option<Changed>, Invalid> {
        let now = self.no_earlier(now);
        let current =
            |old: &CalendarCopy| there_are.iter().find(|it| it.name == old.name).unwrap_or(old).clone();
        let calendars: Vec<_> = self.calendars.iter().map(current).collect();
        if calendars == self.calendars {
            return Ok(None);
        }
        let plan = Plan::compile(self.id, &self.draft.timing(), &calendars)?;
        let next = plan.next_after(now);
        let job = Self { calendars, plan, version: self.version + 1, updated_at: now, ..self.clone() };
        Ok(Some(job.rescheduled(self, next, now)))
    }

    /// The job as firing has left it. Firing moves a job on and leaves its definition alone, so a pause that has ended
    /// by itself is still in there.
    #[must_use]
    pub fn as_fired(mut self, state: JobState, next_fire_at: Option<Instant>) -> Self {
        if let Some(ended) = self.pause.take_if(|pause| pause.until.is_some() && state != JobState::Paused) {
            self.since = ended.until.map_or(self.since, |until| until.max(self.since));
        }
        Self { state, next_fire_at, ..self }
    }

    /// Since when its schedule counts, for the occurrence `first`: a pause that ended by itself may lie in between.
    pub(crate) fn counts_since(&self, first: Instant) -> Instant {
        let ended = self.pause.as_ref().and_then(|pause| pause.until).filter(|until| *until < first);
        ended.map_or(self.since, |until| until.max(self.since))
    }

    /// Whether its schedule may start another run.
    pub fn has_runs_left(&self) -> bool {
        self.draft.max_runs.is_none_or(|most| self.runs_started < u64::from(most))
    }

    /// The same job, of which `started` runs were started before: it is completed where that is all it may.
    #[must_use]
    pub fn having_started(self, started: u64) -> Self {
        let job = Self { runs_started: started, ..self };
        if job.has_runs_left() {
            return job;
        }
        Self { state: JobState::Completed, next_fire_at: None, ..job }
    }

    /// `now`, or the last instant up to which this job's occurrences are accounted for, where whoever changes it has
    /// a clock that is behind the one it fired by: what has its record must not become due again.
    fn no_earlier(&self, now: Instant) -> Instant {
        let due = self.pause.as_ref().map_or(self.next_fire_at, |pause| pause.since);
        let accounted = match due {
            Some(due) => self.plan.last_until(self.plan.due_for(due) - MILLI),
            // Not known: there may be any number of occurrences left that it will not have.
            None if self.state == JobState::Invalid || !self.has_runs_left() => None,
            None => self.plan.last_until(crate::time::horizon()),
        };
        now.max(self.since).max(accounted.unwrap_or(now))
    }

    /// This job, due for `next` and not before; what was due of `before` until now is closed.
    fn rescheduled(mut self, before: &Self, next: Option<Instant>, now: Instant) -> Changed {
        let reason = if before.pause.is_some() { Reason::Paused } else { Reason::Edited };
        let next = next.filter(|_| self.has_runs_left()).map(|next| self.plan.due_at(next));
        match &mut self.pause {
            // It is due when the pause ends, as before.
            Some(pause) => pause.since = next,
            None => {
                self.state = if next.is_some() { JobState::Active } else { JobState::Completed };
                self.next_fire_at = next;
            }
        }
        self.since = now;
        // A schedule that has made all of its runs has no occurrences.
        let closing = if before.has_runs_left() { close_ledger(before, now, reason) } else { Vec::new() };
        Changed { job: self, closing }
    }

    /// The records of all occurrences up to `now` that nothing accounts for yet, and the job without them: what is left
    /// to do before it is removed. `None` where there are none.
    pub fn closed(&self, now: Instant) -> Option<Changed> {
        let next = self.plan.next_after(now);
        let job = Self { version: self.version + 1, updated_at: now, ..self.clone() };
        let mut changed = job.rescheduled(self, next, now);
        for run in &mut changed.closing {
            run.reason = run.reason.map(|it| if it == Reason::Edited { Reason::Deleted } else { it });
        }
        (!changed.closing.is_empty()).then_some(changed)
    }

    /// The job, paused until somebody resumes it.
    #[must_use]
    pub fn paused(&self, reason: Option<String>, now: Instant) -> Self {
        self.paused_until(reason, None, now)
    }

    /// The job, paused because its runs fail, until somebody resumes it.
    #[must_use]
    pub fn paused_by_failures(&self, reason: String, now: Instant) -> Self {
        let mut job = self.paused(Some(reason), now);
        job.pause = job.pause.map(|pause| Pause { by_failures: true, ..pause });
        job
    }

    /// The job, paused, and resumed at `until`. Pausing again changes the reason and the end only.
    #[must_use]
    pub fn paused_until(&self, reason: Option<String>, until: Option<Instant>, now: Instant) -> Self {
        let since = self.pause.as_ref().map_or(self.next_fire_at, |pause| pause.since);
        Self {
            state: JobState::Paused,
            next_fire_at: until,
            pause: Some(Pause { reason, since, until, by_failures: false }),
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }

    /// The job, active again from `now` on: nothing fires for the time of the pause, which is closed by one record.
    /// A job that is not paused stays as it is.
    pub fn resumed(&self, now: Instant) -> Changed {
        if self.pause.is_none() {
            return Changed { job: self.clone(), closing: Vec::new() };
        }
        let now = self.no_earlier(now);
        let job = Self { pause: None, version: self.version + 1, updated_at: now, ..self.clone() };
        let next = self.plan.next_after(now);
        job.rescheduled(self, next, now)
    }
}

const MILLI: chrono::TimeDelta = chrono::TimeDelta::milliseconds(1);

/// A draft with its defaults filled in, and what it means.
struct Sound {
    draft: JobDraft,
    calendars: Vec<CalendarCopy>,
    plan: Plan,
}

/// Fills in a draft's defaults and checks all of it, reporting everything that is wrong at once.
fn sound(
    mut draft: JobDraft,
    id: JobId,
    Surroundings { zone, calendars }: Surroundings<'_>,
    now: Instant,
    before: Option<&Schedule>,
) -> Result<Sound, Invalid> {
    draft.schedule = draft.schedule.resolved(zone, now, before);
    draft.start_at = draft.start_at.map(whole_millis);
    draft.end_at = draft.end_at.map(whole_millis);
    let mut findings = Findings::default();
    findings.nest("", draft.check());
    let calendars = findings.nest("", calendar::copies(&draft.calendars, calendars)).unwrap_or_default();
    let plan = findings.nest("", Plan::compile(id, &draft.timing(), &calendars));
    findings.finish()?;
    plan.map(|plan| Sound { draft, calendars, plan }).ok_or_else(|| Invalid(Vec::new()))
}

/// Whether a new schedule may still catch an occurrence that has just passed.
#[derive(Clone, Copy, PartialEq)]
enum Past {
    /// A date a moment ago is meant to run: the request was on its way.
    WithinWindow,
    Never,
}

fn first_occurrence(draft: &JobDraft, plan: &Plan, now: Instant, past: Past) -> Result<Instant, Invalid> {
    let just_passed = match &draft.schedule {
        Schedule::Date(_) => plan.timetable().last_until(now),
        _ => None,
    };
    if just_passed.is_some_and(|at| past == Past::Never || now - at > draft.misfire.window.to_delta()) {
        return Err(Invalid::one("/schedule/at", "in_the_past", "lies in the past"));
    }
    let after = just_passed.map_or(now, |at| at - MILLI);
    plan.next_after(after).ok_or_else(|| {
        let bounded = draft.start_at.is_some() || draft.end_at.is_some();
        let detail = match (bounded, draft.calendars.is_empty()) {
            (false, true) => "never fires",
            (true, true) => "never fires between start_at and end_at",
            (false, false) => "never fires: its calendars leave every occurrence out",
            (true, false) => {
                "never fires: its calendars leave out every occurrence between start_at and end_at"
            }
        };
        Invalid::one("/schedule", "never_fires", detail)
    })
}
