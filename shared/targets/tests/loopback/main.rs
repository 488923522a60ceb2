//! [`targets::Targets`] against real servers on loopback. Nothing else is ever contacted.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for code that ships")]

mod common;
mod delivery;
mod forbidden;
mod misbehaving;
