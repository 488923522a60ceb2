//! What concerns the API as a whole, through its router.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod access;
mod bad_input;
mod contract;
mod idempotency;
mod layers;
mod openapi;
mod random;
#[path = "../../src/testing.rs"]
mod testing;
