//! What a job does when something is late, still running, or fails; with the defaults of the service.

use serde::{Deserialize, Serialize};

use crate::HumanDuration;
use crate::invalid::{Findings, Invalid};

/// How often and how patiently a failed attempt is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all; 1 is exactly one try.
    #[schema(minimum = 1, maximum = 100, default = 3)]
    pub max_attempts: u32,
    /// The delay before the second attempt.
    #[schema(value_type = String, default = "10s")]
    pub initial: HumanDuration,
    /// What each further delay is multiplied by.
    #[schema(minimum = 1, maximum = 10, default = 2)]
    pub factor: f64,
    /// The longest delay.
    #[schema(value_type = String, default = "10m")]
    pub max: HumanDuration,
    /// Full jitter: the delay is drawn between zero and the computed one, so that failures do not return in step.
    #[schema(default = true)]
    pub jitter: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial: HumanDuration::from_secs(10),
            factor: 2.0,
            max: HumanDuration::from_secs(600),
            jitter: true,
        }
    }
}

impl Retry {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        findings.require((1..=100).contains(&self.max_attempts), "/max_attempts", "out_of_range", || {
            format!("{} is outside 1–100", self.max_attempts)
        });
        findings.require((1.0..=10.0).contains(&self.factor), "/factor", "out_of_range", || {
            format!("{} is outside 1–10", self.factor)
        });
        findings.require(self.max <= DAY, "/max", "out_of_range", || {
            format!("{} is longer than {DAY}", self.max)
        });
        findings.require(self.initial <= self.max, "/initial", "out_of_range", || {
            format!("{} is longer than max, {}", self.initial, self.max)
        });
        findings.finish()
    }

    /// The delay after the `attempt`-th attempt failed: `min(max, initial · factor^(attempt − 1))`,
    /// drawn between zero and that by `seed` when jitter is on.
    pub fn delay(&self, attempt: u32, seed: u64) -> HumanDuration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        #[expect(clippy::cast_precision_loss, reason = "delays are below a day, far below 2^53 ms")]
        let (initial, max) = (self.initial.as_millis() as f64, self.max.as_millis() as f64);
        let computed = (initial * self.factor.powi(exponent)).min(max);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between zero and `max`, which is a u64"
        )]
        let millis = computed as u64;
        if self.jitter {
            HumanDuration::from_millis(seed % (millis + 1))
        } else {
            HumanDuration::from_millis(millis)
        }
    }
}

/// What becomes of occurrences noticed late, after downtime or a long pause of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Misfire {
    /// Which of the late occurrences run.
    pub policy: MisfirePolicy,
    /// An occurrence noticed up to this late is on time.
    #[schema(value_type = String, default = "10s")]
    pub tolerance: HumanDuration,
    /// An occurrence noticed later than this never runs.
    #[schema(value_type = String, default = "1d")]
    pub window: HumanDuration,
    /// At most so many late occurrences run under the policy `all`.
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    pub max: u32,
}

/// Which late occurrences run. All others are recorded as missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MisfirePolicy {
    /// The newest.
    #[default]
    Latest,
    /// Every one, oldest first, up to `max`.
    All,
    /// None.
    Skip,
}

impl Default for Misfire {
    fn default() -> Self {
        Self { policy: MisfirePolicy::Latest, tolerance: HumanDuration::from_secs(10), window: DAY, max: 100 }
    }
}

impl Misfire {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        findings.require((1..=1000).contains(&self.max), "/max", "out_of_range", || {
            format!("{} is outside 1–1000", self.max)
        });
        findings.require(self.window <= YEAR, "/window", "out_of_range", || {
            format!("{} is longer than {YEAR}", self.window)
        });
        findings.require(self.tolerance <= self.window, "/tolerance", "out_of_range", || {
            format!("{} is longer than window, {}", self.tolerance, self.window)
        });
        findings.finish()
    }
}

/// What becomes of an occurrence that is due while an earlier run of the job is not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is recorded as skipped.
    #[default]
    Skip,
    /// It waits until the earlier ones are finished. One waits at most; what is due meanwhile is recorded as skipped.
    BufferOne,
    /// It waits until the earlier ones are finished, in order. A thousand wait at most.
    BufferAll,
    /// The earlier ones are cancelled, and it starts when they are finished.
    CancelOther,
    /// It runs beside the earlier one.
    AllowAll,
}

impl Overlap {
    /// Whether runs of the schedule come one after the other, each when all earlier runs of the job are finished.
    pub fn is_sequential(self) -> bool {
        matches!(self, Self::BufferOne | Self::BufferAll | Self::CancelOther)
    }

    /// How many runs may be unfinished when one more becomes due, `None` for any number.
    pub fn room(self) -> Option<u64> {
        match self {
            Self::Skip => Some(1),
            Self::BufferOne => Some(2),
            Self::BufferAll => Some(1_001),
            Self::CancelOther | Self::AllowAll => None,
        }
    }
}

pub(crate) const DAY: HumanDuration = HumanDuration::from_secs(86_400);
pub(crate) const YEAR: HumanDuration = HumanDuration::from_secs(366 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let retry = Retry { jitter: false, ..Retry::default() };
        let delays: Vec<u64> = (1..=9).map(|attempt| retry.delay(attempt, 0).as_millis() / 1000).collect();
        assert_eq!(delays, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
        assert_eq!(retry.delay(u32::MAX, 0), retry.max);
    }

    #[test]
    fn full_jitter_stays_between_zero_and_the_computed_delay() {
        let retry = Retry::default();
        assert_eq!(retry.delay(1, 0), HumanDuration::ZERO);
        assert_eq!(retry.delay(1, 10_000), HumanDuration::from_secs(10));
        for seed in [1, 999, u64::MAX] {
            assert!(retry.delay(2, seed) <= HumanDuration::from_secs(20));
        }
    }
}
