//! When a job is due, as its author wrote it. What it means is computed by [`crate::time::Timetable`].

mod calendar_interval;
mod eventbridge;

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::calendar_interval::{CalendarInterval, Period};
use crate::duration::shorten;
use crate::parse;
use crate::time::Zone;
use crate::{HumanDuration, Instant, whole_millis};

/// When a job is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Schedule {
    /// Every so often, on a fixed grid of instants.
    Interval(Interval),
    /// Every so many days, weeks, months or years, at a local time.
    CalendarInterval(CalendarInterval),
    /// By a cron expression on the wall clock of a time zone.
    Cron(Cron),
    /// Once.
    Date(Date),
}

/// Every `every` of real time, counted from `anchor`: a restart or a deploy never shifts the grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// At least one second. `1d` is exactly 24 hours.
    #[schema(value_type = String, example = "5m")]
    pub every: HumanDuration,
    /// A point of the grid; the job's creation where not given.
    #[serde(default, serialize_with = "with_millis")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub anchor: Option<Instant>,
    /// The zone in which times are shown; has no influence on the grid.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "UTC")]
    pub timezone: Option<Zone>,
}

/// Whenever the wall clock of `timezone` matches `expression`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// For example `0 2 * * 1-5`, `@daily`, `0 0 12 ? * MON-FRI`, `cron(0 12 ? * MON-FRI *)`. EventBridge's
    /// `rate(5 minutes)` and `at(2026-12-01T09:00:00)` are taken for the `interval` and the `date` they mean, and
    /// stored as such.
    #[schema(example = "0 2 * * 1-5")]
    pub expression: String,
    /// How the expression is read; by its form where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// IANA name; the service's default zone where not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Paris")]
    pub timezone: Option<Zone>,
    /// What becomes of a fixed local time that does not exist on a day the clocks go forward.
    #[serde(default)]
    pub gap: Gap,
    /// What becomes of a fixed local time that exists twice on a day the clocks go back.
    #[serde(default)]
    pub fold: Fold,
}

/// Once, at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Date {
    /// RFC 3339 (`2026-12-01T09:00:00Z`), or a local date-time without offset (`2026-12-01T09:00:00`) read in `timezone`.
    #[schema(value_type = String, example = "2026-12-01T09:00:00Z")]
    pub at: At,
    /// IANA name; the service's default zone where not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Paris")]
    pub timezone: Option<Zone>,
}

/// The cron family an expression is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// cronie: 5 fields (or 6 with seconds first), Sunday is 0 or 7.
    Unix,
    /// Quartz: 6 or 7 fields with seconds first, Sunday is 1.
    Quartz,
    /// EventBridge: 6 fields with year last, Sunday is 1.
    Aws,
}

/// What to do with a fixed local time that falls into a gap of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// Run once, at the instant the clock jumps (cronie's rule).
    #[default]
    NextValid,
    /// Do not run that day (EventBridge's rule).
    Skip,
}

/// What to do with a fixed local time that the clock shows twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// Run the first time only (cronie's rule).
    #[default]
    First,
    /// Run the second time only.
    Second,
    /// Run both times.
    Both,
}

/// An instant, or a local date-time still to be read in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Given with an offset.
    Instant(Instant),
    /// Given without one.
    Local(NaiveDateTime),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = chrono::DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Instant(whole_millis(instant.to_utc())));
        }
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(Self::Local)
            .ok_or_else(|| {
                format!(
                    "“{}” is not a date-time; write 2026-12-01T09:00:00Z or 2026-12-01T09:00:00",
                    shorten(text)
                )
            })
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(instant) => {
                f.write_str(&instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
            }
            Self::Local(local) => write!(f, "{}", local.format("%Y-%m-%dT%H:%M:%S%.f")),
        }
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Instant(instant) => with_millis(&Some(*instant), serializer),
            Self::Local(_) => serializer.collect_str(self),
        }
    }
}

/// Instants are written as everywhere in the API, always with milliseconds.
#[expect(clippy::ref_option, reason = "serde passes fields so")]
pub(crate) fn with_millis<S: Serializer>(at: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)).serialize(serializer)
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = &["interval", "calendar_interval", "cron", "date"];
        let (tag, fields) = parse::tagged(deserializer, known)?;
        match tag.as_str() {
            "interval" => parse::nested(fields).map(Self::Interval),
            "calendar_interval" => parse::nested(fields).map(Self::CalendarInterval),
            "cron" => Self::try_from(parse::nested::<Cron, _>(fields)?).map_err(parse::refuse),
            _ => parse::nested(fields).map(Self::Date),
        }
    }
}

impl Schedule {
    /// The zone it is read or shown in, UTC where none is set.
    pub fn zone(&self) -> Zone {
        let timezone = match self {
            Self::Interval(interval) => &interval.timezone,
            Self::CalendarInterval(interval) => &interval.timezone,
            Self::Cron(cron) => &cron.timezone,
            Self::Date(date) => &date.timezone,
        };
        timezone.clone().unwrap_or_default()
    }

    /// Fills in what the author left to the service, so that the stored schedule means the same for ever:
    /// the zone, and where an interval begins: its anchor is `now`, a calendar interval's start date today.
    ///
    /// `before` is the schedule being replaced, if any: an interval of unchanged length begins where it did.
    #[must_use]
    pub fn resolved(mut self, zone: &Zone, now: Instant, before: Option<&Self>) -> Self {
        let timezone = match &mut self {
            Self::Interval(interval) => {
                let kept = match before {
                    Some(Self::Interval(before)) if before.every == interval.every => before.anchor,
                    _ => None,
                };
                interval.anchor = Some(whole_millis(interval.anchor.or(kept).unwrap_or(now)));
                &mut interval.timezone
            }
            Self::CalendarInterval(interval) => {
                let kept = match before {
                    Some(Self::CalendarInterval(before)) if before.every == interval.every => {
                        before.start_date
                    }
                    _ => None,
                };
                let today = || interval.timezone.as_ref().unwrap_or(zone).local(now).date();
                interval.start_date = interval.start_date.or(kept).or_else(|| Some(today()));
                &mut interval.timezone
            }
            Self::Cron(cron) => &mut cron.timezone,
            Self::Date(date) => &mut date.timezone,
        };
        timezone.get_or_insert_with(|| zone.clone());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn instants_are_written_with_milliseconds_and_read_without() {
        for (short, long) in [
            (
                json!({"type": "interval", "every": "5m", "anchor": "2026-12-01T10:00:00+01:00", "timezone": "UTC"}),
                json!({"type": "interval", "every": "5m", "anchor": "2026-12-01T09:00:00.000Z", "timezone": "UTC"}),
            ),
            (
                json!({"type": "date", "at": "2026-12-01T09:00:00Z", "timezone": "UTC"}),
                json!({"type": "date", "at": "2026-12-01T09:00:00.000Z", "timezone": "UTC"}),
            ),
            (
                json!({"type": "date", "at": "2026-12-01T09:00", "timezone": "UTC"}),
                json!({"type": "date", "at": "2026-12-01T09:00:00", "timezone": "UTC"}),
            ),
        ] {
            let schedule: Schedule = parse::from_value(short).unwrap();
            assert_eq!(serde_json::to_value(&schedule).unwrap(), long);
            assert_eq!(parse::from_value(long), Ok(schedule));
        }
    }
}
