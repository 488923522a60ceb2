//! What a calendar consists of: days, ranges and weekly hours, as their author wrote them.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::duration::shorten;
use crate::invalid::{Findings, Invalid};
use crate::time_of_day::TimeOfDay;

/// A whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarDay {
    /// `2026-12-25`.
    Once(NaiveDate),
    /// `12-25`: in every year that has the day.
    Yearly {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
}

/// From one local time to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarRange {
    /// `2026-12-24`, from the day's start; or `2026-12-24T18:00`.
    #[schema(value_type = String, example = "2026-12-24T18:00")]
    pub from: Edge,
    /// `2027-01-01`, to the day's end; or `2027-01-01T06:00`, up to but not at that time.
    #[schema(value_type = String, example = "2027-01-01")]
    pub until: Edge,
}

/// Where a range begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A whole day, included.
    Day(NaiveDate),
    /// A reading of the clock, in whole seconds.
    Time(NaiveDateTime),
}

/// Days of the week, whole or some of their hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeeklyHours {
    /// Which days.
    #[schema(min_items = 1)]
    pub days: Vec<Weekday>,
    /// The first time of each of those days; midnight where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "09:00")]
    pub from: Option<TimeOfDay>,
    /// Up to but not at this time, of the next day where it is not after `from`; the day's end where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "17:30")]
    pub until: Option<TimeOfDay>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are the days of the week")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<chrono::Weekday> for Weekday {
    fn from(day: chrono::Weekday) -> Self {
        match day {
            chrono::Weekday::Mon => Self::Mon,
            chrono::Weekday::Tue => Self::Tue,
            chrono::Weekday::Wed => Self::Wed,
            chrono::Weekday::Thu => Self::Thu,
            chrono::Weekday::Fri => Self::Fri,
            chrono::Weekday::Sat => Self::Sat,
            chrono::Weekday::Sun => Self::Sun,
        }
    }
}

/// Calendars reach as far as schedules do.
fn is_served(date: NaiveDate) -> bool {
    (1970..=2100).contains(&date.year())
}

impl FromStr for CalendarDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!("“{}” is not a day; write 2026-12-25, or 12-25 for every year (1970–2100)", shorten(text))
        };
        if let Some(date) = date(text) {
            return Some(Self::Once(date)).filter(|_| is_served(date)).ok_or_else(refused);
        }
        // 2024 has every day that any year has.
        let date = (text.len() == 5).then(|| date(&format!("2024-{text}"))).flatten().ok_or_else(refused)?;
        Ok(Self::Yearly { month: date.month(), day: date.day() })
    }
}

/// chrono by itself also reads `2026- 1-5 ` and the like.
fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|date| date.to_string() == text)
}

impl fmt::Display for CalendarDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once(date) => write!(f, "{date}"),
            Self::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
        }
    }
}

impl FromStr for Edge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = || {
            let (day, time) = text.split_once('T')?;
            let seconds = time.parse::<TimeOfDay>().ok()?.seconds();
            Some(date(day)?.and_time(NaiveTime::MIN) + TimeDelta::seconds(seconds.into()))
        };
        let edge = date(text).map(Self::Day).or_else(|| time().map(Self::Time));
        edge.filter(|edge| is_served(edge.day())).ok_or_else(|| {
            format!(
                "“{}” is not a local time; write 2026-12-24 or 2026-12-24T18:00 (1970–2100)",
                shorten(text)
            )
        })
    }
}

impl Edge {
    fn day(self) -> NaiveDate {
        match self {
            Self::Day(date) => date,
            Self::Time(time) => time.date(),
        }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => write!(f, "{date}"),
            Self::Time(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(CalendarDay);
as_text!(Edge);

impl CalendarRange {
    /// Its first reading and the first after it.
    pub(crate) fn bounds(&self) -> (NaiveDateTime, NaiveDateTime) {
        let from = match self.from {
            Edge::Day(date) => date.and_time(NaiveTime::MIN),
            Edge::Time(time) => time,
        };
        let until = match self.until {
            Edge::Day(date) => date.and_time(NaiveTime::MIN) + TimeDelta::days(1),
            Edge::Time(time) => time,
        };
        (from, until)
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        let (from, until) = self.bounds();
        let mut findings = Findings::default();
        findings.require(from < until, "/until", "out_of_range", || "does not lie after from".to_owned());
        findings.finish()
    }
}

impl WeeklyHours {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        findings.require(!self.days.is_empty(), "/days", "too_short", || "must not be empty".to_owned());
        findings.require(self.days.len() <= 7, "/days", "too_long", || "a week has seven days".to_owned());
        let never = self.from.is_some() && self.from == self.until;
        findings.require(!never, "/until", "out_of_range", || {
            "is the same as from; leave both out for the whole day".to_owned()
        });
        findings.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: FromStr<Err = String>>(text: &str) -> bool {
        text.parse::<T>().is_err()
    }

    #[test]
    fn days_and_edges_read_what_they_write() {
        for text in ["2026-12-25", "1970-01-01", "2100-12-31", "12-25", "02-29"] {
            assert_eq!(text.parse::<CalendarDay>().unwrap().to_string(), text);
        }
        for text in ["2026-12-24", "2026-12-24T18:00:00", "2100-12-31T23:59:59"] {
            assert_eq!(text.parse::<Edge>().unwrap().to_string(), text);
        }
        assert_eq!("2026-12-24T18:00".parse::<Edge>(), "2026-12-24T18:00:00".parse());
    }

    /// chrono takes blanks, signs and missing digits for part of a number.
    #[test]
    fn days_and_edges_have_one_form() {
        for text in [
            "",
            "2026-1-5",
            "2026- 1-05",
            "+026-12-25",
            " 026-12-25",
            "12- 5",
            "1-05",
            "02-30",
            "2027-02-29",
            "1969-12-31",
            "2101-01-01",
        ] {
            assert!(refused::<CalendarDay>(text), "“{text}”");
            assert!(refused::<Edge>(text), "“{text}”");
        }
        for text in [
            "2026-12-24T6:00",
            "2026-12-24T 6:00",
            "2026-12-24T24:00",
            "2026-12-24T23:59:60",
            "2026-12-24T18:00Z",
            "2026-12-24 18:00",
            "2101-01-01T00:00",
        ] {
            assert!(refused::<Edge>(text), "“{text}”");
        }
    }
}
