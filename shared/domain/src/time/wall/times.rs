//! The times of day: every combination of the hours, minutes and seconds.

use crate::time_of_day::TimeOfDay;

/// Seconds of a day, all of them without clock changes.
pub(super) const DAY: i64 = 86_400;

/// Times of day as seconds since midnight. In each of the three sets, none of which is empty, bit n stands for
/// the value n.
#[derive(Clone, Copy, Debug)]
pub(in crate::time) struct Times {
    pub(in crate::time) hours: u64,
    pub(in crate::time) minutes: u64,
    pub(in crate::time) seconds: u64,
}

impl From<TimeOfDay> for Times {
    fn from(time: TimeOfDay) -> Self {
        let (hour, minute, second) = split(time.seconds().into());
        Self { hours: 1 << hour, minutes: 1 << minute, seconds: 1 << second }
    }
}

impl Times {
    pub(super) fn first(self) -> i64 {
        join(lowest(self.hours), lowest(self.minutes), lowest(self.seconds))
    }

    pub(super) fn last(self) -> i64 {
        join(highest(self.hours), highest(self.minutes), highest(self.seconds))
    }

    /// The first at or after `time`.
    pub(super) fn next(self, time: i64) -> Option<i64> {
        let (hour, minute, second) = split(time);
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = at_or_above(self.seconds, second)
            {
                return Some(join(hour, minute, second));
            }
            if let Some(minute) = at_or_above(self.minutes, minute + 1) {
                return Some(join(hour, minute, lowest(self.seconds)));
            }
        }
        let hour = at_or_above(self.hours, hour + 1)?;
        Some(join(hour, lowest(self.minutes), lowest(self.seconds)))
    }

    /// The last before `time`.
    pub(super) fn previous(self, time: i64) -> Option<i64> {
        let (hour, minute, second) = split(time);
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = below(self.seconds, second)
            {
                return Some(join(hour, minute, second));
            }
            if let Some(minute) = below(self.minutes, minute) {
                return Some(join(hour, minute, highest(self.seconds)));
            }
        }
        let hour = below(self.hours, hour)?;
        Some(join(hour, highest(self.minutes), highest(self.seconds)))
    }

    /// How many there are in a day.
    pub(super) fn per_day(self) -> i64 {
        size(self.hours) * size(self.minutes) * size(self.seconds)
    }

    /// How many are before `time`.
    pub(super) fn before(self, time: i64) -> i64 {
        let (hour, minute, second) = split(time);
        let mut count = size(lower(self.hours, hour)) * size(self.minutes) * size(self.seconds);
        if has(self.hours, hour) {
            count += size(lower(self.minutes, minute)) * size(self.seconds);
            if has(self.minutes, minute) {
                count += size(lower(self.seconds, second));
            }
        }
        count
    }
}

/// Hour, minute and second of a time of day; hour 24 for the end of the day, and nothing beyond.
fn split(time: i64) -> (u32, u32, u32) {
    let time = u32::try_from(time.clamp(0, DAY)).unwrap_or(0);
    (time / 3600, time / 60 % 60, time % 60)
}

fn join(hour: u32, minute: u32, second: u32) -> i64 {
    i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)
}

// Sets of numbers below 64.

fn has(set: u64, value: u32) -> bool {
    set >> value & 1 == 1
}

fn size(set: u64) -> i64 {
    i64::from(set.count_ones())
}

/// The members below `value`, which is itself at most 63.
fn lower(set: u64, value: u32) -> u64 {
    set & ((1 << value) - 1)
}

fn lowest(set: u64) -> u32 {
    set.trailing_zeros() & 63
}

fn highest(set: u64) -> u32 {
    (set | 1).ilog2()
}

fn at_or_above(set: u64, value: u32) -> Option<u32> {
    let rest = set & !((1 << value) - 1);
    (rest != 0).then(|| rest.trailing_zeros())
}

fn below(set: u64, value: u32) -> Option<u32> {
    let rest = lower(set, value);
    (rest != 0).then(|| highest(rest))
}
