//! The days: which of a month's days an expression admits, and walking and counting them.

use chrono::{Datelike as _, NaiveDate};

use super::expression::Expression;
use super::field::{Field, Item};
use super::sets::{FIRST_YEAR, LAST_YEAR, Sets, Years};
use crate::schedule::Dialect;
use crate::time::wall::Days;

/// How day of month and day of week go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::time) enum DayRule {
    /// Both must match: one of them begins with `*`.
    And,
    /// Either may match: both are restricted, which cron has always read so.
    Or,
}

/// The days an expression admits.
#[derive(Clone, Debug)]
pub(super) struct CronDays {
    years: Years,
    months: u64,
    rule: DayRule,
    numbers: u64,
    weekdays: u64,
    specials: Box<[Item]>,
}

/// A month of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug)]
struct Month {
    year: i32,
    /// 1 to 12.
    of_year: u32,
    /// Its first day.
    first: i64,
}

impl CronDays {
    pub(super) fn new(expression: &Expression, sets: &Sets) -> Self {
        let (of_month, of_week) = (&expression.day_of_month, &expression.day_of_week);
        let special = |field: &Field| {
            field.items.iter().copied().filter(|item| !matches!(item, Item::Span(_))).collect::<Vec<_>>()
        };
        Self {
            years: sets.years,
            months: sets.months,
            rule: rule(expression),
            numbers: sets.days_of_month,
            weekdays: sets.days_of_week,
            specials: [special(of_month), special(of_week)].concat().into(),
        }
    }

    /// The days of a month that match; bits 1 to 31.
    fn of(&self, month: &Month) -> u64 {
        if self.months >> month.of_year & 1 == 0 || !self.years.contains(month.year) {
            return 0;
        }
        let mut of_month = self.numbers;
        let mut of_week = month.weekdays(self.weekdays);
        for item in &self.specials {
            match *item {
                Item::Last(before) => of_month |= month.last(before),
                Item::LastWorkday(before) => of_month |= month.workday_near(month.last(before)),
                Item::NearestWorkday(day) => of_month |= month.workday_near(1 << day & month.all()),
                Item::Nth { weekday, n } => {
                    of_week |= month.weekdays(1 << weekday) & (0x7f << (n * 7 - 6));
                }
                Item::LastWeekday(weekday) => {
                    let days = month.weekdays(1 << weekday);
                    of_week |= days & !(days >> 7);
                }
                Item::Span(_) => {}
            }
        }
        let days = match self.rule {
            DayRule::And => of_month & of_week,
            DayRule::Or => of_month | of_week,
        };
        days & month.all()
    }
}

impl Days for CronDays {
    fn contains(&self, day: i64) -> bool {
        let month = Month::of(day);
        day >= 0 && self.of(&month) >> month.number(day) & 1 == 1
    }

    fn next(&self, day: i64) -> Option<i64> {
        let mut month = Month::of(day);
        let mut days = self.of(&month) & (u64::MAX << month.number(day));
        while days == 0 {
            month = if self.years.contains(month.year) { month.next() } else { month.next_year() };
            if month.year > LAST_YEAR {
                return None;
            }
            days = self.of(&month);
        }
        Some(month.first - 1 + i64::from(days.trailing_zeros()))
    }

    fn previous(&self, day: i64) -> Option<i64> {
        let mut month = Month::of(day);
        let mut days = self.of(&month) & ((1 << month.number(day)) - 1);
        while days == 0 {
            month = if self.years.contains(month.year) { month.previous() } else { month.previous_year() };
            if month.year < FIRST_YEAR {
                return None;
            }
            days = self.of(&month);
        }
        Some(month.first + 62 - i64::from(days.leading_zeros()))
    }

    /// Takes time by the month.
    fn count(&self, from: i64, until: i64) -> i64 {
        let mut count = 0;
        let mut month = Month::of(from);
        while month.first < until && month.year <= LAST_YEAR {
            let mut days = self.of(&month);
            if month.first < from {
                days &= u64::MAX << month.number(from);
            }
            if month.first + month.length() > until {
                days &= (1 << month.number(until)) - 1;
            }
            count += i64::from(days.count_ones());
            month = if self.years.contains(month.year) { month.next() } else { month.next_year() };
        }
        count
    }
}

/// cronie's rule for unix. In the other dialects one of the two is `?`, which admits every day.
fn rule(expression: &Expression) -> DayRule {
    let star = expression.day_of_month.star || expression.day_of_week.star;
    if star || expression.dialect != Dialect::Unix { DayRule::And } else { DayRule::Or }
}

/// The rule in force, where both fields say something.
pub(super) fn rule_in_force(expression: &Expression) -> Option<DayRule> {
    let both = !expression.day_of_month.open && !expression.day_of_week.open;
    both.then(|| rule(expression))
}

impl Month {
    fn of(day: i64) -> Self {
        let last = NaiveDate::from_ymd_opt(LAST_YEAR + 1, 1, 1);
        // Clamped to what the service knows; so there always is such a date.
        let date = i32::try_from(day.max(0)).ok().and_then(NaiveDate::from_epoch_days);
        let date = date.min(last).or(last).unwrap_or_default();
        let first = i64::from(date.to_epoch_days()) - i64::from(date.day0());
        Self { year: date.year(), of_year: date.month(), first }
    }

    fn length(&self) -> i64 {
        match self.of_year {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap(self.year) => 29,
            2 => 28,
            _ => 31,
        }
    }

    fn all(&self) -> u64 {
        (1 << (self.length() + 1)) - 2
    }

    /// Which day of the month `day` is, if it is in it; its edge if not.
    fn number(&self, day: i64) -> u32 {
        u32::try_from((day - self.first + 1).clamp(1, 32)).unwrap_or(1)
    }

    /// All days that are one of the `weekdays`; bits 1 = SUN to 7 = SAT.
    fn weekdays(&self, weekdays: u64) -> u64 {
        const EVERY_SEVENTH: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;
        // 1970-01-01 was a Thursday. Turned so that bit 0 is the weekday of the first, the week is repeated.
        let first = (self.first + 4).rem_euclid(7);
        let week = weekdays >> 1;
        let turned = (week >> first | week << (7 - first)) & 0x7f;
        ((turned * EVERY_SEVENTH) << 1) & self.all()
    }

    /// The day that is `before` days before the last; none if there is no such day.
    fn last(&self, before: u32) -> u64 {
        let day = self.length() - i64::from(before);
        if day < 1 { 0 } else { 1 << day }
    }

    /// The working day nearest to `day` (a set of one day or none) without leaving the month.
    fn workday_near(&self, day: u64) -> u64 {
        let all = self.all();
        if day & self.weekdays(1 << 7) != 0 {
            // Saturday: the Friday before, or on the 1st the Monday after.
            if day >> 1 & all != 0 { day >> 1 } else { day << 2 }
        } else if day & self.weekdays(1 << 1) != 0 {
            // Sunday: the Monday after, or on the last day the Friday before.
            if day << 1 & all != 0 { day << 1 } else { day >> 2 }
        } else {
            day
        }
    }

    fn next(&self) -> Self {
        let first = self.first + self.length();
        if self.of_year == 12 {
            Self { year: self.year + 1, of_year: 1, first }
        } else {
            Self { year: self.year, of_year: self.of_year + 1, first }
        }
    }

    fn previous(&self) -> Self {
        let (year, of_year) =
            if self.of_year == 1 { (self.year - 1, 12) } else { (self.year, self.of_year - 1) };
        let before = Self { year, of_year, first: 0 };
        Self { first: self.first - before.length(), ..before }
    }

    /// January of the next year.
    fn next_year(&self) -> Self {
        let mut month = *self;
        loop {
            month = month.next();
            if month.of_year == 1 {
                return month;
            }
        }
    }

    /// December of the previous year.
    fn previous_year(&self) -> Self {
        let mut month = *self;
        loop {
            month = month.previous();
            if month.of_year == 12 {
                return month;
            }
        }
    }
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}
