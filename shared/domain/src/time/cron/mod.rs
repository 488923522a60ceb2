//! Cron expressions: the occurrences of `0 2 * * 1-5` in Europe/Paris.
//!
//! In the order in which an expression passes through:
//! `expression` and `field` read the text by the rules of its dialect, strictly, into numbers that are all in
//! range; `sets` expands them with the `cron` crate; `days`, `times` and `wall` find the readings of a wall
//! clock that match; `instants` maps those to instants in a zone. Two more go back to words: `echo`
//! (the same expression written the standard way) and `describe` (in English).

mod days;
mod describe;
mod echo;
mod expression;
mod field;
mod instants;
mod sets;
mod times;
mod wall;

use chrono::{NaiveDateTime, Timelike as _};

pub(super) use self::days::DayRule;
use self::days::{Days, rule_in_force};
use self::describe::describe;
use self::expression::Expression;
use self::instants::Instants;
use self::sets::Sets;
use self::times::Times;
use self::wall::Wall;
use crate::Instant;
use crate::invalid::Invalid;
use crate::schedule::{Cron, Dialect, Fold, Gap};

/// The occurrences of a cron expression in a zone, all of them on whole seconds, from 1970 to 2100.
#[derive(Clone, Debug)]
pub(super) struct Occurrences {
    expression: Expression,
    sets: Sets,
    instants: Instants,
}

impl Occurrences {
    /// Reads the expression. Everything wrong with it is found here, that it never fires included.
    pub(super) fn compile(cron: &Cron) -> Result<Self, Invalid> {
        let expression = Expression::parse(&cron.expression, cron.dialect)?;
        let sets = Sets::expand(&expression)?;
        let wall = Wall { days: Days::new(&expression, &sets), times: Times::new(&sets) };
        // A wildcard job keeps its cadence: whatever the clock shows counts, however often, and nothing else.
        let (gap, fold) =
            if expression.is_wildcard() { (Gap::Skip, Fold::Both) } else { (cron.gap, cron.fold) };
        let rules = cron.timezone.clone().unwrap_or_default().rules().clone();
        let instants = Instants { wall, rules, gap, fold };
        if instants.next(0).is_none() {
            return Err(refuse("never_fires", "no day from 1970 to 2100 matches the expression"));
        }
        Ok(Self { expression, sets, instants })
    }

    /// The first occurrence strictly after `after`.
    pub(super) fn next_after(&self, after: Instant) -> Option<Instant> {
        self.instants.next(after.timestamp() + 1).and_then(instant)
    }

    /// The last occurrence at or before `at`.
    pub(super) fn last_until(&self, at: Instant) -> Option<Instant> {
        self.instants.last(at.timestamp()).and_then(instant)
    }

    /// How many occurrences lie in `[from, until]`. Takes time by the month, not by the occurrence.
    pub(super) fn count(&self, from: Instant, until: Instant) -> u64 {
        // A part of a second after an occurrence is after it.
        let from = from.timestamp() + i64::from(from.nanosecond() > 0);
        u64::try_from(self.instants.count(from, until.timestamp() + 1)).unwrap_or(0)
    }
}

/// What a preview tells about the expression.
impl Occurrences {
    /// The expression written the standard way, in its own dialect. See `echo`.
    pub(super) fn normalized(&self) -> String {
        self.expression.to_string()
    }

    /// In which dialect it was read.
    pub(super) fn dialect(&self) -> Dialect {
        self.expression.dialect
    }

    /// How day of month and day of week go together, where both say something.
    pub(super) fn day_rule(&self) -> Option<DayRule> {
        rule_in_force(&self.expression)
    }

    /// Whether it has a numeric weekday whose meaning depends on the dialect, which the author did not state.
    pub(super) fn doubtful_weekday(&self) -> bool {
        self.expression.doubtful_weekday()
    }

    /// Whether it keeps its cadence when the clocks change; `gap` and `fold` then have no effect.
    pub(super) fn is_wildcard(&self) -> bool {
        self.expression.is_wildcard()
    }

    /// In English, without the zone: "At 09:00 on weekdays".
    pub(super) fn describe(&self) -> String {
        describe(&self.expression, &self.sets)
    }

    /// The local time that the clock skips and for which the occurrence `at` stands, if it stands for one.
    pub(super) fn stands_for(&self, at: Instant) -> Option<NaiveDateTime> {
        let local = self.instants.stands_for(at.timestamp())?;
        instant(local).map(|local| local.naive_utc())
    }
}

fn instant(seconds: i64) -> Option<Instant> {
    Instant::from_timestamp_secs(seconds)
}

fn refuse(code: &str, detail: impl Into<String>) -> Invalid {
    Invalid::one("/expression", code, detail)
}

#[cfg(test)]
mod tests;
