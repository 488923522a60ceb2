//! From fields to sets of numbers. The `cron` crate does the expanding.
//!
//! It never sees the author's text, of which it would accept too much, but the spans that our own grammar
//! has passed, in its own numbering. And it never sees a time zone: in zones whose clocks change it skips
//! fixed times in the gap and runs backwards in the fold. What it cannot express (L, W, #) and what must be
//! counted without walking is done on these sets, see `days` and `times`.

use std::fmt::Write as _;
use std::str::FromStr as _;

use cron::{Schedule, TimeUnitSpec};

use super::expression::Expression;
use super::field::{Field, Item};
use super::refuse;
use crate::invalid::Invalid;

/// The years the service knows: 1970 to 2100, as the `cron` crate.
pub(super) const FIRST_YEAR: i32 = 1970;
pub(super) const LAST_YEAR: i32 = 2100;

/// The plain members of each field; bit n stands for the value n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sets {
    pub(super) seconds: u64,
    pub(super) minutes: u64,
    pub(super) hours: u64,
    pub(super) days_of_month: u64,
    pub(super) months: u64,
    /// Bits 1 = SUN to 7 = SAT.
    pub(super) days_of_week: u64,
    pub(super) years: Years,
}

/// A set of years from [`FIRST_YEAR`] to [`LAST_YEAR`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Years([u64; 3]);

impl Years {
    pub(super) fn contains(self, year: i32) -> bool {
        let Ok(index) = usize::try_from(year - FIRST_YEAR) else { return false };
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    fn insert(&mut self, year: u32) {
        let index = usize::try_from(i64::from(year) - i64::from(FIRST_YEAR)).unwrap_or(usize::MAX);
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }
}

impl Sets {
    pub(super) fn expand(expression: &Expression) -> Result<Self, Invalid> {
        let fields = [
            &expression.second,
            &expression.minute,
            &expression.hour,
            &expression.day_of_month,
            &expression.month,
            &expression.day_of_week,
            &expression.year,
        ];
        let mut text = String::new();
        for field in fields {
            plain(field, &mut text);
        }
        // Our grammar is the stricter one. Should the crate still object, its word counts too.
        let schedule = Schedule::from_str(text.trim_end())
            .map_err(|_| refuse("malformed", "the expression can't be expanded"))?;
        let mut years = Years::default();
        if has_plain(&expression.year) {
            schedule.years().iter().for_each(|year| years.insert(year));
        }
        Ok(Self {
            seconds: bits(schedule.seconds()),
            minutes: bits(schedule.minutes()),
            hours: bits(schedule.hours()),
            days_of_month: bits_if(has_plain(&expression.day_of_month), schedule.days_of_month()),
            months: bits(schedule.months()),
            days_of_week: bits_if(has_plain(&expression.day_of_week), schedule.days_of_week()),
            years,
        })
    }
}

/// The spans of a field below the horizon, in the crate's notation; `*` to have something where none is left.
fn plain(field: &Field, text: &mut String) {
    if field.open {
        // Not only shorter: the crate keeps this one set ready.
        text.push_str("* ");
        return;
    }
    let horizon = LAST_YEAR.unsigned_abs();
    let before = text.len();
    for span in field.spans().filter(|span| span.from <= horizon) {
        let to = span.to.min(horizon);
        let comma = if text.len() == before { "" } else { "," };
        // Writing to a String does not fail.
        let _ = match (span.from, span.step) {
            (from, step) if from + step > to => write!(text, "{comma}{from}"),
            (from, 1) => write!(text, "{comma}{from}-{to}"),
            (from, step) => write!(text, "{comma}{from}-{to}/{step}"),
        };
    }
    text.push_str(if text.len() == before { "* " } else { " " });
}

/// Whether `plain` found anything.
fn has_plain(field: &Field) -> bool {
    let horizon = LAST_YEAR.unsigned_abs();
    field.items.iter().any(|item| matches!(item, Item::Span(span) if span.from <= horizon))
}

fn bits(values: &impl TimeUnitSpec) -> u64 {
    values.iter().fold(0, |bits, value| bits | 1 << (value & 63))
}

fn bits_if(present: bool, values: &impl TimeUnitSpec) -> u64 {
    if present { bits(values) } else { 0 }
}
