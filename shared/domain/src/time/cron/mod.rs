//! Cron expressions: the occurrences of `0 2 * * 1-5` in Europe/Paris.
//!
//! In the order in which an expression passes through:
//! `expression` and `field` read the text by the rules of its dialect, strictly, into numbers that are all in
//! range; `sets` expands them with the `cron` crate; `days` finds the days that match. The times of day that match
//! and the instants of both in a zone are found as for all schedules that go by a wall clock, see `wall`.
//! Two more go back to words: `echo` (the same expression written the standard way) and `describe` (in English).

mod days;
mod describe;
mod echo;
mod expression;
mod field;
mod sets;

use chrono::NaiveDateTime;

pub(super) use self::days::DayRule;
use self::days::{CronDays, rule_in_force};
use self::describe::describe;
use self::expression::Expression;
use self::sets::Sets;
use super::wall::{Instants, Times, Wall};
use crate::Instant;
use crate::invalid::Invalid;
use crate::schedule::{Cron, Dialect, Fold, Gap};

/// The occurrences of a cron expression in a zone, all of them on whole seconds, from 1970 to 2100.
#[derive(Clone, Debug)]
pub(super) struct Occurrences {
    expression: Expression,
    sets: Sets,
    instants: Instants<CronDays>,
}

impl Occurrences {
    /// Reads the expression. Everything wrong with it is found here, that it never fires included.
    pub(super) fn compile(cron: &Cron) -> Result<Self, Invalid> {
        let expression = Expression::parse(&cron.expression, cron.dialect)?;
        let sets = Sets::expand(&expression)?;
        let times = Times { hours: sets.hours, minutes: sets.minutes, seconds: sets.seconds };
        let wall = Wall { days: CronDays::new(&expression, &sets), times };
        // A wildcard job keeps its cadence: whatever the clock shows counts, however often, and nothing else.
        let (gap, fold) =
            if expression.is_wildcard() { (Gap::Skip, Fold::Both) } else { (cron.gap, cron.fold) };
        let rules = cron.timezone.clone().unwrap_or_default().rules().clone();
        let instants = Instants { wall, rules, gap, fold };
        if instants.is_empty() {
            return Err(refuse("never_fires", "no day from 1970 to 2100 matches the expression"));
        }
        Ok(Self { expression, sets, instants })
    }

    /// The first occurrence strictly after `after`.
    pub(super) fn next_after(&self, after: Instant) -> Option<Instant> {
        self.instants.next_after(after)
    }

    /// The last occurrence at or before `at`.
    pub(super) fn last_until(&self, at: Instant) -> Option<Instant> {
        self.instants.last_until(at)
    }

    /// How many occurrences lie in `[from, until]`. Takes time by the month, not by the occurrence.
    pub(super) fn count(&self, from: Instant, until: Instant) -> u64 {
        self.instants.count(from, until)
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
        self.instants.stands_for(at)
    }
}

fn refuse(code: &str, detail: impl Into<String>) -> Invalid {
    Invalid::one("/expression", code, detail)
}

#[cfg(test)]
mod tests;
