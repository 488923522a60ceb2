//! Recurrence rules (RFC 5545, section 3.3.10), as far as calendars of holidays and maintenance use them.

use chrono::{Datelike as _, Days, Months, NaiveDate, Weekday};

use super::lines::Line;
use super::moment::{Kind, Moment, Zones};
use super::{Result, refuse};
use crate::duration::shorten;
use crate::time::Zone;

/// A rule: on which days an event comes again. Its time of day is that of the first.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: u32,
    /// How many times in all.
    count: Option<usize>,
    /// The last start there may be.
    until: Option<Moment>,
    months: Vec<u32>,
    /// From the month's end where negative.
    month_days: Vec<i32>,
    /// With an ordinal: the n-th of the month or year, from its end where negative.
    pub(super) weekdays: Vec<(Option<i32>, Weekday)>,
    positions: Vec<i32>,
    week_start: Weekday,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// No rule is followed further than to the end of 2100.
const LAST_YEAR: i32 = 2100;

impl Rule {
    pub(super) fn read(line: &Line<'_>, zones: &Zones) -> Result<Self> {
        let wrong = |part: &str| {
            refuse(format!("line {}: “{}” of a recurrence rule is not supported", line.number, shorten(part)))
        };
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            month_days: Vec::new(),
            weekdays: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Mon,
        };
        let mut frequency = None;
        for part in line.value.split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| wrong(part))?;
            let number =
                || value.trim().parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(|| wrong(part));
            match name.trim().to_ascii_uppercase().as_str() {
                "FREQ" => {
                    frequency = Some(match value.trim().to_ascii_uppercase().as_str() {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return Err(wrong(part)),
                    });
                }
                "INTERVAL" => rule.interval = number()?,
                "COUNT" => rule.count = usize::try_from(number()?).ok(),
                "UNTIL" => rule.until = zones.moments(line, value)?.into_iter().next(),
                "BYMONTH" => {
                    let month = |text: &str| text.parse().ok().filter(|month| (1..=12).contains(month));
                    rule.months = list(value, month).ok_or_else(|| wrong(part))?;
                }
                "BYMONTHDAY" => {
                    rule.month_days = list(value, |text| signed(text, 31)).ok_or_else(|| wrong(part))?;
                }
                "BYSETPOS" => {
                    rule.positions = list(value, |text| signed(text, 366)).ok_or_else(|| wrong(part))?;
                }
                "BYDAY" => rule.weekdays = list(value, weekday).ok_or_else(|| wrong(part))?,
                "WKST" => {
                    rule.week_start = match weekday(value.trim()) {
                        Some((None, day)) => day,
                        _ => return Err(wrong(part)),
                    };
                }
                _ => return Err(wrong(part)),
            }
        }
        rule.frequency = frequency.ok_or_else(|| wrong("FREQ"))?;
        Ok(rule)
    }

    /// Whether it goes on for ever, and nothing narrows it down but what its first day says as well.
    pub(super) fn is_plain(&self) -> bool {
        self.interval == 1 && self.count.is_none() && self.until.is_none() && self.positions.is_empty()
    }

    /// Whether it comes on the same day of every year as `first`.
    pub(super) fn is_yearly_like(&self, first: NaiveDate) -> bool {
        let only = |days: &[i32]| days.iter().all(|day| u32::try_from(*day) == Ok(first.day()));
        self.is_plain()
            && self.frequency == Frequency::Yearly
            && self.weekdays.is_empty()
            && self.months.iter().all(|month| *month == first.month())
            && only(&self.month_days)
            // On the same day of every month, otherwise.
            && (self.month_days.is_empty() || !self.months.is_empty())
    }

    /// The weekdays on which it comes every week, if that is all there is to it.
    pub(super) fn every_week(&self, first: NaiveDate) -> Option<Vec<Weekday>> {
        let bare = self.is_plain() && self.months.is_empty() && self.month_days.is_empty();
        let named: Vec<_> = self.weekdays.iter().map(|(_, day)| *day).collect();
        match self.frequency {
            Frequency::Daily if bare && named.is_empty() => Some(ALL_WEEK.to_vec()),
            Frequency::Weekly if bare && named.is_empty() => Some(vec![first.weekday()]),
            Frequency::Daily | Frequency::Weekly if bare => Some(named),
            _ => None,
        }
    }

    /// The starts it gives to an event that first starts at `first`, that one included: in order, at most `most`,
    /// and none after 2100. Looks at no more than `days` days and takes what it looked at from them; `None` where
    /// they do not suffice.
    pub(super) fn starts(&self, first: &Moment, most: usize, days: &mut usize) -> Option<Vec<Moment>> {
        let mut starts = Vec::new();
        let mut period = self.period_of(first.local.date());
        let most = self.count.map_or(most, |count| count.min(most));
        while period.0.year() <= LAST_YEAR {
            *days =
                days.checked_sub(usize::try_from((period.1 - period.0).num_days()).unwrap_or(1).max(1))?;
            for date in self.days_of(period, first.local.date()) {
                let start = Moment { local: date.and_time(first.local.time()), kind: first.kind.clone() };
                if start.local < first.local {
                    continue;
                }
                if self.until.as_ref().is_some_and(|until| is_after(&start, until))
                    || date.year() > LAST_YEAR
                    || starts.len() == most
                {
                    return Some(starts);
                }
                starts.push(start);
            }
            period = self.next(period);
        }
        Some(starts)
    }

    /// The days of a period that match, in order.
    fn days_of(&self, (start, end): (NaiveDate, NaiveDate), first: NaiveDate) -> Vec<NaiveDate> {
        let days: Vec<_> =
            start.iter_days().take_while(|day| *day < end).filter(|day| self.matches(*day, first)).collect();
        if self.positions.is_empty() {
            return days;
        }
        let chosen = |index: usize| {
            let from_start = i32::try_from(index + 1).unwrap_or(i32::MAX);
            let from_end = from_start - i32::try_from(days.len()).unwrap_or(i32::MAX) - 1;
            self.positions.contains(&from_start) || self.positions.contains(&from_end)
        };
        days.iter().enumerate().filter(|(index, _)| chosen(*index)).map(|(_, day)| *day).collect()
    }

    fn matches(&self, day: NaiveDate, first: NaiveDate) -> bool {
        use Frequency::{Daily, Weekly, Yearly};
        let month = if self.months.is_empty() {
            // A year's day is a day of one month, unless other parts say which days.
            self.frequency != Yearly
                || !self.month_days.is_empty()
                || !self.weekdays.is_empty()
                || day.month() == first.month()
        } else {
            self.months.contains(&day.month())
        };
        let month_day = if self.month_days.is_empty() {
            matches!(self.frequency, Daily | Weekly) || !self.weekdays.is_empty() || day.day() == first.day()
        } else {
            let last = i32::from(day.num_days_in_month());
            let number = i32::try_from(day.day()).unwrap_or(0);
            self.month_days.iter().any(|wanted| *wanted == number || *wanted == number - last - 1)
        };
        let weekday = if self.weekdays.is_empty() {
            self.frequency != Weekly || day.weekday() == first.weekday()
        } else {
            self.weekdays.iter().any(|(ordinal, weekday)| {
                *weekday == day.weekday() && ordinal.is_none_or(|wanted| self.is_nth(day, wanted))
            })
        };
        month && month_day && weekday
    }

    /// Whether `day` is the n-th of its weekday in the month, or in the year where the rule is about years as a whole.
    fn is_nth(&self, day: NaiveDate, wanted: i32) -> bool {
        let yearly = self.frequency == Frequency::Yearly && self.months.is_empty();
        let (number, length) = if yearly {
            (day.ordinal0(), if day.leap_year() { 366 } else { 365 })
        } else {
            (day.day0(), u32::from(day.num_days_in_month()))
        };
        let from_start = number / 7 + 1;
        let from_end = (length - 1 - number) / 7 + 1;
        wanted.unsigned_abs() == if wanted > 0 { from_start } else { from_end }
    }

    fn period_of(&self, day: NaiveDate) -> (NaiveDate, NaiveDate) {
        let start = match self.frequency {
            Frequency::Daily => Some(day),
            Frequency::Weekly => {
                let since = day.weekday().days_since(self.week_start);
                day.checked_sub_days(Days::new(since.into()))
            }
            Frequency::Monthly => day.with_day(1),
            Frequency::Yearly => day.with_ordinal(1),
        };
        let start = start.unwrap_or(day);
        (start, self.step(start, 1).unwrap_or(start))
    }

    fn next(&self, (start, _): (NaiveDate, NaiveDate)) -> (NaiveDate, NaiveDate) {
        let start = self.step(start, self.interval).unwrap_or(NaiveDate::MAX);
        (start, self.step(start, 1).unwrap_or(start))
    }

    fn step(&self, start: NaiveDate, periods: u32) -> Option<NaiveDate> {
        match self.frequency {
            Frequency::Daily => start.checked_add_days(Days::new(periods.into())),
            Frequency::Weekly => start.checked_add_days(Days::new(u64::from(periods) * 7)),
            Frequency::Monthly => start.checked_add_months(Months::new(periods)),
            Frequency::Yearly => start.checked_add_months(Months::new(periods.checked_mul(12)?)),
        }
    }
}

const ALL_WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// `UNTIL` is a day, or a time that is mostly in UTC whatever zone the event is in.
fn is_after(start: &Moment, until: &Moment) -> bool {
    let utc = Zone::default();
    match (&start.kind, &until.kind) {
        (Kind::Zoned(_), Kind::Zoned(_)) => start.on_clock_of(&utc) > until.on_clock_of(&utc),
        (_, Kind::Day) => start.local.date() > until.local.date(),
        _ => start.local > until.local,
    }
}

fn list<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.split(',').map(|text| read(text.trim())).collect()
}

fn signed(text: &str, most: i32) -> Option<i32> {
    text.parse().ok().filter(|number: &i32| *number != 0 && (-most..=most).contains(number))
}

/// `FR`, `2FR`, `-1FR`.
fn weekday(text: &str) -> Option<(Option<i32>, Weekday)> {
    let (ordinal, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let day = match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    };
    if ordinal.is_empty() { Some((None, day)) } else { Some((Some(signed(ordinal, 53)?), day)) }
}

/// Whether an event that starts at `start` is the one that `excluded` means.
pub(super) fn is_same(start: &Moment, excluded: &Moment) -> bool {
    let utc = Zone::default();
    match (&start.kind, &excluded.kind) {
        (Kind::Zoned(_), Kind::Zoned(_)) => start.on_clock_of(&utc) == excluded.on_clock_of(&utc),
        (_, Kind::Day) => start.local.date() == excluded.local.date(),
        _ => start.local == excluded.local,
    }
}
