//! One-off jobs that are all due already and do nothing: how fast can they be fired, run and recorded?

use super::burst::Burst;
use super::report::Report;
use super::scratch::Scratch;
use super::{Asked, load};
use crate::config::Config;

pub(super) async fn run(config: &Config, asked: Asked, scratch: &Scratch) -> anyhow::Result<Report> {
    let burst = Burst::prepare(asked, scratch, |_| load::noop()).await?;
    burst.run("storm", config, "").await
}
