//! End to end: the real binary, real databases, real kills. And the rules of the house.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests fail and speak as tests do"
)]

mod access;
mod bench;
mod callbacks;
mod chaos;
mod cli;
mod cluster;
mod events;
mod faults;
mod grid;
mod house;
mod monitoring;
mod quickstart;
mod replicas;
mod service;
mod targets;

/// Tests that assert how punctual the service is share the machine with each other (read), but not with the one that
/// loads it to the brim (write).
static MACHINE: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());
