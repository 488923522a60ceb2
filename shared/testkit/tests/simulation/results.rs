//! Many seeds, on all cores.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;

use super::sights;
use super::simulate::{Failure, Report, retell, simulate};
use super::wrong::Bug;

/// Seeds tried unless the environment asks for more.
pub(crate) const SEEDS: u64 = 1_000;

/// What came of some seeds.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) reports: Vec<Report>,
    /// The smallest seed first.
    pub(crate) failures: Vec<Failure>,
}

#[expect(clippy::disallowed_methods, reason = "switches of the test, not configuration of the service")]
fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

static ALL: LazyLock<Results> = LazyLock::new(|| {
    if let Some(seed) = setting("SEED") {
        if setting("RETELL").is_some() {
            println!("{}", retell(seed));
        }
        return Results::of(seed..seed + 1, None, |_| false);
    }
    let first = setting("FIRST_SEED").unwrap_or(0);
    Results::of(first..first + setting("SEEDS").unwrap_or(SEEDS), None, |_| false)
});

impl Results {
    /// Those of all seeds that are asked for; all tests share them.
    pub(crate) fn of_all_seeds() -> &'static Self {
        &ALL
    }

    /// Tries seeds on all cores, to the end or until a failure is enough.
    pub(crate) fn of(seeds: Range<u64>, bug: Option<Bug>, enough: impl Fn(&Failure) -> bool + Sync) -> Self {
        let next = AtomicU64::new(seeds.start);
        let done = AtomicBool::new(false);
        let results: Mutex<Self> = Mutex::default();
        let work = || {
            while !done.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seeds.end <= seed {
                    break;
                }
                let result = simulate(seed, bug);
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                match result {
                    Ok(report) => results.reports.push(report),
                    Err(failure) => {
                        done.fetch_or(enough(&failure), Ordering::Relaxed);
                        results.failures.push(failure);
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.failures.sort_by_key(|failure| failure.seed);
        results
    }

    /// In how many seeds something was to be seen.
    pub(crate) fn saw(&self, sight: &str) -> usize {
        self.reports.iter().filter(|report| report.seen.contains(sight)).count()
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&Report) -> usize| self.reports.iter().map(of).sum::<usize>();
        let (events, runs, calls) = (sum(|it| it.events), sum(|it| it.runs), sum(|it| it.calls));
        writeln!(f, "{} seeds: {events} events, {runs} runs, {calls} calls", self.reports.len())?;
        for sight in sights::all() {
            writeln!(f, "{:>6} {sight}", self.saw(sight))?;
        }
        let mut broken: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for failure in &self.failures {
            broken.entry(failure.rules[0]).or_default().push(failure.seed);
        }
        for (rule, seeds) in &broken {
            writeln!(f, "{:>6} broken: {rule}; seeds {:?}", seeds.len(), &seeds[..seeds.len().min(12)])?;
        }
        Ok(())
    }
}
