//! Calendars: named sets of local times, such as public holidays or office hours, that jobs leave out or keep to.

mod entries;
pub mod ical;

use serde::{Deserialize, Serialize};

pub use self::entries::{CalendarDay, CalendarRange, Edge, Weekday, WeeklyHours};
use crate::Instant;
use crate::duration::shorten;
use crate::invalid::{Findings, Invalid};
use crate::name::check_name;
use crate::time::Zone;

/// What a user writes: a set of local times, all of these together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CalendarDraft {
    /// For people.
    #[schema(max_length = 4096)]
    pub description: String,
    /// The zone in which all of it is read: IANA name. Where not given, that of each job's own schedule.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    pub timezone: Option<Zone>,
    /// Whole days: `2026-12-25`, or `12-25` for every year.
    #[schema(value_type = Vec<String>, example = json!(["12-25", "2027-03-26"]))]
    pub dates: Vec<CalendarDay>,
    /// From one local time to another.
    pub ranges: Vec<CalendarRange>,
    /// Days of the week, whole or some of their hours.
    pub weekly: Vec<WeeklyHours>,
}

/// A stored calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The project it belongs to.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// What its author chose.
    pub draft: CalendarDraft,
    /// Grows with every change.
    pub version: u64,
    /// When it was stored first.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// What a job does with a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarUse {
    /// The calendar's name.
    #[schema(example = "holidays")]
    pub name: String,
    /// Whether its times are left out or kept to.
    #[serde(default)]
    pub mode: CalendarMode,
    /// What becomes of an occurrence it does not admit.
    #[serde(default)]
    pub roll: Roll,
}

/// Whether a job leaves a calendar's times out or keeps to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalendarMode {
    /// No occurrence within them.
    #[default]
    Exclude,
    /// No occurrence outside of them.
    Only,
}

/// What becomes of an occurrence that a calendar does not admit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// It is skipped, and recorded as such.
    #[default]
    None,
    /// It moves to the next day, at the same local time, that every calendar of the job admits; at most 31 days.
    Next,
    /// It moves to the last such day before it.
    Previous,
}

/// A calendar as a job keeps it: what it said when it or the job was last changed.
///
/// Jobs carry what they need, so that firing one reads nothing but the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarCopy {
    /// Its name.
    pub name: String,
    /// Its version then.
    pub version: u64,
    /// What it said.
    pub draft: CalendarDraft,
}

impl From<&Calendar> for CalendarCopy {
    fn from(calendar: &Calendar) -> Self {
        Self { name: calendar.name.clone(), version: calendar.version, draft: calendar.draft.clone() }
    }
}

/// Every job that uses a calendar carries a copy of it.
const MAX_ENTRIES: usize = 2_000;

impl CalendarDraft {
    /// Everything wrong with it.
    fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        findings.require(self.description.len() <= 4096, "/description", "too_long", || {
            "longer than 4096 bytes".to_owned()
        });
        for (pointer, entries) in
            [("/dates", self.dates.len()), ("/ranges", self.ranges.len()), ("/weekly", self.weekly.len())]
        {
            findings.require(entries <= MAX_ENTRIES, pointer, "too_long", || {
                format!("more than {MAX_ENTRIES} entries")
            });
        }
        for (index, range) in self.ranges.iter().enumerate().take(MAX_ENTRIES) {
            findings.nest(&format!("/ranges/{index}"), range.check());
        }
        for (index, hours) in self.weekly.iter().enumerate().take(MAX_ENTRIES) {
            findings.nest(&format!("/weekly/{index}"), hours.check());
        }
        findings.finish()
    }
}

impl Calendar {
    /// A new calendar.
    ///
    /// # Errors
    /// Everything wrong with the name (pointer `/name`) and the draft.
    pub fn create(project: &str, name: &str, draft: CalendarDraft, now: Instant) -> Result<Self, Invalid> {
        let mut findings = Findings::default();
        findings.nest("/name", check_name(name));
        findings.nest("", draft.check());
        findings.finish()?;
        Ok(Self {
            project: project.to_owned(),
            name: name.to_owned(),
            draft,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The calendar with another draft.
    ///
    /// # Errors
    /// Everything wrong with the draft.
    pub fn edit(&self, draft: CalendarDraft, now: Instant) -> Result<Self, Invalid> {
        draft.check()?;
        Ok(Self { draft, version: self.version + 1, updated_at: now, ..self.clone() })
    }
}

/// A job may use so many.
const MAX_USES: usize = 16;

/// Everything wrong with a job's list of calendars, apart from names that do not exist.
pub(crate) fn check_uses(uses: &[CalendarUse]) -> Result<(), Invalid> {
    let mut findings = Findings::default();
    findings.require(uses.len() <= MAX_USES, "", "too_long", || format!("more than {MAX_USES} calendars"));
    let rolls = |roll| uses.iter().position(|it| it.roll == roll);
    if let Some((next, previous)) = rolls(Roll::Next).zip(rolls(Roll::Previous)) {
        let later = next.max(previous);
        findings.require(false, &format!("/{later}/roll"), "invalid_value", || {
            "rolls in the other direction than another calendar of this job".to_owned()
        });
    }
    for (index, it) in uses.iter().enumerate() {
        let repeated = uses.iter().take(index).any(|earlier| earlier.name == it.name);
        findings
            .require(!repeated, &format!("/{index}/name"), "invalid_value", || "is listed twice".to_owned());
    }
    findings.finish()
}

/// Those of the calendars `there_are` that a job uses.
///
/// # Errors
/// Names that do not exist, below `/calendars`.
pub fn copies(uses: &[CalendarUse], there_are: &[CalendarCopy]) -> Result<Vec<CalendarCopy>, Invalid> {
    let mut findings = Findings::default();
    let mut copies = Vec::with_capacity(uses.len());
    for (index, it) in uses.iter().enumerate() {
        let copy = there_are.iter().find(|copy| copy.name == it.name);
        findings.require(copy.is_some(), &format!("/calendars/{index}/name"), "unknown_calendar", || {
            format!("there is no calendar “{}”; PUT it to /calendars/ first", shorten(&it.name))
        });
        copies.extend(copy.cloned());
    }
    findings.finish().map(|()| copies)
}
