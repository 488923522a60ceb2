//! Time and randomness of the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{TimeZone, Utc};
use domain::Instant;
use engine::{Clock, Entropy};

/// The machine's clock: right for one process on its own file.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    fn now(&self) -> Instant {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Utc.timestamp_millis_opt(millis).single().unwrap_or(Instant::MAX_UTC)
    }
}

/// The operating system's randomness.
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the entropy that everything else asks")]
    fn random(&self) -> u128 {
        rand::random()
    }
}
