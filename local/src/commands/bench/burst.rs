//! Jobs that are all due before the workers begin: measured from the word to go until everything is recorded.

use std::time::Duration;

use anyhow::ensure;
use domain::Instant;
use serde_json::Value;

use super::ledger::{self, Expected};
use super::proc::Usage;
use super::report::{Lags, Report};
use super::scratch::Scratch;
use super::workers::Workers;
use super::{Asked, load, progress};
use crate::config::Config;

/// How often the end is looked for: asking costs the database a little, too.
const LOOK: Duration = Duration::from_millis(50);
/// A burst that takes longer than this has come to a halt.
const PATIENCE: Duration = Duration::from_mins(15);

/// Loaded, not yet started.
pub(super) struct Burst<'a> {
    asked: Asked,
    scratch: &'a Scratch,
    due: Instant,
    expected: Expected,
}

impl<'a> Burst<'a> {
    pub(super) async fn prepare(
        asked: Asked,
        scratch: &'a Scratch,
        target: impl Fn(usize) -> Value,
    ) -> anyhow::Result<Self> {
        progress(format_args!("storing {} jobs", asked.jobs));
        let due = scratch.now();
        let ids = load::jobs(scratch, asked.jobs, due, |index| (load::once(due), target(index))).await?;
        let expected = ids.into_iter().map(|job| (job, due)).collect();
        Ok(Self { asked, scratch, due, expected })
    }

    pub(super) async fn run(self, name: &str, config: &Config, allow: &str) -> anyhow::Result<Report> {
        let Self { asked, scratch, due, expected } = self;
        let mut workers = Workers::start(config, scratch.url(), asked.processes, allow).await?;
        let store = scratch.store();
        let before = Usage::now(&workers, scratch).await?;
        let began = tokio::time::Instant::now();
        let go = scratch.now();
        workers.go()?;
        progress("running");
        while store.next_due().await?.is_some() {
            workers.check()?;
            ensure!(began.elapsed() < PATIENCE, "not done after {} minutes", PATIENCE.as_secs() / 60);
            tokio::time::sleep(LOOK).await;
        }
        let elapsed = began.elapsed();
        let after = Usage::now(&workers, scratch).await?;
        workers.stop().await?;

        progress("checking the records");
        let mut lags = Lags::default();
        let records = ledger::check(&*store, due, None, expected, |run| lags.add(run, go)).await?;
        Ok(Report::new(name, config, asked, scratch, elapsed, &before, &after, lags, records))
    }
}
