//! One-off jobs due already, each a POST to a server in this process, which counts them.

use anyhow::ensure;
use serde_json::json;

use super::burst::Burst;
use super::report::Report;
use super::scratch::Scratch;
use super::sink::Sink;
use super::{Asked, progress};
use crate::config::Config;

pub(super) async fn run(config: &Config, asked: Asked, scratch: &Scratch) -> anyhow::Result<Report> {
    let sink = Sink::start().await?;
    let burst = Burst::prepare(asked, scratch, |index| {
        json!({"type": "http", "url": sink.url(index), "body": {"at": "{{scheduled_for}}", "run": "{{run.id}}"}})
    })
    .await?;
    let report = burst.run("webhook", config, &sink.allowed()).await?;
    let (runs, posts) = sink.counts();
    progress(format_args!("{posts} POSTs of {runs} runs arrived"));
    ensure!(runs == asked.jobs, "{runs} runs arrived where {} were due", asked.jobs);
    ensure!(posts == runs, "{} runs were sent more than once", posts - runs);
    Ok(report)
}
