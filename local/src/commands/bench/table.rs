//! Many stored jobs, of which few are due each second: does the size of the table cost anything?

use super::Asked;
use super::beat::{Beat, measure};
use super::report::Report;
use super::scratch::Scratch;
use crate::config::Config;

const PER_SECOND: usize = 1_000;

pub(super) async fn run(config: &Config, asked: Asked, scratch: &Scratch) -> anyhow::Result<Report> {
    // Each second others are due, so that firing finds them among all that are stored.
    let every = u32::try_from(asked.jobs / PER_SECOND)?.max(1);
    measure("table", config, asked, scratch, Beat { every }).await
}
