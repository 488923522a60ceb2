//! The engine on the oracle store: firing, running, cancelling, draining; all in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests fail and speak as tests do"
)]

mod access;
mod ahead;
mod asked;
mod at_once;
mod backfilling;
mod bench;
mod calendars;
mod deadlines;
mod dispatching;
mod following;
mod keeping;
mod limiting;
mod logging;
mod overlapping;
mod pausing;
mod reporting;
mod reporting_races;
mod retaining;
mod stopping;
mod ticking;
