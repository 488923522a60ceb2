//! The contract of stores, kept by both databases, and what is special about each.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests fail and speak as tests do"
)]

mod alarm;
mod batches;
mod events;
mod explain;
mod hot_path;
mod plans;
mod recorder;
mod recovery;
mod retention;
mod schema;
mod support;

testkit::conformance!(sqlite, support::sqlite);
testkit::conformance!(postgres, support::postgres);
