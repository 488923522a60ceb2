//! What a schedule that goes by a wall clock means.
//!
//! Such a schedule is a set of days and a set of times of day. Together they are readings of a clock, with no
//! regard to any zone; `instants` maps those to instants in one. Nothing is ever enumerated.

mod instants;
mod times;

pub(super) use self::instants::Instants;
use self::times::DAY;
pub(super) use self::times::Times;

/// Days of a wall clock. A day is a number of days since 1970-01-01.
pub(super) trait Days {
    fn contains(&self, day: i64) -> bool;

    /// The first at or after `day`.
    fn next(&self, day: i64) -> Option<i64>;

    /// The last before `day`.
    fn previous(&self, day: i64) -> Option<i64>;

    /// How many lie in `from..until`.
    fn count(&self, from: i64, until: i64) -> i64;
}

/// Readings: each of the times on each of the days. A reading is the number of seconds since 1970-01-01T00:00:00
/// on that very clock.
#[derive(Clone, Debug)]
pub(super) struct Wall<D> {
    pub(super) days: D,
    pub(super) times: Times,
}

impl<D: Days> Wall<D> {
    /// The first at or after `reading`.
    fn next(&self, reading: i64) -> Option<i64> {
        let (day, time) = split(reading);
        if self.days.contains(day)
            && let Some(time) = self.times.next(time)
        {
            return Some(day * DAY + time);
        }
        self.days.next(day + 1).map(|day| day * DAY + self.times.first())
    }

    /// The last before `reading`.
    fn previous(&self, reading: i64) -> Option<i64> {
        let (day, time) = split(reading);
        if self.days.contains(day)
            && let Some(time) = self.times.previous(time)
        {
            return Some(day * DAY + time);
        }
        self.days.previous(day).map(|day| day * DAY + self.times.last())
    }

    /// How many lie in `from..until`. Takes no time by the reading.
    fn count(&self, from: i64, until: i64) -> i64 {
        if until <= from {
            return 0;
        }
        let (first, start) = split(from);
        let (last, end) = split(until);
        let before = |day, time| if self.days.contains(day) { self.times.before(time) } else { 0 };
        self.days.count(first, last) * self.times.per_day() + before(last, end) - before(first, start)
    }

    /// Whether any lies in `from..until`.
    fn any(&self, from: i64, until: i64) -> bool {
        from < until && self.next(from).is_some_and(|reading| reading < until)
    }
}

fn split(reading: i64) -> (i64, i64) {
    (reading.div_euclid(DAY), reading.rem_euclid(DAY))
}
