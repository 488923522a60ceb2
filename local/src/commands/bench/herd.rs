//! Jobs that fire every second, at all phases of it: does each fire each second, and how late?

use super::Asked;
use super::beat::{Beat, measure};
use super::report::Report;
use super::scratch::Scratch;
use crate::config::Config;

pub(super) async fn run(config: &Config, asked: Asked, scratch: &Scratch) -> anyhow::Result<Report> {
    measure("herd", config, asked, scratch, Beat { every: 1 }).await
}
