//! [`targets::Targets`] against real servers on loopback. Nothing else is ever contacted.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for code that ships")]

mod callbacks;
#[cfg(unix)]
mod command;
mod common;
mod delivery;
mod email;
mod forbidden;
mod misbehaving;
mod smtp;
