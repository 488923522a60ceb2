//! The commands besides `serve`. Their answers go to standard output, for people and pipes.
#![expect(clippy::print_stdout, reason = "this is where commands answer")]

pub(crate) mod bench;
pub(crate) mod config;
pub(crate) mod cron;
pub(crate) mod doctor;
pub(crate) mod healthcheck;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod openapi;
