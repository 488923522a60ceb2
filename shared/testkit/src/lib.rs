//! Dev only: everything the tests of this workspace share.
//!
//! - [`MemoryStore`] is the oracle: the plainest store that keeps the contract of [`engine::Store`].
//! - [`conformance!`] runs that contract, one named test a case, against any other store, and a model-based
//!   property test beside the oracle.
//! - [`ManualClock`], [`SeededEntropy`], [`FakeExecutor`] and [`RecordingAlarm`] stand in for the world.
//! - [`fixtures`] builds jobs: `job("nightly").cron("0 2 * * *", "Europe/Paris").build()`.
//!
//! `engine` is a dependency of this crate, so engine's own tests that use it live in `engine/tests`, not in
//! `engine/src`: there they would see two different engines.

pub mod conformance;
pub mod executor;
pub mod fixtures;
pub mod memory;
pub mod model;
pub mod ports;

pub use conformance::{Backdoor, Fixture};
pub use executor::{FakeExecutor, Gate, Recorded, Step};
pub use fixtures::{at, job};
pub use memory::{Fault, MemoryStore};
pub use ports::{ManualClock, RecordingAlarm, SeededEntropy};
