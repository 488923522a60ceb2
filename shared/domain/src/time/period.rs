//! Calendar intervals: the days that are whole periods after a first one.

use chrono::{Datelike as _, Days as DayCount, Months, NaiveDate};

use super::wall::{Days, Instants, Wall};
use crate::invalid::{Findings, Invalid};
use crate::schedule::{CalendarInterval, Period};

/// The first day and every day that is so many periods after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeriodDays {
    start: NaiveDate,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Days(i64),
    Months(i64),
}

/// What `schedule` means. One without a start date starts with the epoch.
pub(super) fn compile(schedule: &CalendarInterval) -> Result<Instants<PeriodDays>, Invalid> {
    let start = schedule.start_date.unwrap_or_default();
    let mut findings = Findings::default();
    findings.nest("/every", schedule.every.check());
    findings.require((1970..=2100).contains(&start.year()), "/start_date", "out_of_range", || {
        "lies outside 1970–2100".to_owned()
    });
    findings.finish()?;
    let step = match schedule.every {
        Period::Days(days) => Step::Days(days),
        Period::Weeks(weeks) => Step::Days(weeks * 7),
        Period::Months(months) => Step::Months(months),
        Period::Years(years) => Step::Months(years * 12),
    };
    let instants = Instants {
        wall: Wall { days: PeriodDays { start, step }, times: schedule.time.into() },
        rules: schedule.timezone.clone().unwrap_or_default().rules().clone(),
        gap: schedule.gap,
        fold: schedule.fold,
    };
    if instants.is_empty() {
        return Err(Invalid::one("/start_date", "never_fires", "has no occurrence from 1970 to 2100"));
    }
    Ok(instants)
}

impl PeriodDays {
    pub(super) fn start(&self) -> NaiveDate {
        self.start
    }

    /// Whether it comes to months too short for the day it starts on. Looks at each day until it knows.
    pub(super) fn shortens(&self) -> bool {
        let may = matches!(self.step, Step::Months(_)) && self.start.day() > 28;
        let mut days = (0..).map_while(|n| self.nth(n)).take_while(|date| date.year() <= 2100);
        may && days.any(|date| date.day() < self.start.day())
    }

    /// The day that is `n` periods after the first: in too short a month its last, which is chrono's rule too.
    fn nth(&self, n: i64) -> Option<NaiveDate> {
        match self.step {
            Step::Days(days) => self.start.checked_add_days(DayCount::new(u64::try_from(n * days).ok()?)),
            Step::Months(months) => {
                self.start.checked_add_months(Months::new(u32::try_from(n * months).ok()?))
            }
        }
    }

    /// How many come before `day`.
    fn before(&self, day: i64) -> i64 {
        if day <= day_of(self.start) {
            return 0;
        }
        let steps = match self.step {
            Step::Days(days) => (day - day_of(self.start)) / days,
            Step::Months(months) => (month_of(date_of(day)) - month_of(self.start)) / months,
        };
        // So many steps lead to this very day or month, or to one before it.
        steps + i64::from(self.nth(steps).is_some_and(|date| day_of(date) < day))
    }
}

impl Days for PeriodDays {
    fn contains(&self, day: i64) -> bool {
        self.next(day) == Some(day)
    }

    fn next(&self, day: i64) -> Option<i64> {
        self.nth(self.before(day)).map(day_of)
    }

    fn previous(&self, day: i64) -> Option<i64> {
        self.nth(self.before(day) - 1).map(day_of)
    }

    fn count(&self, from: i64, until: i64) -> i64 {
        self.before(until) - self.before(from)
    }
}

/// Days since 1970-01-01.
fn day_of(date: NaiveDate) -> i64 {
    date.to_epoch_days().into()
}

fn date_of(day: i64) -> NaiveDate {
    // Days that are asked for are near the years 1970 to 2100.
    i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).unwrap_or(NaiveDate::MAX)
}

fn month_of(date: NaiveDate) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month0())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::time::Timetable;
    use crate::{Instant, parse};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn dates(start: &str, step: Step, count: i64) -> Vec<String> {
        let days = PeriodDays { start: date(start), step };
        (0..count).filter_map(|n| days.nth(n)).map(|date| date.to_string()).collect()
    }

    #[test]
    fn short_months_take_the_last_day_and_nothing_drifts() {
        assert_eq!(
            dates("2027-01-31", Step::Months(1), 5),
            ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
        );
        assert_eq!(
            dates("2028-02-29", Step::Months(12), 5),
            ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]
        );
        assert_eq!(dates("2026-11-30", Step::Months(3), 3), ["2026-11-30", "2027-02-28", "2027-05-30"]);
    }

    #[test]
    fn it_is_known_whether_a_month_is_too_short() {
        let shortens = |start, step| PeriodDays { start: date(start), step }.shortens();
        assert!(shortens("2026-12-31", Step::Months(1)));
        assert!(!shortens("2026-12-28", Step::Months(1)));
        assert!(!shortens("2026-12-31", Step::Days(1)));
        assert!(!shortens("2026-12-31", Step::Months(12)));
        // July, September: 31 days, then 30.
        assert!(shortens("2026-07-31", Step::Months(2)));
        // All leap years until 2096; 2100 is none.
        assert!(shortens("2028-02-29", Step::Months(48)));
        assert!(!shortens("2096-02-29", Step::Months(60)));
        assert!(!shortens("2100-12-31", Step::Months(1)));
    }

    /// The instants from a day on, of a schedule in the zone.
    fn instants(schedule: Value, from: &str, count: usize) -> Vec<String> {
        let schedule = parse::from_value(schedule).unwrap();
        let timetable = Timetable::compile(&schedule).unwrap();
        let from = date(from).and_time(chrono::NaiveTime::MIN).and_utc();
        let text = |at: Instant| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let found: Vec<_> = timetable.after(from).take(count).collect();
        let until = found.last().copied().unwrap_or(from);
        assert_eq!(timetable.count(from + chrono::TimeDelta::seconds(1), until), count as u64);
        found.into_iter().map(text).collect()
    }

    #[test]
    fn it_begins_on_its_start_date() {
        let schedule = json!({
            "type": "calendar_interval", "every": {"months": 1}, "time": "09:00", "start_date": "2026-12-31",
            "timezone": "Europe/Paris"
        });
        assert_eq!(
            instants(schedule, "2020-01-01", 4),
            ["2026-12-31T08:00:00Z", "2027-01-31T08:00:00Z", "2027-02-28T08:00:00Z", "2027-03-31T07:00:00Z"]
        );
    }

    #[test]
    fn two_days_that_meet_at_the_end_of_a_gap_are_one() {
        // 2011-12-30 was left out in Samoa: 10:00Z was the midnight of both that day and the next.
        let daily = |time, gap| {
            json!({
                "type": "calendar_interval", "every": {"days": 1}, "time": time, "start_date": "2011-12-01",
                "timezone": "Pacific/Apia", "gap": gap
            })
        };
        let (before, jump, after) = ("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z");
        assert_eq!(instants(daily("00:00", "next_valid"), "2011-12-29", 3), [before, jump, after]);
        assert_eq!(instants(daily("00:00", "skip"), "2011-12-29", 3), [before, jump, after]);
        let nine = "2011-12-30T19:00:00Z";
        assert_eq!(instants(daily("09:00", "next_valid"), "2011-12-30", 2), [jump, nine]);
        assert_eq!(instants(daily("09:00", "skip"), "2011-12-30", 1), [nine]);
        let schedule = parse::from_value(daily("09:00", "next_valid")).unwrap();
        let timetable = Timetable::compile(&schedule).unwrap();
        let stands_for = |at: &str| timetable.stands_for(at.parse().unwrap()).map(|local| local.to_string());
        assert_eq!(stands_for(jump).as_deref(), Some("2011-12-30 09:00:00"));
        assert_eq!(stands_for(nine), None);
    }

    fn periods() -> impl Strategy<Value = PeriodDays> {
        let step = prop_oneof![
            (1..400i64).prop_map(Step::Days),
            (1..40i64).prop_map(Step::Months),
            (1..=1_200i64).prop_map(Step::Months),
        ];
        (0..47_847i32, step)
            .prop_map(|(start, step)| PeriodDays { start: NaiveDate::from_epoch_days(start).unwrap(), step })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// By a walk over the days around a probe, each asked by itself.
        #[test]
        fn agrees_with_a_walk(days in periods(), probe in 0..47_847i64) {
            let member = |day: i64| {
                let (start, date) = (days.start, date_of(day));
                date >= start && match days.step {
                    Step::Days(step) => (day - day_of(start)) % step == 0,
                    Step::Months(step) => {
                        let last = (28..=31).rev().find_map(|last| date.with_day(last)).unwrap().day();
                        (month_of(date) - month_of(start)) % step == 0 && date.day() == start.day().min(last)
                    }
                }
            };
            let mut count = 0;
            for day in probe..probe + 1_000 {
                prop_assert_eq!(days.contains(day), member(day));
                prop_assert_eq!(days.count(probe, day), count);
                if member(day) {
                    count += 1;
                    prop_assert_eq!(days.previous(day + 1), Some(day));
                    let next = days.next(day + 1).unwrap();
                    prop_assert!(next > day && member(next));
                    prop_assert_eq!(days.previous(next), Some(day));
                }
            }
            prop_assert!(days.previous(day_of(days.start)).is_none());
        }
    }
}
