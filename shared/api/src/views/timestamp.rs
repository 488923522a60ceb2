//! Instants as the API writes them.

use std::fmt;

use chrono::SecondsFormat;
use domain::Instant;
use serde::{Serialize, Serializer};

/// An instant: RFC 3339 in UTC, always with milliseconds, so that its text has one length and sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-24T01:00:00.000Z")]
pub struct Timestamp(pub Instant);

impl From<Instant> for Timestamp {
    fn from(at: Instant) -> Self {
        Self(at)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_have_milliseconds_too() {
        let at = Instant::from_timestamp(1_790_000_000, 0).unwrap();
        assert_eq!(serde_json::to_value(Timestamp(at)).unwrap(), "2026-09-21T14:13:20.000Z");
    }
}
