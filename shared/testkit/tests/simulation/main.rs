//! Whole engines under simulation: several nodes on one store, in virtual time, with everything going wrong.
//!
//! A run is determined by its seed. It sets up a few nodes, each a complete engine, on one `MemoryStore`, lets users
//! create, change and cancel at random, kills, stops, suspends and cuts off nodes, loses and delays calls of the store
//! and rings of the alarm, and has targets fail, hang and refuse to be cancelled. Then all of that ends, everything
//! comes to rest, and a judge reads the history.
//!
//! - `course` is the course of a run; `nemesis`, `weather` and `users` are what befalls it.
//! - `node` is an engine with its ports: `faulty_store`, `executor`, `alarm` and a `time::NodeClock`. A `gate` before
//!   each of them makes a process stop and die.
//! - `database` writes down all that the store does; `event` is what a history consists of.
//! - `judge` has one file for each rule, and trusts no decision of the engine.
//! - `wrong` plants bugs, to see that the judge finds them (`bugs`). `classes` are the tests, one for each class of
//!   bugs that schedulers are known for.
//!
//! One thread runs one seed. What would differ from run to run (the wall clock, the operating system's randomness,
//! the order of a hash map, the branches of `select!`) must not be used, here or in the engine.
//!
//! `SEED=7` repeats one seed, with `RETELL=1` event by event; `SEEDS=100000` tries so many, from `FIRST_SEED` on, to the
//! end. `make simulate SEEDS=100000` does so optimised.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "tests fail, and speak")]

mod alarm;
mod bugs;
mod classes;
mod course;
mod database;
mod dice;
mod drafts;
mod event;
mod executor;
mod faulty_store;
mod gate;
mod history;
mod judge;
mod nemesis;
mod node;
mod process;
mod results;
mod sights;
mod simulate;
mod time;
mod trace;
mod traffic;
mod users;
mod weather;
mod wrong;

use self::results::Results;
use self::simulate::fingerprint;

#[test]
fn whatever_happens_no_rule_is_broken() {
    let results = Results::of_all_seeds();
    println!("{results}");
    if let Some(failure) = results.failures.first() {
        panic!("\n{failure}");
    }
}

#[test]
fn a_seed_repeats_event_by_event() {
    for seed in 0..10 {
        assert_eq!(fingerprint(seed), fingerprint(seed), "seed {seed} differs from itself");
    }
}
