//! The model-based test: random operations on the store under test beside [`MemoryStore`]; whatever the two answer
//! must be equal.
//!
//! Each sequence begins with [`Backdoor::reset`](crate::Backdoor::reset), not with a fresh fixture: firing and
//! leasing are not bound to a project, so sequences cannot share a store, and emptying a few tables is far cheaper
//! than migrating a database. Ids differ from sequence to sequence, so caches by id stay harmless.
//!
//! `PROPTEST_CASES=1000` tries more sequences; `PROPTEST_RNG_SEED`, printed with a failure, repeats one.

mod act;
mod calendars;
mod op;
mod world;

use std::cell::Cell;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::Runtime;

use self::op::Op;
use self::world::World;
use crate::conformance::run::{drop_in_order, runtime, skipped};
use crate::{Fixture, MemoryStore};

/// Sequences tried unless `PROPTEST_CASES` asks for more.
const SEQUENCES: u32 = 64;

/// Runs the model-based test on one store. Called by [`crate::conformance!`].
///
/// # Panics
/// Where the two stores differ: with the shortest sequence found that shows it, and the seed.
pub fn run(store: &str, fixture: impl AsyncFnOnce() -> Option<Fixture>) {
    run_with(store, config(), fixture);
}

/// Runs the model-based test with another configuration than the environment's: a fixed seed, more sequences.
///
/// # Panics
/// As [`run`] does.
pub fn run_with(store: &str, config: Config, fixture: impl AsyncFnOnce() -> Option<Fixture>) {
    let runtime = runtime();
    let Some(subject) = runtime.block_on(fixture()) else { return skipped(store) };
    let seed = config.rng_seed;
    // Shrinking runs on, so sequences are counted here, not in their input.
    let sequence = Cell::new(0);
    let result = TestRunner::new(config).run(&op::sequence(), |ops| {
        sequence.set(sequence.get() + 1);
        compare(&runtime, &subject, sequence.get(), &ops)
    });
    // Within the runtime: closing a pool may need it.
    runtime.block_on(async { drop_in_order(subject) });
    if let Err(TestError::Fail(reason, ops)) = result {
        let listed: Vec<_> =
            ops.iter().enumerate().map(|(index, op)| format!("{index:>3}  {op:?}\n")).collect();
        panic!("{store} differs from MemoryStore ({seed:?})\n{reason}\nafter\n{}", listed.concat());
    } else if let Err(error) = result {
        panic!("{store}: {error}");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "switches of the test harness, not configuration of the service"
)]
fn config() -> Config {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 512, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    if config.rng_seed == RngSeed::Random {
        // Fixed here so that it can be printed. The hasher's keys are the standard library's only random numbers.
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        config.rng_seed = RngSeed::Fixed(random);
    }
    config
}

fn compare(runtime: &Runtime, subject: &Fixture, sequence: u32, ops: &[Op]) -> Result<(), TestCaseError> {
    runtime.block_on(async {
        subject.backdoor.reset().await;
        let oracle = MemoryStore::new();
        let right = MemoryStore::fixture_of(&oracle);
        let mut world = World::new(oracle, sequence);
        for (index, op) in ops.iter().enumerate() {
            let expected = act::perform(op, &world, &right).await;
            let seen = act::perform(op, &world, subject).await;
            if seen != expected {
                return Err(differ(&format!("operation {index}, {op:?}"), &seen, &expected));
            }
            world.learn(op);
        }
        let (seen, expected) = (act::everything(subject).await, act::everything(&right).await);
        if seen == expected { Ok(()) } else { Err(differ("all that is stored at the end", &seen, &expected)) }
    })
}

fn differ(what: &str, seen: &str, expected: &str) -> TestCaseError {
    TestCaseError::fail(format!("{what}:\n  it answered {seen}\n  instead of  {expected}"))
}
