//! `scheduler bench worker`: fires and runs jobs as `scheduler serve` does, from the word on standard input until its end.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use engine::{Bell, Entropy, Logs, tick};
use sql::Database;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::metrics;
use crate::serve;
use crate::system::OsEntropy;

pub(super) const READY: &str = "ready";
pub(super) const GO: &str = "go";

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    // Nobody asks for the metrics, but recording them is part of the work.
    let _metrics = metrics::record()?;
    let database = Database::connect(&config.database_url).await?;
    database.migrations().await?;
    let bell = Bell::default();
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let (clock, alarm) = serve::time(&database, &bell).await?;
    let logs = Logs::new(database.run_logs(), clock.clone());
    let key = serve::token_key(config, &database, &*entropy).await?;
    let callbacks = serve::callbacks(&database, &logs, clock.clone(), alarm.clone(), key);
    let dispatcher = serve::dispatcher(config, &database, clock, alarm, &entropy, logs, callbacks);
    println!("{READY}");

    let mut input = BufReader::new(tokio::io::stdin()).lines();
    if input.next_line().await?.as_deref() != Some(GO) {
        return Ok(ExitCode::SUCCESS);
    }
    let shutdown = CancellationToken::new();
    let grace = config.shutdown_grace.to_std();
    let work = tokio::spawn(tick::serve(dispatcher, bell, entropy, shutdown.clone(), grace));
    while input.next_line().await?.is_some() {}
    shutdown.cancel();
    work.await.context("the tick loop failed")?;
    database.close().await;
    Ok(ExitCode::SUCCESS)
}
