//! Every choice of a run, from its seed.

use std::ops::RangeInclusive;
use std::time::Duration;

use domain::HumanDuration;
use engine::Entropy;

use testkit::SeededEntropy;

/// Dice that fall the same way for the same seed.
///
/// Every actor has dice of its own, [forked](Self::fork) off, so that what one draws does not change the luck of
/// the others.
#[derive(Debug)]
pub(crate) struct Dice(SeededEntropy);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// Dice for somebody else.
    pub(crate) fn fork(&self) -> Self {
        Self::new(self.0.next())
    }

    /// A number in `range`.
    pub(crate) fn number(&self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.0.next() % (range.end() - range.start() + 1)
    }

    /// True so many times in a thousand.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        self.number(1..=1_000) <= per_mille
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// An index into something of this length.
    pub(crate) fn index(&self, length: usize) -> usize {
        usize::try_from(self.0.next() % length.max(1) as u64).unwrap_or(0)
    }

    /// So many milliseconds.
    pub(crate) fn millis(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    /// So many milliseconds, in the form in which people write them.
    pub(crate) fn duration(&self, range: RangeInclusive<u64>) -> HumanDuration {
        HumanDuration::from_millis(self.number(range))
    }
}

impl Entropy for Dice {
    fn random(&self) -> u128 {
        self.0.random()
    }
}
