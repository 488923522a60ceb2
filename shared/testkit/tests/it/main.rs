//! The testkit tests itself: the oracle by its own suite, the suite by stores that are wrong on purpose, and the
//! domain's rules by scenarios.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod calendar_ledger;
mod calendars;
mod changes;
mod ledger;
mod max_runs;
mod misfires;
mod retries;
mod suite;
mod upcoming;
mod wrong;

#[expect(clippy::unused_async, reason = "the form of every fixture")]
async fn memory() -> Option<testkit::Fixture> {
    Some(testkit::MemoryStore::fixture())
}

testkit::conformance!(memory, memory);
