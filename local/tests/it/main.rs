//! End to end: the real binary, real databases, real kills. And the rules of the house.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests fail and speak as tests do"
)]

mod cli;
mod cluster;
mod faults;
mod grid;
mod house;
mod quickstart;
mod replicas;
mod service;
