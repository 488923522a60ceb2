//! From the wall clock to instants: what becomes of a reading that the clock skips or shows twice.
//!
//! Between two changes of its offset a zone's clock runs evenly. Each such stretch contributes the instants of
//! the readings it shows, less what the rules for repeated readings take away, plus one instant at its start if
//! it skipped a reading that must not be lost. Everything else follows from walking over stretches: results are
//! ordered by construction, and next, last and count can't disagree.

use chrono::{NaiveDateTime, Timelike as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Days, Wall};
use crate::Instant;
use crate::schedule::{Fold, Gap};
use crate::time::HORIZON;

/// No wall clock is further from UTC than this (jiff's limit is 25:59:59).
const FAR: i64 = 26 * 3600;

/// The instants of a set of readings in a zone, all of them on whole seconds, from 1970 to 2100.
#[derive(Clone, Debug)]
pub(in crate::time) struct Instants<D> {
    pub(in crate::time) wall: Wall<D>,
    pub(in crate::time) rules: TimeZone,
    pub(in crate::time) gap: Gap,
    pub(in crate::time) fold: Fold,
}

/// A stretch of time in which the offset does not change.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Its first second.
    start: i64,
    /// The first second after it.
    end: i64,
    /// The offset in it, before it and after it.
    offset: i64,
    before: i64,
    after: i64,
}

impl<D: Days> Instants<D> {
    pub(in crate::time) fn is_empty(&self) -> bool {
        self.next(0).is_none()
    }

    /// The first strictly after `after`.
    pub(in crate::time) fn next_after(&self, after: Instant) -> Option<Instant> {
        self.next(after.timestamp() + 1).and_then(instant)
    }

    /// The last at or before `at`.
    pub(in crate::time) fn last_until(&self, at: Instant) -> Option<Instant> {
        self.last(at.timestamp()).and_then(instant)
    }

    /// How many lie in `[from, until]`. Takes time by the change of the clock, not by the instant.
    pub(in crate::time) fn count(&self, from: Instant, until: Instant) -> u64 {
        // A part of a second after an occurrence is after it.
        let from = from.timestamp() + i64::from(from.nanosecond() > 0);
        u64::try_from(self.between(from, until.timestamp() + 1)).unwrap_or(0)
    }

    /// The local time that the clock skips and for which the instant `at` stands, if it stands for one.
    pub(in crate::time) fn stands_for(&self, at: Instant) -> Option<NaiveDateTime> {
        let reading = self.skipped(at.timestamp())?;
        instant(reading).map(|reading| reading.naive_utc())
    }
}

/// The same in seconds since the epoch.
impl<D: Days> Instants<D> {
    /// The first at or after `at`.
    fn next(&self, at: i64) -> Option<i64> {
        let mut at = at.max(0);
        while at < HORIZON {
            let stretch = self.stretch(at);
            if at == stretch.start && self.resumes(&stretch) {
                return Some(at);
            }
            let (first, end) = self.shown(&stretch);
            if let Some(reading) = self.wall.next(first.max(at + stretch.offset))
                && reading < end
            {
                return Some(reading - stretch.offset).filter(|at| *at < HORIZON);
            }
            // Skip the stretches that end before the next reading of any clock.
            at = stretch.end.max(self.wall.next(stretch.end - FAR)? - FAR);
        }
        None
    }

    /// The last at or before `at`.
    fn last(&self, at: i64) -> Option<i64> {
        let mut at = at.min(HORIZON - 1);
        while at >= 0 {
            let stretch = self.stretch(at);
            let (first, end) = self.shown(&stretch);
            if let Some(reading) = self.wall.previous(end.min(at + stretch.offset + 1))
                && reading >= first
            {
                return Some(reading - stretch.offset).filter(|at| *at >= 0);
            }
            if stretch.start >= 0 && self.resumes(&stretch) {
                return Some(stretch.start);
            }
            at = (stretch.start - 1).min(self.wall.previous(stretch.start + FAR)? + FAR);
        }
        None
    }

    /// How many lie in `from..until`.
    fn between(&self, from: i64, until: i64) -> i64 {
        let (mut at, until) = (from.max(0), until.min(HORIZON));
        let mut count = 0;
        while at < until {
            let stretch = self.stretch(at);
            let (first, end) = self.shown(&stretch);
            let (from, to) = (first.max(at + stretch.offset), end.min(until + stretch.offset));
            count += self.wall.count(from, to);
            // The instant of the jump may be one of its own right as well: it counts once.
            if at == stretch.start
                && self.resumes(&stretch)
                && !self.wall.any(from.max(at + stretch.offset), to.min(at + stretch.offset + 1))
            {
                count += 1;
            }
            at = stretch.end;
        }
        count
    }

    /// The first skipped reading that `at` stands for, if it stands for one.
    fn skipped(&self, at: i64) -> Option<i64> {
        let stretch = self.stretch(at);
        let (first, end) = self.shown(&stretch);
        let own = at + stretch.offset;
        let itself = (first..end).contains(&own) && self.wall.any(own, own + 1);
        if at == stretch.start && !itself && self.resumes(&stretch) {
            self.wall.next(at + stretch.before)
        } else {
            None
        }
    }

    /// Whether the clock skipped, at the start of this stretch, a reading that must not be lost.
    fn resumes(&self, stretch: &Stretch) -> bool {
        self.gap == Gap::NextValid
            && self.wall.any(stretch.start + stretch.before, stretch.start + stretch.offset)
    }

    /// The readings this stretch has to itself under the rule for repeated ones: from, and the end.
    fn shown(&self, stretch: &Stretch) -> (i64, i64) {
        let Stretch { start, end, offset, before, after } = *stretch;
        match self.fold {
            Fold::First => (start + offset.max(before), end + offset),
            Fold::Second => (start + offset, end + offset.min(after)),
            Fold::Both => (start + offset, end + offset),
        }
    }

    /// The stretch that contains `at`.
    fn stretch(&self, at: i64) -> Stretch {
        let rules = &self.rules;
        let offset = offset(rules, at);
        let previous = rules.preceding(timestamp(at + 1)).next();
        let next = rules.following(timestamp(at)).next();
        // Without a change there is one stretch for ever; a day beyond what is asked for is as good.
        let start = previous.as_ref().map_or(-FAR, |change| change.timestamp().as_second());
        let end = next.as_ref().map_or(HORIZON + FAR, |change| change.timestamp().as_second());
        let before = previous.map_or(offset, |_| self::offset(rules, start - 1));
        let after = next.map_or(offset, |change| change.offset().seconds().into());
        Stretch { start, end, offset, before, after }
    }
}

fn instant(seconds: i64) -> Option<Instant> {
    Instant::from_timestamp_secs(seconds)
}

fn offset(rules: &TimeZone, at: i64) -> i64 {
    rules.to_offset(timestamp(at)).seconds().into()
}

fn timestamp(at: i64) -> Timestamp {
    // Everything asked for is within a few days of the years 1970 to 2100, far inside jiff's range.
    Timestamp::from_second(at).unwrap_or(Timestamp::MAX)
}
