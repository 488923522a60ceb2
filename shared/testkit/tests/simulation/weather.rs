//! How much goes wrong: rates drawn once for a run, and the dice for each call.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::dice::Dice;
use testkit::Fault;

/// What goes wrong with one call of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It fails. Where the caller cannot know whether it took effect, it did or it did not.
    Torn(Fault),
    /// The store refuses it, for a reason that the next call need not meet.
    Refused,
    /// It takes so long to get there and so long to return. It takes effect even if nobody waits for it any more.
    Slow { there: Duration, back: Duration },
    /// It never returns.
    Hangs { done: bool },
}

/// The rates of a run, each in a thousand calls.
#[derive(Debug)]
pub(crate) struct Weather {
    torn: u64,
    slow: u64,
    hangs: u64,
    /// How many calls take a few milliseconds.
    latency: u64,
    /// How many rings of the alarm are lost; as many are late, and as many come twice.
    rings: u64,
    /// How long a slow call takes at most.
    slowest: u64,
    calm: AtomicBool,
}

impl Weather {
    /// Some runs have clear skies, so that each kind of fault is also seen alone.
    pub(crate) fn forecast(dice: &Dice, lease: Duration) -> Self {
        let rate = |most: u64| if dice.chance(500) { dice.number(1..=most) } else { 0 };
        Self {
            torn: rate(60),
            slow: rate(25),
            hangs: rate(3),
            latency: dice.pick(&[0, 100, 400]),
            rings: rate(300),
            slowest: u64::try_from(lease.as_millis()).unwrap_or(0) * 2,
            calm: AtomicBool::new(false),
        }
    }

    /// From now on nothing goes wrong.
    pub(crate) fn clear_up(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// What goes wrong with the next call.
    pub(crate) fn trouble(&self, dice: &Dice) -> Option<Trouble> {
        if self.is_calm() {
            return None;
        }
        if dice.chance(self.torn) {
            let torn = [Fault::Before, Fault::Undone, Fault::After].map(Trouble::Torn);
            return Some(dice.pick(&[torn[0], torn[1], torn[2], torn[2], Trouble::Refused]));
        }
        if dice.chance(self.slow) {
            // Mostly a little, now and then longer than a lease.
            let longest = if dice.chance(300) { self.slowest } else { 1_500 };
            let (there, back) = (dice.millis(0..=longest), dice.millis(0..=longest));
            return Some(Trouble::Slow { there, back });
        }
        dice.chance(self.hangs).then(|| Trouble::Hangs { done: dice.chance(500) })
    }

    /// How long an ordinary call takes to get there, if it takes any time at all.
    pub(crate) fn latency(&self, dice: &Dice) -> Option<Duration> {
        dice.chance(self.latency).then(|| dice.millis(1..=15))
    }

    /// When a ring of the alarm is heard: not at all, now, later, or twice.
    pub(crate) fn rings(&self, dice: &Dice) -> Vec<Duration> {
        let heard = dice.millis(0..=3);
        if self.is_calm() {
            return vec![heard];
        }
        match dice.number(1..=1_000) {
            lost if lost <= self.rings => Vec::new(),
            late if late <= self.rings * 2 => vec![dice.millis(100..=8_000)],
            twice if twice <= self.rings * 3 => vec![heard, dice.millis(0..=2_000)],
            _ => vec![heard],
        }
    }
}
