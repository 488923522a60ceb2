//! A few jobs that fire every second: how late is a start while the machine has time?

use super::Asked;
use super::beat::{Beat, measure};
use super::report::Report;
use super::scratch::Scratch;
use crate::config::Config;

pub(super) async fn run(config: &Config, asked: Asked, scratch: &Scratch) -> anyhow::Result<Report> {
    measure("precision", config, asked, scratch, Beat { every: 1 }).await
}
