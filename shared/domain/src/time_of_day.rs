//! A time of day on a wall clock, in whole seconds: `09:00`, `17:30:15`.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveTime, Timelike as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::duration::shorten;

/// A time of day, from `00:00` to `23:59:59`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u32);

impl TimeOfDay {
    /// Seconds since midnight, on a day without clock changes.
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl From<NaiveTime> for TimeOfDay {
    /// Cuts fractions of a second off.
    fn from(time: NaiveTime) -> Self {
        Self(time.num_seconds_from_midnight())
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |format| NaiveTime::parse_from_str(text, format).ok();
        let time = match text.len() {
            5 => parse("%H:%M"),
            8 => parse("%H:%M:%S"),
            _ => None,
        };
        // chrono takes a blank for a digit, and reads second 60 as a leap second; no wall clock here shows one.
        time.filter(|time| time.nanosecond() < 1_000_000_000 && !text.contains(' '))
            .map(Self::from)
            .ok_or_else(|| format!("“{}” is not a time of day; write 09:00 or 09:00:30", shorten(text)))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hour:02}:{minute:02}")?;
        if second == 0 { Ok(()) } else { write!(f, ":{second:02}") }
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_it_is_read() {
        for text in ["00:00", "09:05", "23:59:59", "12:00:01"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        assert_eq!("09:00:00".parse::<TimeOfDay>().unwrap().to_string(), "09:00");
        for text in ["", "9:00", " 9:00", "24:00", "12:60", "23:59:60", "12", "+1:00", "12:00:00.5", "١٢:٠٠"]
        {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }
}
