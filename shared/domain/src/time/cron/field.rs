//! One field of an expression: the grammar that the dialects share.

use super::refuse;
use crate::duration::shorten;
use crate::invalid::Invalid;
use crate::schedule::Dialect;

/// Weekday names in the order of the numbers 1 to 7 that Quartz, EventBridge and the `cron` crate use.
pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Month names in the order of the numbers 1 to 12.
pub(super) const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// What a field counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
    Year,
}

/// A field as written, with every number checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) unit: Unit,
    pub(super) items: Vec<Item>,
    /// Its first character is `*` (or it is `?`): cronie's star flag, which decides the day rule and whether
    /// a job is a wildcard job.
    pub(super) star: bool,
    /// It is just `*` (or `?`, or `*/1`): it says nothing.
    pub(super) open: bool,
    /// It names a weekday by number.
    pub(super) numeric_weekday: bool,
}

/// One member of a field's list. Weekdays are 1 = SUN to 7 = SAT whatever the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// `*`, `5`, `1-5`, `*/15`, `10-40/10`, `7/10`.
    Span(Span),
    /// `L`, `L-3`: so many days before the month's last.
    Last(u32),
    /// `LW`, `L-3W`: the working day nearest to that day.
    LastWorkday(u32),
    /// `15W`: the working day nearest to that day, within the month.
    NearestWorkday(u32),
    /// `6#3`: the n-th such weekday of the month.
    Nth { weekday: u32, n: u32 },
    /// `6L`: the last such weekday of the month.
    LastWeekday(u32),
}

/// `from`, `from + step`, … up to `to` inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) step: u32,
    /// Written with `*`.
    pub(super) star: bool,
}

impl Unit {
    /// What people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
            Self::Year => "year",
        }
    }

    /// The smallest and the largest value, weekdays being 1 to 7.
    pub(super) const fn bounds(self) -> (u32, u32) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (1, 7),
            Self::Year => (1970, 2199),
        }
    }

    /// The same as the dialect's author writes it.
    const fn bounds_in(self, dialect: Dialect) -> (u32, u32) {
        match (self, dialect) {
            (Self::DayOfWeek, Dialect::Unix) => (0, 7),
            _ => self.bounds(),
        }
    }

    /// The largest step: Quartz's rule. cronie lets `*/90` pass, where it means the same as `0`, which is
    /// never what its author had in mind.
    const fn max_step(self) -> u32 {
        match self {
            Self::Year => 200,
            _ => self.bounds().1,
        }
    }

    pub(super) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            _ => &[],
        }
    }
}

impl Field {
    /// A field that admits everything, as if `*` were written.
    pub(super) fn every(unit: Unit) -> Self {
        let (from, to) = unit.bounds();
        let items = vec![Item::Span(Span { from, to, step: 1, star: true })];
        Self { unit, items, star: true, open: true, numeric_weekday: false }
    }

    /// A field with a single value.
    pub(super) fn only(unit: Unit, value: u32) -> Self {
        let items = vec![Item::Span(Span::one(value))];
        Self { unit, items, star: false, open: false, numeric_weekday: false }
    }

    /// Reads `text`, which holds no blanks and is plain ASCII.
    pub(super) fn parse(unit: Unit, dialect: Dialect, text: &str) -> Result<Self, Invalid> {
        let days = matches!(unit, Unit::DayOfMonth | Unit::DayOfWeek);
        if text == "?" && days {
            return Ok(Self::every(unit));
        }
        let reader = Reader { unit, dialect };
        let mut field = Self {
            unit,
            items: Vec::new(),
            star: text.starts_with('*'),
            open: matches!(text, "*" | "*/1"),
            numeric_weekday: unit == Unit::DayOfWeek
                && text
                    .split([',', '-'])
                    .any(|value| value.starts_with(|first: char| first.is_ascii_digit())),
        };
        for part in text.split(',') {
            reader.item(part, &mut field.items)?;
        }
        let special = field.items.iter().any(|item| !matches!(item, Item::Span(_)));
        if dialect != Dialect::Unix && unit == Unit::DayOfWeek && special && field.items.len() > 1 {
            return Err(refuse(
                "unsupported",
                "day of week: L and # can't be combined with other weekdays in this dialect",
            ));
        }
        Ok(field)
    }

    /// The plain members of the list.
    pub(super) fn spans(&self) -> impl Iterator<Item = Span> {
        self.items.iter().filter_map(|item| match item {
            Item::Span(span) => Some(*span),
            _ => None,
        })
    }
}

impl Span {
    const fn one(value: u32) -> Self {
        Self { from: value, to: value, step: 1, star: false }
    }
}

/// Reads the members of one field's list.
#[derive(Clone, Copy)]
struct Reader {
    unit: Unit,
    dialect: Dialect,
}

impl Reader {
    fn item(self, text: &str, items: &mut Vec<Item>) -> Result<(), Invalid> {
        if text.is_empty() {
            return Err(self.malformed("has an empty place in its list"));
        }
        let special = match self.unit {
            Unit::DayOfMonth => self.day_of_month(text)?,
            Unit::DayOfWeek => self.day_of_week(text)?,
            _ => None,
        };
        match special {
            Some(item) => items.push(item),
            None => self.span(text, items)?,
        }
        Ok(())
    }

    /// `L`, `L-3`, `LW`, `L-3W`, `15W`.
    fn day_of_month(self, text: &str) -> Result<Option<Item>, Invalid> {
        let text = text.to_ascii_uppercase();
        let (day, workday) = match text.strip_suffix('W') {
            Some(day) => (day, true),
            None => (text.as_str(), false),
        };
        if let Some(rest) = day.strip_prefix('L') {
            let before = match rest.strip_prefix('-') {
                Some(number) => self.number(number, 0, 30, "days before the last")?,
                None if rest.is_empty() => 0,
                None => return Err(self.not_one(&text)),
            };
            return Ok(Some(if workday { Item::LastWorkday(before) } else { Item::Last(before) }));
        }
        if workday {
            let (low, high) = self.unit.bounds();
            return self.number(day, low, high, self.unit.name()).map(Item::NearestWorkday).map(Some);
        }
        Ok(None)
    }

    /// `L`, `6L`, `FRIL`, `6#3`, `FRI#3`.
    fn day_of_week(self, text: &str) -> Result<Option<Item>, Invalid> {
        if let Some((weekday, n)) = text.split_once('#') {
            let weekday = self.weekday(weekday)?;
            let n = self.number(n, 1, 5, "occurrence in the month")?;
            return Ok(Some(Item::Nth { weekday, n }));
        }
        let Some(weekday) = text.strip_suffix(['L', 'l']) else { return Ok(None) };
        if weekday.is_empty() {
            // In Quartz a lone L is the week's last day; cron has no such thing, and it is easily misread
            // as the month's last day.
            return match self.dialect {
                Dialect::Unix => Err(refuse(
                    "unsupported",
                    "day of week L: write SAT for the week's last day, or L as the day of month",
                )),
                Dialect::Quartz | Dialect::Aws => Ok(Some(Item::Span(Span::one(7)))),
            };
        }
        self.weekday(weekday).map(Item::LastWeekday).map(Some)
    }

    fn weekday(self, text: &str) -> Result<u32, Invalid> {
        self.value(text).map(|value| match self.dialect {
            Dialect::Unix => value % 7 + 1,
            Dialect::Quartz | Dialect::Aws => value,
        })
    }

    /// `*`, `a`, `a-b`, each with or without `/step`. May become two spans: one that wraps around, or ends in
    /// the unix Sunday 7.
    fn span(self, text: &str, items: &mut Vec<Item>) -> Result<(), Invalid> {
        let (low, high) = self.unit.bounds_in(self.dialect);
        let (base, step) = match text.split_once('/') {
            Some((base, step)) => (base, Some(self.number(step, 1, self.unit.max_step(), "step")?)),
            None => (text, None),
        };
        let star = base == "*";
        let (from, to) = if star {
            (low, high)
        } else if let Some((from, to)) = base.split_once('-') {
            let (from, until) = (self.value(from)?, self.value(to)?);
            // MON-SUN: as the end of a range Sunday is 7.
            let sunday = self.dialect == Dialect::Unix && until == 0 && to.eq_ignore_ascii_case("SUN");
            (from, if sunday && from > 0 { 7 } else { until })
        } else {
            let from = self.value(base)?;
            if step.is_some() && base.starts_with(|first: char| first.is_ascii_alphabetic()) {
                return Err(self.malformed(&format!(
                    "“{}”: a step needs a range, such as {base}-{}/{}",
                    shorten(text),
                    self.unit.names().last().unwrap_or(&""),
                    step.unwrap_or(1),
                )));
            }
            (from, if step.is_some() { high } else { from })
        };
        let mut push = |from, to, step, star| items.push(Item::Span(Span { from, to, step, star }));
        let step = step.unwrap_or(1);
        if from > to {
            let wraps = self.dialect == Dialect::Quartz && self.unit != Unit::Year;
            if !wraps {
                return Err(self.malformed(&format!("“{}” runs backwards", shorten(text))));
            }
            push(from, high, step, false);
            let second = from + ((high - from) / step + 1) * step - (high - low + 1);
            if second <= to {
                push(second, to, step, false);
            }
        } else if self.unit == Unit::DayOfWeek && self.dialect == Dialect::Unix {
            // To the numbers 1 to 7. The unix 7 is the Sunday that is now 1.
            if from < 7 {
                push(from + 1, to.min(6) + 1, step, star);
            }
            let sunday = to == 7 && (to - from) % step == 0;
            if sunday && from > 0 {
                push(1, 1, 1, false);
            }
        } else {
            push(from, to, step, star);
        }
        Ok(())
    }

    /// A number or a name, in the dialect's own numbering.
    fn value(self, text: &str) -> Result<u32, Invalid> {
        let (low, high) = self.unit.bounds_in(self.dialect);
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let index = self.unit.names().iter().position(|name| name.eq_ignore_ascii_case(text));
            return match index.and_then(|index| u32::try_from(index).ok()) {
                Some(index) => Ok(low + index),
                None => Err(self.not_one(text)),
            };
        }
        self.number(text, low, high, self.unit.name())
    }

    fn number(self, text: &str, low: u32, high: u32, what: &str) -> Result<u32, Invalid> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.not_one(text));
        }
        // Too many digits for a u32 is out of range as well.
        text.parse().ok().filter(|number| (low..=high).contains(number)).ok_or_else(|| {
            let context = if what == self.unit.name() { "" } else { self.unit.name() };
            let colon = if context.is_empty() { "" } else { ": " };
            refuse(
                "out_of_range",
                format!("{context}{colon}{what} {} is outside {low}–{high}", shorten(text)),
            )
        })
    }

    fn not_one(self, text: &str) -> Invalid {
        if text.is_empty() {
            return self.malformed("lacks a value");
        }
        let shown = shorten(text);
        let upper = text.to_ascii_uppercase();
        let long_name = self.unit.names().iter().find(|name| upper.starts_with(**name));
        self.malformed(&match (long_name, upper.as_bytes().first()) {
            (Some(name), _) => format!("can't be “{shown}”; write {name}"),
            (_, Some(b'?')) => "can't be ?, which is for day of month and day of week".to_owned(),
            (_, Some(b'H')) => format!("can't be “{shown}”: Jenkins' H is not supported, use jitter"),
            _ if text.contains('~') => {
                format!("can't be “{shown}”: cronie's random ~ is not supported, use jitter")
            }
            _ => format!("can't be “{shown}”"),
        })
    }

    fn malformed(self, what: &str) -> Invalid {
        refuse("malformed", format!("{} {what}", self.unit.name()))
    }
}
