//! Stand-ins for the small ports: time, randomness, the alarm.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{TimeDelta, TimeZone, Utc};
use domain::{Instant, JobId};
use engine::{Alarm, Clock, Entropy};

/// A clock that moves when it is told to. Clones and [skewed](Self::skewed) views share one time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    millis: Arc<AtomicI64>,
    /// What this view adds to the shared time: another node's wrong clock.
    skew: i64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Instant) -> Self {
        Self { millis: Arc::new(AtomicI64::new(start.timestamp_millis())), skew: 0 }
    }

    /// Moves the time on, or back; returns what this view shows then.
    pub fn advance(&self, by: TimeDelta) -> Instant {
        self.millis.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        self.now()
    }

    /// Makes this view show `at`.
    pub fn set(&self, at: Instant) {
        self.millis.store(at.timestamp_millis() - self.skew, Ordering::SeqCst);
    }

    /// A view of the same time that is wrong by `skew`.
    #[must_use]
    pub fn skewed(&self, skew: TimeDelta) -> Self {
        Self { millis: self.millis.clone(), skew: self.skew + skew.num_milliseconds() }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        let millis = self.millis.load(Ordering::SeqCst) + self.skew;
        Utc.timestamp_millis_opt(millis).single().unwrap_or_default()
    }
}

/// Randomness that repeats: the same seed yields the same numbers.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// Begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 bits (`SplitMix64`).
    pub fn next(&self) -> u64 {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(GAMMA, Ordering::SeqCst).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn random(&self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }
}

/// An alarm that only writes down what it was told.
#[derive(Debug, Default)]
pub struct RecordingAlarm(Mutex<Vec<(JobId, Option<Instant>)>>);

impl RecordingAlarm {
    /// Everything armed so far, oldest first; `None` for a job that was disarmed.
    pub fn armed(&self) -> Vec<(JobId, Option<Instant>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What `job` was armed for last.
    pub fn last(&self, job: JobId) -> Option<Option<Instant>> {
        self.armed().into_iter().rev().find(|(id, _)| *id == job).map(|(_, at)| at)
    }
}

#[async_trait]
impl Alarm for RecordingAlarm {
    async fn arm(&self, job: JobId, at: Option<Instant>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((job, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;

    #[test]
    fn views_share_the_time_and_keep_their_error() {
        let clock = ManualClock::new(at("2026-11-24T00:00:00Z"));
        let late = clock.skewed(TimeDelta::seconds(-30));
        clock.advance(TimeDelta::minutes(1));
        assert_eq!(clock.now(), at("2026-11-24T00:01:00Z"));
        assert_eq!(late.now(), at("2026-11-24T00:00:30Z"));
        late.set(at("2026-11-24T00:02:00Z"));
        assert_eq!(clock.now(), at("2026-11-24T00:02:30Z"));
    }

    #[test]
    fn a_seed_repeats() {
        let draw = |seed| {
            let entropy = SeededEntropy::new(seed);
            [entropy.random(), entropy.random()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1)[0], draw(1)[1]);
    }
}
