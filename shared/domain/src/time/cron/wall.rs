//! The readings of a wall clock that an expression matches, with no regard to any zone.

use super::days::Days;
use super::times::{DAY, Times};

/// The readings that match. A reading is the number of seconds since 1970-01-01T00:00:00 on that very clock.
#[derive(Clone, Debug)]
pub(super) struct Wall {
    pub(super) days: Days,
    pub(super) times: Times,
}

impl Wall {
    /// The first at or after `reading`.
    pub(super) fn next(&self, reading: i64) -> Option<i64> {
        let (day, time) = split(reading);
        if self.days.contains(day)
            && let Some(time) = self.times.next(time)
        {
            return Some(day * DAY + time);
        }
        self.days.next(day + 1).map(|day| day * DAY + self.times.first())
    }

    /// The last before `reading`.
    pub(super) fn previous(&self, reading: i64) -> Option<i64> {
        let (day, time) = split(reading);
        if self.days.contains(day)
            && let Some(time) = self.times.previous(time)
        {
            return Some(day * DAY + time);
        }
        self.days.previous(day).map(|day| day * DAY + self.times.last())
    }

    /// How many lie in `from..until`. Takes time by the month, not by the reading.
    pub(super) fn count(&self, from: i64, until: i64) -> i64 {
        if until <= from {
            return 0;
        }
        let (first, start) = split(from);
        let (last, end) = split(until);
        let before = |day, time| if self.days.contains(day) { self.times.before(time) } else { 0 };
        self.days.count(first, last) * self.times.per_day() + before(last, end) - before(first, start)
    }

    /// Whether any lies in `from..until`.
    pub(super) fn any(&self, from: i64, until: i64) -> bool {
        from < until && self.next(from).is_some_and(|reading| reading < until)
    }
}

fn split(reading: i64) -> (i64, i64) {
    (reading.div_euclid(DAY), reading.rem_euclid(DAY))
}
