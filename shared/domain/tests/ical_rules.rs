//! Recurrence rules of iCalendar files beside a walk over all days that asks of each whether the rule means it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chrono::{Datelike as _, Months, NaiveDate, TimeDelta, Weekday};
use domain::calendar::{CalendarDay, CalendarDraft, ical};
use proptest::prelude::*;

/// A rule, and what it says in parts.
#[derive(Clone, Debug)]
struct Rule {
    frequency: &'static str,
    interval: i64,
    end: End,
    months: Vec<u32>,
    month_days: Vec<i32>,
    weekdays: Vec<(i32, usize)>,
    positions: Vec<i32>,
    week_start: usize,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Count(usize),
    /// So many days after the first: fewer than a calendar holds.
    Until(i64),
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

prop_compose! {
    fn rules()(
        frequency in prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        interval in 1i64..5,
        end in prop_oneof![(1usize..30).prop_map(End::Count), (0i64..2_000).prop_map(End::Until)],
        months in prop::collection::vec(1u32..=12, 0..3),
        month_days in prop::collection::vec(prop_oneof![1i32..=31, -31i32..=-1], 0..3),
        weekdays in prop::collection::vec((prop_oneof![Just(0), -2i32..=4], 0usize..7), 0..3),
        positions in prop_oneof![4 => Just(vec![]), 1 => prop::collection::vec(prop_oneof![1i32..=3, -3i32..=-1], 1..3)],
        week_start in 0usize..7,
    ) -> Rule {
        let ordinals = matches!(frequency, "MONTHLY" | "YEARLY");
        let weekdays = weekdays.into_iter().map(|(nth, day)| (if ordinals { nth } else { 0 }, day)).collect();
        let month_days = if frequency == "WEEKLY" { Vec::new() } else { month_days };
        Rule { frequency, interval, end, months, month_days, weekdays, positions, week_start }
    }
}

impl Rule {
    fn text(&self, first: NaiveDate) -> String {
        let mut parts = vec![format!("FREQ={};INTERVAL={}", self.frequency, self.interval)];
        parts.push(match self.end {
            End::Count(count) => format!("COUNT={count}"),
            End::Until(days) => format!("UNTIL={}", (first + TimeDelta::days(days)).format("%Y%m%d")),
        });
        let mut list = |name: &str, items: Vec<String>| {
            if !items.is_empty() {
                parts.push(format!("{name}={}", items.join(",")));
            }
        };
        let weekday = |(nth, day): &(i32, usize)| {
            let name = WEEKDAYS[*day].0;
            if *nth == 0 { name.to_owned() } else { format!("{nth}{name}") }
        };
        list("BYMONTH", self.months.iter().map(ToString::to_string).collect());
        list("BYMONTHDAY", self.month_days.iter().map(ToString::to_string).collect());
        list("BYDAY", self.weekdays.iter().map(weekday).collect());
        list("BYSETPOS", self.positions.iter().map(ToString::to_string).collect());
        list("WKST", vec![WEEKDAYS[self.week_start].0.to_owned()]);
        format!("RRULE:{}", parts.join(";"))
    }

    /// The days of the rule to the end of 2100.
    fn days(&self, first: NaiveDate) -> Vec<NaiveDate> {
        let last = match self.end {
            End::Count(_) => NaiveDate::MAX,
            End::Until(days) => first + TimeDelta::days(days),
        };
        // From before the first on: positions are counted within whole periods.
        let walk = (first - TimeDelta::days(366)).iter_days().take_while(|day| day.year() <= 2100);
        let mut periods: Vec<(i64, Vec<NaiveDate>)> = Vec::new();
        for day in walk.filter(|day| self.holds(*day, first)) {
            let number = self.period(day, first);
            match periods.last_mut() {
                Some((last, days)) if *last == number => days.push(day),
                _ => periods.push((number, vec![day])),
            }
        }
        let due = periods.into_iter().filter(|(number, _)| *number >= 0 && number % self.interval == 0);
        let chosen = due.flat_map(|(_, days)| self.at_positions(days));
        let days = chosen.filter(|day| first <= *day && *day <= last);
        match self.end {
            End::Count(count) => days.take(count).collect(),
            End::Until(_) => days.collect(),
        }
    }

    fn at_positions(&self, days: Vec<NaiveDate>) -> Vec<NaiveDate> {
        if self.positions.is_empty() {
            return days;
        }
        let from_end: Vec<_> = days.iter().rev().copied().collect();
        let at = |position: &i32| {
            let side = if *position > 0 { &days } else { &from_end };
            side.get(position.unsigned_abs() as usize - 1).copied()
        };
        let mut chosen: Vec<_> = self.positions.iter().filter_map(at).collect();
        chosen.sort();
        chosen.dedup();
        chosen
    }

    /// How many days, weeks, months or years after that of the first.
    fn period(&self, day: NaiveDate, first: NaiveDate) -> i64 {
        let week = |day: NaiveDate| day.week(WEEKDAYS[self.week_start].1).first_day();
        let month = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        match self.frequency {
            "DAILY" => (day - first).num_days(),
            "WEEKLY" => (week(day) - week(first)).num_days() / 7,
            "MONTHLY" => month(day) - month(first),
            _ => i64::from(day.year() - first.year()),
        }
    }

    /// Whether a day belongs to the rule by what it says of days.
    fn holds(&self, day: NaiveDate, first: NaiveDate) -> bool {
        let named_days = !self.month_days.is_empty() || !self.weekdays.is_empty();
        let in_month = match (self.months.as_slice(), self.frequency) {
            ([], "YEARLY") if !named_days => day.month() == first.month(),
            ([], _) => true,
            (months, _) => months.contains(&day.month()),
        };
        let number = day.day().cast_signed();
        let length = (day.with_day(1).unwrap() + Months::new(1)).pred_opt().unwrap().day().cast_signed();
        let on_day = match self.frequency {
            _ if !self.month_days.is_empty() => {
                self.month_days.iter().any(|wanted| *wanted == number || wanted + length + 1 == number)
            }
            "MONTHLY" | "YEARLY" if !named_days => day.day() == first.day(),
            _ => true,
        };
        let on_weekday = match self.frequency {
            _ if !self.weekdays.is_empty() => self.weekdays.iter().any(|(nth, weekday)| {
                day.weekday() == WEEKDAYS[*weekday].1 && (*nth == 0 || self.is_nth(day, *nth))
            }),
            "WEEKLY" => day.weekday() == first.weekday(),
            _ => true,
        };
        in_month && on_day && on_weekday
    }

    /// Counts the days of that weekday before (or after) this one in the month or year.
    fn is_nth(&self, day: NaiveDate, nth: i32) -> bool {
        let whole_year = self.frequency == "YEARLY" && self.months.is_empty();
        let same =
            |other: &NaiveDate| other.year() == day.year() && (whole_year || other.month() == day.month());
        let step = TimeDelta::days(if nth > 0 { -7 } else { 7 });
        let others = std::iter::successors(Some(day), |day| Some(*day + step)).take_while(same).count();
        others == nth.unsigned_abs() as usize
    }
}

/// What a file with one event of these lines holds; nothing where no time of it counts.
fn read(lines: &[&str]) -> CalendarDraft {
    let event = format!("BEGIN:VEVENT\r\nUID:1\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n"));
    match ical::read(&format!("BEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n")) {
        Ok(draft) => draft,
        Err(refusal) if refusal.to_string().contains("no events that count") => CalendarDraft::default(),
        Err(refusal) => panic!("{refusal}"),
    }
}

fn firsts() -> impl Strategy<Value = NaiveDate> {
    (0i64..30_000).prop_map(|days| NaiveDate::from_ymd_opt(1971, 1, 1).unwrap() + TimeDelta::days(days))
}

#[test]
#[should_panic(expected = "comes again too often")]
fn a_rule_may_fill_a_calendar_but_no_more() {
    let daily = |count| read(&["DTSTART;VALUE=DATE:20000101", &format!("RRULE:FREQ=DAILY;COUNT={count}")]);
    assert_eq!(daily(2_000).dates.len(), 2_000);
    daily(2_001);
}

proptest! {
    #[test]
    fn rules_give_the_days_that_a_walk_finds(rule in rules(), first in firsts()) {
        let start = format!("DTSTART;VALUE=DATE:{}", first.format("%Y%m%d"));
        let text = rule.text(first);
        let days: Vec<_> = read(&[&start, &text]).dates.iter().map(CalendarDay::to_string).collect();
        let expected: Vec<_> = rule.days(first).iter().map(ToString::to_string).collect();
        prop_assert_eq!(days, expected, "{} {}", start, text);
    }

    /// Every night that it comes, also those in which the clock changes, less one that is left out.
    #[test]
    fn nights_keep_to_their_clock(rule in rules(), first in firsts(), left_out in 0usize..3) {
        let start = format!("DTSTART;TZID=Europe/Paris:{}T220000", first.format("%Y%m%d"));
        let end = format!("DTEND;TZID=Europe/Paris:{}T060000", first.succ_opt().unwrap().format("%Y%m%d"));
        let mut nights = rule.days(first);
        let exdate = match nights.get(left_out).copied() {
            Some(night) => {
                nights.remove(left_out);
                format!("EXDATE;TZID=Europe/Paris:{}T220000", night.format("%Y%m%d"))
            }
            None => "X-NOTHING:left out".to_owned(),
        };
        let draft = read(&[&start, &end, &rule.text(first), &exdate]);
        let ranges: Vec<_> = draft.ranges.iter().map(|it| format!("{} {}", it.from, it.until)).collect();
        let horizon = NaiveDate::from_ymd_opt(2100, 12, 31).unwrap();
        let expected: Vec<_> = nights.iter().map(|night| match night.succ_opt().unwrap() {
            next if next > horizon => format!("{night}T22:00:00 {night}"),
            next => format!("{night}T22:00:00 {next}T06:00:00"),
        }).collect();
        prop_assert_eq!(ranges, expected);
    }
}
