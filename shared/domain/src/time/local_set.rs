//! A calendar as a set of readings of a wall clock, and how long the answer stays the same.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime};

use crate::calendar::{CalendarDay, CalendarDraft, CalendarRange};

const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;

/// Further than any clock of ours shows.
const NEVER: i64 = 1 << 40;

/// Readings, as seconds since 1970-01-01T00:00:00 on that very clock.
#[derive(Clone, Debug)]
pub(super) struct LocalSet {
    /// Days and ranges: first reading, and first one after. In order, none touching another.
    ranges: Vec<(i64, i64)>,
    /// The same, counted from Monday's start.
    week: Vec<(i64, i64)>,
    /// Month and day of the days that are in the set every year. In order, each once.
    yearly: Vec<(u32, u32)>,
}

/// Readings around one, all in the set or all outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) inside: bool,
    /// The first reading known to be alike.
    pub(super) from: i64,
    /// The first reading after those.
    pub(super) until: i64,
}

impl LocalSet {
    pub(super) fn new(calendar: &CalendarDraft) -> Self {
        let mut yearly = Vec::new();
        let mut ranges: Vec<_> = calendar.ranges.iter().map(CalendarRange::bounds).map(seconds).collect();
        for day in &calendar.dates {
            match *day {
                CalendarDay::Once(date) => {
                    let start = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
                    ranges.push((start, start + DAY));
                }
                CalendarDay::Yearly { month, day } => yearly.push((month, day)),
            }
        }
        yearly.sort_unstable();
        yearly.dedup();
        let mut week = Vec::new();
        for hours in &calendar.weekly {
            let from = hours.from.map_or(0, |time| time.seconds().into());
            let until = hours.until.map_or(DAY, |time| time.seconds().into());
            let until = if until <= from { until + DAY } else { until };
            for day in &hours.days {
                let monday = i64::from(*day as u8) * DAY;
                week.push((monday + from, WEEK.min(monday + until)));
                // Sunday night reaches into the same week's start.
                week.push((0, (monday + until - WEEK).max(0)));
            }
        }
        Self { ranges: merged(ranges), week: merged(week), yearly }
    }

    /// The stretch around a reading. It may be shorter than the longest one, never longer.
    pub(super) fn around(&self, reading: i64) -> Stretch {
        let parts = [around(&self.ranges, reading), self.weekly(reading), self.yearly(reading)];
        let mut inside = parts.iter().filter(|part| part.inside).peekable();
        if inside.peek().is_some() {
            inside.fold(Stretch { inside: true, from: reading, until: reading }, |all, part| Stretch {
                from: all.from.min(part.from),
                until: all.until.max(part.until),
                ..all
            })
        } else {
            parts.iter().fold(Stretch { inside: false, from: -NEVER, until: NEVER }, |all, part| Stretch {
                from: all.from.max(part.from),
                until: all.until.min(part.until),
                ..all
            })
        }
    }

    fn weekly(&self, reading: i64) -> Stretch {
        // All of it is one stretch without end, as none of it is.
        match self.week.first() {
            None => return around(&[], reading),
            Some((0, WEEK)) => return Stretch { inside: true, from: -NEVER, until: NEVER },
            Some(_) => {}
        }
        // 1970-01-01 was a Thursday.
        let monday = reading - (reading + 3 * DAY).rem_euclid(WEEK);
        let Stretch { inside, from, until } = around(&self.week, reading - monday);
        Stretch { inside, from: monday + from.max(0), until: monday + until.min(WEEK) }
    }

    /// As far as the days around it in the same year.
    fn yearly(&self, reading: i64) -> Stretch {
        let Some(date) = DateTime::from_timestamp(reading, 0).filter(|_| !self.yearly.is_empty()) else {
            return around(&[], reading);
        };
        let (year, today) = (date.year(), (date.month(), date.day()));
        let start = |(month, day)| start_of(year, month, day);
        let end = |(month, day)| start_of(year, month, day + 1);
        match self.yearly.binary_search(&today) {
            Ok(_) => Stretch { inside: true, from: start(today), until: end(today) },
            Err(later) => {
                let (before, after) = self.yearly.split_at(later);
                Stretch {
                    inside: false,
                    from: before.last().copied().map_or(start((1, 1)), end),
                    until: after.first().copied().map_or(start((13, 1)), start),
                }
            }
        }
    }
}

/// The first reading of that day, or of the first day after it where a year does not have it.
fn start_of(year: i32, month: u32, day: u32) -> i64 {
    let date = NaiveDate::from_ymd_opt(year, month, day)
        .or_else(|| NaiveDate::from_ymd_opt(year, month + 1, 1))
        .or_else(|| NaiveDate::from_ymd_opt(year + 1, 1, 1));
    date.map_or(NEVER, |date| i64::from(date.to_epoch_days()) * DAY)
}

fn seconds((from, until): (NaiveDateTime, NaiveDateTime)) -> (i64, i64) {
    (from.and_utc().timestamp(), until.and_utc().timestamp())
}

/// In order, with those that touch made one.
fn merged(mut ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    ranges.retain(|(from, until)| from < until);
    ranges.sort_unstable();
    ranges.dedup_by(|later, earlier| {
        let touching = later.0 <= earlier.1;
        if touching {
            earlier.1 = earlier.1.max(later.1);
        }
        touching
    });
    ranges
}

fn around(ranges: &[(i64, i64)], reading: i64) -> Stretch {
    let (begun, later) = ranges.split_at(ranges.partition_point(|(from, _)| *from <= reading));
    let before = begun.last().copied();
    match before.filter(|(_, until)| reading < *until) {
        Some((from, until)) => Stretch { inside: true, from, until },
        None => Stretch {
            inside: false,
            from: before.map_or(-NEVER, |(_, until)| until),
            until: later.first().map_or(NEVER, |(from, _)| *from),
        },
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::parse;

    fn set(calendar: serde_json::Value) -> LocalSet {
        LocalSet::new(&parse::from_value::<CalendarDraft>(calendar).unwrap())
    }

    fn reading(text: &str) -> i64 {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap().and_utc().timestamp()
    }

    #[test]
    fn days_ranges_and_hours_are_one_set() {
        let set = set(json!({
            "dates": ["2026-12-25", "05-01"],
            "ranges": [{"from": "2026-12-31T18:00", "until": "2027-01-01"}],
            "weekly": [{"days": ["sat", "sun"]}, {"days": ["fri"], "from": "22:00", "until": "06:00"}],
        }));
        let inside = |text| set.around(reading(text)).inside;
        // 2026-12-25 is a Friday, and the weekend follows.
        assert!(!inside("2026-12-24T23:59") && inside("2026-12-25T00:00"));
        let christmas = set.around(reading("2026-12-25T12:00"));
        assert_eq!(christmas.until, reading("2026-12-26T00:00"));
        assert!(inside("2026-12-27T23:59") && !inside("2026-12-28T00:00"));
        assert!(!inside("2026-12-31T17:59") && inside("2026-12-31T18:00") && inside("2027-01-01T21:59"));
        assert!(inside("2031-05-01T00:00") && !inside("2031-05-02T00:00"));
        // Friday night reaches into Saturday, which is whole anyway; Sunday's end is Monday's start.
        assert!(inside("2026-12-04T22:00") && !inside("2026-12-04T21:59"));
    }

    #[test]
    fn sunday_night_reaches_into_monday() {
        let set = set(json!({"weekly": [{"days": ["sun"], "from": "22:00", "until": "02:00"}]}));
        let inside = |text| set.around(reading(text)).inside;
        assert!(inside("2026-11-29T22:00") && inside("2026-11-30T01:59") && !inside("2026-11-30T02:00"));
    }

    prop_compose! {
        fn calendars()(
            days in prop::collection::vec(0i64..400, 0..6),
            yearly in prop::collection::vec((1u32..=12, 1u32..=28), 0..4),
            hours in prop::collection::vec((0u8..7, 0u32..24, 0u32..24), 0..4),
        ) -> CalendarDraft {
            const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let date = |day: i64| DateTime::from_timestamp(day * DAY, 0).unwrap().date_naive().to_string();
            let dates: Vec<_> = days.iter().map(|day| date(19_000 + day))
                .chain(yearly.iter().map(|(month, day)| format!("{month:02}-{day:02}"))).collect();
            let weekly: Vec<_> = hours.iter().filter(|(_, from, until)| from != until).map(|(day, from, until)| json!({
                "days": [NAMES[usize::from(*day)]], "from": format!("{from:02}:00"), "until": format!("{until:02}:00"),
            })).collect();
            parse::from_value(json!({"dates": dates, "weekly": weekly})).unwrap()
        }
    }

    /// Whether the calendar holds a reading, by looking at its entries one by one.
    fn holds(calendar: &CalendarDraft, reading: i64) -> bool {
        let at = DateTime::from_timestamp(reading, 0).unwrap().naive_utc();
        let of_day = |date| {
            calendar.dates.iter().any(|day| match *day {
                CalendarDay::Once(once) => once == date,
                CalendarDay::Yearly { month, day } => (date.month(), date.day()) == (month, day),
            })
        };
        let of_week = calendar.weekly.iter().any(|hours| {
            (0..=1).any(|ago| {
                let date = at.date() - chrono::TimeDelta::days(ago);
                let from = date.and_time(NaiveTime::MIN)
                    + chrono::TimeDelta::seconds(hours.from.unwrap().seconds().into());
                let mut until = date.and_time(NaiveTime::MIN)
                    + chrono::TimeDelta::seconds(hours.until.unwrap().seconds().into());
                if until <= from {
                    until += chrono::TimeDelta::days(1);
                }
                hours.days[0] as u32 == date.weekday().num_days_from_monday() && from <= at && at < until
            })
        });
        of_day(at.date()) || of_week
    }

    proptest! {
        #[test]
        fn a_stretch_is_alike_all_through(calendar in calendars(), reading in 1_641_000_000i64..1_676_000_000) {
            let set = LocalSet::new(&calendar);
            let Stretch { inside, from, until } = set.around(reading);
            prop_assert!(from <= reading && reading < until);
            prop_assert_eq!(inside, holds(&calendar, reading));
            let (from, until) = (from.max(0), until.min(2 * reading));
            for other in [from, i64::midpoint(from, reading), i64::midpoint(reading, until), until - 1] {
                prop_assert_eq!(inside, holds(&calendar, other), "{} of {}..{}", other, from, until);
            }
        }
    }
}
