//! The processes that do the work: this program again, so that their CPU time and memory are theirs alone.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};

use super::worker::{GO, READY};
use crate::config::Config;

/// Running workers; killed when dropped.
pub(super) struct Workers(Vec<Child>);

impl Workers {
    /// Starts them and waits until each is connected and waits for the word.
    pub(super) async fn start(config: &Config, url: &str, count: usize, allow: &str) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("where is this program?")?;
        let mut workers = Self(Vec::new());
        for _ in 0..count {
            let child = Command::new(&program)
                .args(["bench", "worker"])
                .env("DATABASE_URL", url)
                .env("SCHEDULER_CONCURRENCY", config.concurrency.to_string())
                .env("SCHEDULER_LEASE", config.lease.to_string())
                .env("SCHEDULER_LOG", &config.log)
                .env("SCHEDULER_ALLOW_TARGETS", allow)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .context("cannot start a worker process")?;
            workers.0.push(child);
        }
        for child in &mut workers.0 {
            let output = child.stdout.take().context("a worker without output")?;
            let said = tokio::task::spawn_blocking(move || BufReader::new(output).lines().next());
            ensure!(
                matches!(said.await?, Some(Ok(line)) if line == READY),
                "a worker process did not get ready"
            );
        }
        Ok(workers)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(Child::id)
    }

    /// Lets them begin.
    pub(super) fn go(&mut self) -> anyhow::Result<()> {
        for child in &mut self.0 {
            writeln!(child.stdin.as_mut().context("a worker without input")?, "{GO}")?;
        }
        Ok(())
    }

    /// Fails if one of them has ended.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        for child in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                bail!("a worker process ended: {status}");
            }
        }
        Ok(())
    }

    /// Lets them finish what they have begun.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        for mut child in std::mem::take(&mut self.0) {
            drop(child.stdin.take());
            let status = tokio::task::spawn_blocking(move || child.wait()).await??;
            ensure!(status.success(), "a worker process failed: {status}");
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
