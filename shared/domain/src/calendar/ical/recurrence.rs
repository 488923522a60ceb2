//! Recurrence rules (RFC 5545, section 3.3.10), as far as calendars of holidays and maintenance use them.

use chrono::{Datelike as _, Days, Months, NaiveDate, Weekday};

use super::lines::Line;
use super::moment::{Kind, Moment, Zones};
use super::{FIRST_YEAR, LAST_YEAR, MAX_ENTRIES, Result, refuse};
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
                "UNTIL" => rule.until = Some(zones.moment(line, value)?),
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
        rule.frequency = frequency
            .ok_or_else(|| refuse(format!("line {}: a recurrence rule needs a FREQ", line.number)))?;
        rule.check().map_err(|detail| refuse(format!("line {}: {detail}", line.number)))?;
        Ok(rule)
    }

    /// What RFC 5545 forbids, since it means nothing.
    fn check(&self) -> std::result::Result<(), &'static str> {
        let in_months = matches!(self.frequency, Frequency::Monthly | Frequency::Yearly);
        if !in_months && self.weekdays.iter().any(|(ordinal, _)| ordinal.is_some()) {
            return Err("BYDAY with numbers, such as 2MO, goes with FREQ=MONTHLY or YEARLY only");
        }
        if self.frequency == Frequency::Weekly && !self.month_days.is_empty() {
            return Err("BYMONTHDAY does not go with FREQ=WEEKLY");
        }
        Ok(())
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
        let mut named: Vec<_> = self.weekdays.iter().map(|(_, day)| *day).collect();
        named.sort_unstable_by_key(Weekday::num_days_from_monday);
        named.dedup();
        match self.frequency {
            Frequency::Daily if bare && named.is_empty() => Some(ALL_WEEK.to_vec()),
            Frequency::Weekly if bare && named.is_empty() => Some(vec![first.weekday()]),
            Frequency::Daily | Frequency::Weekly if bare => Some(named),
            _ => None,
        }
    }

    /// The starts it gives to an event that first starts at `first`, that one included, in order. What it looks at is
    /// taken from `looks`, so that no number in a file makes this slow.
    ///
    /// # Errors
    /// Why they cannot be given: more of them than a calendar holds, or too long a search.
    pub(super) fn starts(
        &self,
        first: &Moment,
        looks: &mut usize,
    ) -> std::result::Result<Vec<Moment>, &'static str> {
        let mut starts = Vec::new();
        let mut seen = 0;
        let first_day = first.local.date();
        let months = self.months_of(first_day);
        let mut period = self.period_of(first_day);
        while period.0.year() <= LAST_YEAR {
            for date in
                self.days_of(period, first_day, &months, looks).ok_or("its rule takes too long to follow")?
            {
                let start = Moment { local: date.and_time(first.local.time()), kind: first.kind.clone() };
                if start.local < first.local {
                    continue;
                }
                let ended = self.until.as_ref().is_some_and(|until| is_after(&start, until));
                if ended || self.count == Some(seen) || date.year() > LAST_YEAR {
                    return Ok(starts);
                }
                seen += 1;
                // One of the last year before may reach into the first.
                if date.year() >= FIRST_YEAR - 1 {
                    starts.push(start);
                }
                if starts.len() > MAX_ENTRIES {
                    return Err("comes again too often for a calendar; let its rule end earlier");
                }
            }
            period = self.next(period);
        }
        Ok(starts)
    }

    /// The months that its days can be in, all where there are none.
    fn months_of(&self, first: NaiveDate) -> Vec<u32> {
        // A year's day is a day of one month, unless other parts say which days.
        let one =
            self.frequency == Frequency::Yearly && self.month_days.is_empty() && self.weekdays.is_empty();
        if self.months.is_empty() && one { vec![first.month()] } else { self.months.clone() }
    }

    /// The days of a period that match, in order; `None` where `looks` do not suffice.
    fn days_of(
        &self,
        (start, end): (NaiveDate, NaiveDate),
        first: NaiveDate,
        months: &[u32],
        looks: &mut usize,
    ) -> Option<Vec<NaiveDate>> {
        let mut days = Vec::new();
        let mut next = Some(start);
        while let Some(day) = next {
            *looks = looks.checked_sub(1)?;
            if day >= end {
                break;
            }
            if !months.is_empty() && !months.contains(&day.month()) {
                next = day.with_day(1).and_then(|first| first.checked_add_months(Months::new(1)));
                continue;
            }
            if self.matches(day, first) {
                days.push(day);
            }
            next = day.succ_opt();
        }
        if self.positions.is_empty() {
            return Some(days);
        }
        let chosen = |index: usize| {
            let from_start = i32::try_from(index + 1).unwrap_or(i32::MAX);
            let from_end = from_start - i32::try_from(days.len()).unwrap_or(i32::MAX) - 1;
            self.positions.contains(&from_start) || self.positions.contains(&from_end)
        };
        Some(days.iter().enumerate().filter(|(index, _)| chosen(*index)).map(|(_, day)| *day).collect())
    }

    /// Whether a day of the right month is one of its days.
    fn matches(&self, day: NaiveDate, first: NaiveDate) -> bool {
        use Frequency::{Daily, Weekly};
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
        month_day && weekday
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
