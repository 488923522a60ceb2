//! Durations as people write them: `90s`, `5m`, `1h30m`, `1d`, `250ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of real time in whole milliseconds. A day is exactly 24 hours, a week 7 days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HumanDuration(u64);

/// Largest first; the order in which they must appear.
const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl HumanDuration {
    /// Zero length.
    pub const ZERO: Self = Self(0);

    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000)
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// As the standard library's duration.
    pub const fn to_std(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// How long `until` is after `from`; zero where it is not.
    pub fn between(from: crate::Instant, until: crate::Instant) -> Self {
        Self(u64::try_from((until - from).num_milliseconds()).unwrap_or(0))
    }

    /// As chrono's duration, for arithmetic on instants; saturates beyond 292 million years.
    pub fn to_delta(self) -> chrono::TimeDelta {
        chrono::TimeDelta::try_milliseconds(i64::try_from(self.0).unwrap_or(i64::MAX))
            .unwrap_or(chrono::TimeDelta::MAX)
    }
}

impl FromStr for HumanDuration {
    type Err = String;

    /// Parses numbers with units, largest unit first, no spaces: `1d12h`, `1h30m`, `90s`, `250ms`.
    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("“{}” is not a duration; write 90s, 5m, 1h30m or 1d", shorten(text));
        let mut rest = text;
        let mut units = UNITS.iter();
        let mut total: u64 = 0;
        if rest.is_empty() {
            return Err(fail());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            let (_, scale) = units.find(|(name, _)| *name == unit).ok_or_else(fail)?;
            let number: u64 = number.parse().map_err(|_| fail())?;
            total = number
                .checked_mul(*scale)
                .and_then(|part| total.checked_add(part))
                .filter(|total| i64::try_from(*total).is_ok())
                .ok_or_else(|| format!("“{}” is too long a duration", shorten(text)))?;
            rest = tail;
        }
        Ok(Self(total))
    }
}

/// Enough of a user's text to recognise it, never a megabyte of it.
pub(crate) fn shorten(text: &str) -> String {
    const KEEP: usize = 60;
    if text.chars().count() <= KEEP {
        return text.to_owned();
    }
    text.chars().take(KEEP).chain(['…']).collect()
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        // Weeks are read but not written: 14d is clearer than 2w beside a calendar.
        for (unit, scale) in &UNITS[1..] {
            let count = rest / scale;
            rest %= scale;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_people_write() {
        let millis = |text: &str| text.parse::<HumanDuration>().map(HumanDuration::as_millis);
        assert_eq!(millis("90s"), Ok(90_000));
        assert_eq!(millis("1h30m"), Ok(5_400_000));
        assert_eq!(millis("1d"), Ok(86_400_000));
        assert_eq!(millis("2w"), Ok(1_209_600_000));
        assert_eq!(millis("1s250ms"), Ok(1_250));
        assert_eq!(millis("0s"), Ok(0));
        for bad in ["", "5", "s", "5 m", "5m 3s", "3s5m", "5m5m", "-5s", "1.5h", "1y", "5M", "９s"] {
            assert!(millis(bad).is_err(), "{bad}");
        }
        assert!(millis("99999999999999999999d").is_err());
        assert!(millis("999999999999999d").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0..=i64::MAX as u64) {
            let duration = HumanDuration::from_millis(millis);
            prop_assert_eq!(duration.to_string().parse::<HumanDuration>(), Ok(duration));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}") {
            let _ = text.parse::<HumanDuration>();
        }
    }
}
