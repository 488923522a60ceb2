//! One seed, run and judged.

use std::collections::BTreeSet;
use std::fmt;

use super::wrong::Bug;
use super::{course, judge, sights, trace};

/// What came of a run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// How many events there were.
    pub(crate) events: usize,
    /// How many runs the ledger holds.
    pub(crate) runs: usize,
    /// How many calls reached a target.
    pub(crate) calls: usize,
    /// What was to be seen, see [`sights`].
    pub(crate) seen: BTreeSet<&'static str>,
}

/// What the judge found, with the seed that repeats it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The seed.
    pub(crate) seed: u64,
    /// The rules that were broken.
    pub(crate) rules: Vec<&'static str>,
    text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Runs a seed and judges it.
///
/// # Errors
/// The rules that were broken, with what happened around the first.
pub(crate) fn simulate(seed: u64, bug: Option<Bug>) -> Result<Report, Failure> {
    let history = course::run(seed, bug);
    let violations = judge::judge(&history);
    let Some(first) = violations.first() else {
        return Ok(Report {
            events: history.entries.len(),
            runs: history.runs.len(),
            calls: history.calls(),
            seen: sights::of(&history),
        });
    };
    let around = trace::trace(&history, first);
    let text = format!(
        "seed {seed} breaks the rule “{}”\n  {first}\n\n{around}\n  repeat it with: SEED={seed} RETELL=1 cargo test -p testkit --test simulation rule -- --nocapture",
        first.rule
    );
    Err(Failure { seed, rules: violations.iter().map(|violation| violation.rule).collect(), text })
}

/// A number that is the same for two runs in which the same happened in the same order.
pub(crate) fn fingerprint(seed: u64) -> u64 {
    course::run(seed, None).fingerprint()
}

/// Everything that happens in a run, one line for each event.
pub(crate) fn retell(seed: u64) -> String {
    trace::retell(&course::run(seed, None))
}
