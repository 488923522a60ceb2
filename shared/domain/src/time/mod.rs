//! From a schedule to instants: the only module that knows about clocks, zones and calendars.
//!
//! Its whole surface is [`Timetable`] (what a schedule means), [`Zone`] and [`tzdb_version`]. jiff and
//! cron stay inside; everything else in the service sees [`Instant`]s.

mod admission;
mod cron;
mod explain;
mod local_set;
mod period;
mod wall;
mod zone;

use chrono::{NaiveDateTime, TimeDelta, TimeZone as _, Utc};

pub(crate) use self::admission::{Admission, LeftOut};
pub use self::explain::Explanation;
pub use self::zone::{Zone, tzdb_version};
use crate::invalid::Invalid;
use crate::schedule::{At, Schedule};
use crate::{HumanDuration, Instant, is_in_range};

/// The shortest interval the service accepts.
pub const MIN_INTERVAL: HumanDuration = HumanDuration::from_secs(1);

/// What a schedule means: the ordered set of its occurrences.
///
/// The set ends with the year 2100. All occurrences lie on whole milliseconds.
#[derive(Clone, Debug)]
pub struct Timetable(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Interval { anchor: i64, every: i64 },
    CalendarInterval(Box<wall::Instants<period::PeriodDays>>),
    Cron(Box<cron::Occurrences>),
    Date(Instant),
}

impl Timetable {
    /// Works out what `schedule` means. Pointers in errors are relative to the schedule.
    ///
    /// An interval without anchor or start date begins at the epoch; [`Schedule::resolved`] sets one.
    pub fn compile(schedule: &Schedule) -> Result<Self, Invalid> {
        match schedule {
            Schedule::Interval(interval) => {
                if interval.every < MIN_INTERVAL {
                    return Err(Invalid::one(
                        "/every",
                        "out_of_range",
                        format!("{} is shorter than {MIN_INTERVAL}", interval.every),
                    ));
                }
                if interval.every > HumanDuration::from_secs(100 * 366 * 86_400) {
                    return Err(Invalid::one("/every", "out_of_range", "longer than 100 years"));
                }
                if !interval.anchor.is_none_or(is_in_range) {
                    return Err(Invalid::one("/anchor", "out_of_range", "lies outside 1970–2100"));
                }
                Ok(Self(Kind::Interval {
                    anchor: interval.anchor.map_or(0, |anchor| anchor.timestamp_millis()),
                    every: i64::try_from(interval.every.as_millis()).unwrap_or(i64::MAX),
                }))
            }
            Schedule::CalendarInterval(interval) => {
                period::compile(interval).map(|it| Self(Kind::CalendarInterval(Box::new(it))))
            }
            Schedule::Cron(cron) => cron::Occurrences::compile(cron).map(|it| Self(Kind::Cron(Box::new(it)))),
            Schedule::Date(date) => {
                let at = match date.at {
                    At::Instant(instant) => Some(instant),
                    At::Local(local) => date.timezone.clone().unwrap_or_default().instant(local),
                };
                at.filter(|at| is_in_range(*at))
                    .map(|at| Self(Kind::Date(at)))
                    .ok_or_else(|| Invalid::one("/at", "out_of_range", "lies outside 1970–2100"))
            }
        }
    }

    /// The first occurrence strictly after `after`.
    pub fn next_after(&self, after: Instant) -> Option<Instant> {
        let next = match &self.0 {
            Kind::Interval { anchor, every } => {
                let steps = (after.timestamp_millis() - anchor).div_euclid(*every) + 1;
                instant(anchor + steps * every)
            }
            Kind::CalendarInterval(instants) => instants.next_after(after),
            Kind::Cron(occurrences) => occurrences.next_after(after),
            Kind::Date(at) => Some(*at).filter(|at| after < *at),
        };
        next.filter(|next| *next < horizon())
    }

    /// The last occurrence at or before `at`.
    pub fn last_until(&self, at: Instant) -> Option<Instant> {
        let at = at.min(last_instant());
        match &self.0 {
            Kind::Interval { anchor, every } => {
                let steps = (at.timestamp_millis() - anchor).div_euclid(*every);
                instant(anchor + steps * every)
            }
            Kind::CalendarInterval(instants) => instants.last_until(at),
            Kind::Cron(occurrences) => occurrences.last_until(at),
            Kind::Date(date) => Some(*date).filter(|date| *date <= at),
        }
    }

    /// All occurrences strictly after `after`, in order.
    pub fn after(&self, after: Instant) -> impl Iterator<Item = Instant> {
        std::iter::successors(self.next_after(after), |last| self.next_after(*last))
    }

    /// How many occurrences lie in `[from, until]`, without enumerating them.
    pub fn count(&self, from: Instant, until: Instant) -> u64 {
        let until = until.min(last_instant());
        if until < from {
            return 0;
        }
        match &self.0 {
            Kind::Interval { anchor, every } => {
                let upper = (until.timestamp_millis() - anchor).div_euclid(*every);
                let lower = (from.timestamp_millis() - anchor - 1).div_euclid(*every);
                u64::try_from(upper - lower).unwrap_or(0)
            }
            Kind::CalendarInterval(instants) => instants.count(from, until),
            Kind::Cron(occurrences) => occurrences.count(from, until),
            Kind::Date(at) => u64::from(from <= *at && *at <= until),
        }
    }
}

/// The first second that no schedule reaches: the start of 2101.
const HORIZON: i64 = 4_133_980_800;

/// The first instant that no schedule reaches.
pub(crate) fn horizon() -> Instant {
    Utc.timestamp_opt(HORIZON, 0).single().unwrap_or(Instant::MAX_UTC)
}

/// The last instant that a schedule may reach.
fn last_instant() -> Instant {
    horizon() - TimeDelta::milliseconds(1)
}

fn instant(millis: i64) -> Option<Instant> {
    Utc.timestamp_millis_opt(millis).single()
}

fn to_jiff(at: Instant) -> jiff::Timestamp {
    // Every instant in the service lies between 1970 and 2101; beyond jiff's range lies nothing of ours.
    jiff::Timestamp::from_millisecond(at.timestamp_millis()).unwrap_or(jiff::Timestamp::MAX)
}

fn from_jiff(at: jiff::Timestamp) -> Option<Instant> {
    instant(at.as_millisecond())
}

fn to_civil(local: NaiveDateTime) -> Option<jiff::civil::DateTime> {
    use chrono::{Datelike, Timelike};
    jiff::civil::DateTime::new(
        i16::try_from(local.year()).ok()?,
        i8::try_from(local.month()).ok()?,
        i8::try_from(local.day()).ok()?,
        i8::try_from(local.hour()).ok()?,
        i8::try_from(local.minute()).ok()?,
        i8::try_from(local.second()).ok()?,
        i32::try_from(local.nanosecond().min(999_999_999)).ok()?,
    )
    .ok()
}
