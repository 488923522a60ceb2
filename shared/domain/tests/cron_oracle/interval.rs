//! Random calendar intervals, which find their days by walking from the first one.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta};
use domain::Schedule;
use domain::schedule::{CalendarInterval, Fold, Gap, Period};
use domain::time::Zone;
use proptest::prelude::*;

use crate::clock::{Clock, Readings};

#[derive(Clone, Debug)]
pub(crate) struct Random {
    every: Period,
    beginning: Beginning,
    first: NaiveDate,
    /// In seconds of the day.
    time: i64,
    second: [i64; 1],
    /// The days of the next three years, worked out one by one.
    days: Vec<NaiveDate>,
}

/// Where the first day is.
#[derive(Clone, Copy, Debug)]
enum Beginning {
    /// So many days after the start of the first of the two years.
    Anywhere(i64),
    /// On the day before the first of a month, so many months after it.
    AtMonthsEnd(i32),
    /// On one of the days on which clocks change.
    OnOddDay(usize),
}

pub(crate) fn random() -> impl Strategy<Value = Random> {
    let every = prop_oneof![
        (1i64..40).prop_map(Period::Days),
        (1i64..8).prop_map(Period::Weeks),
        (1i64..15).prop_map(Period::Months),
        (1i64..3).prop_map(Period::Years),
    ];
    let beginning = prop_oneof![
        (-1_000i64..800).prop_map(Beginning::Anywhere),
        (-30i32..24).prop_map(Beginning::AtMonthsEnd),
        (0usize..16).prop_map(Beginning::OnOddDay),
    ];
    // Often in the hours in which clocks change.
    let hour = prop_oneof![0i64..4, 0i64..24];
    let second = prop_oneof![Just(0), 0i64..60];
    (every, beginning, hour, 0i64..60, second).prop_map(|(every, beginning, hour, minute, second)| Random {
        every,
        beginning,
        first: NaiveDate::MIN,
        time: hour * 3600 + minute * 60,
        second: [second],
        days: Vec::new(),
    })
}

impl Random {
    pub(crate) fn at(mut self, clock: &Clock) -> Self {
        let start = DateTime::from_timestamp_secs(clock.start).expect("an instant").date_naive();
        self.first = match self.beginning {
            Beginning::OnOddDay(index) => {
                clock.odd_days.get(index % clock.odd_days.len().max(1)).copied().unwrap_or(start)
            }
            Beginning::Anywhere(days) => start + TimeDelta::days(days),
            Beginning::AtMonthsEnd(months) => {
                let year = start.year() + months.div_euclid(12);
                let month = months.rem_euclid(12).unsigned_abs() + 1;
                let first = NaiveDate::from_ymd_opt(year, month, 1).expect("a date");
                first.pred_opt().expect("a date")
            }
        };
        let end = start + TimeDelta::days(800);
        self.days =
            self.first.iter_days().take_while(|day| *day < end).filter(|day| self.falls_on(*day)).collect();
        self
    }

    /// By definition: a whole number of periods after the first day, or the last day of a month that is too short.
    fn falls_on(&self, day: NaiveDate) -> bool {
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month());
        let apart = months(day) - months(self.first);
        let is_last = day.succ_opt().expect("a date").day() == 1;
        let same = day.day() == self.first.day() || is_last && day.day() < self.first.day();
        match self.every {
            Period::Days(days) => (day - self.first).num_days() % days == 0,
            Period::Weeks(weeks) => (day - self.first).num_days() % (7 * weeks) == 0,
            Period::Months(months) => apart % months == 0 && same,
            Period::Years(years) => apart % (12 * years) == 0 && same,
        }
    }

    pub(crate) fn schedule(&self, zone: &str, gap: Gap, fold: Fold) -> Schedule {
        let (hour, minute, second) = (self.time / 3600, self.time / 60 % 60, self.second[0]);
        Schedule::CalendarInterval(CalendarInterval {
            every: self.every,
            time: format!("{hour:02}:{minute:02}:{second:02}").parse().expect("a time of day"),
            start_date: Some(self.first),
            timezone: Some(Zone::named(zone).expect("a zone")),
            gap,
            fold,
        })
    }
}

impl Readings for Random {
    fn admits_day(&self, date: NaiveDate) -> bool {
        self.days.binary_search(&date).is_ok()
    }

    fn admits_minute(&self, time: i64) -> bool {
        time == self.time
    }

    fn seconds(&self) -> &[i64] {
        &self.second
    }
}
