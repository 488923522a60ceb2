//! How durations are spread.

use domain::HumanDuration;

/// Percentiles of some durations, by nearest rank: each is one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Half are no longer.
    pub p50: HumanDuration,
    /// 95 % are no longer.
    pub p95: HumanDuration,
    /// 99 % are no longer.
    pub p99: HumanDuration,
    /// None is longer.
    pub max: HumanDuration,
    /// Of how many.
    pub of: usize,
}

impl Spread {
    /// The spread of `durations`; `None` where there are none.
    pub fn of(durations: impl IntoIterator<Item = HumanDuration>) -> Option<Self> {
        let mut sorted: Vec<HumanDuration> = durations.into_iter().collect();
        sorted.sort_unstable();
        let max = *sorted.last()?;
        let rank = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied().unwrap_or(max)
        };
        Some(Self { p50: rank(50), p95: rank(95), p99: rank(99), max, of: sorted.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(millis: impl IntoIterator<Item = u64>) -> Option<[u64; 4]> {
        let spread = Spread::of(millis.into_iter().map(HumanDuration::from_millis))?;
        Some([spread.p50, spread.p95, spread.p99, spread.max].map(HumanDuration::as_millis))
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        assert_eq!(spread([]), None);
        assert_eq!(spread([7]), Some([7; 4]));
        assert_eq!(spread([9, 1]), Some([1, 9, 9, 9]));
        assert_eq!(spread((1..=100).rev()), Some([50, 95, 99, 100]));
        assert_eq!(spread(1..=1_000), Some([500, 950, 990, 1_000]));
    }
}
