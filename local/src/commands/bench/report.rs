//! The result, as one JSON object.

#![expect(clippy::cast_precision_loss, reason = "figures for people, far below 2^53")]

use std::time::Duration;

use domain::{Instant, Run};
use serde::Serialize;

use super::Asked;
use super::ledger::Records;
use super::proc::Usage;
use super::scratch::Scratch;
use crate::config::Config;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    scenario: String,
    version: &'static str,
    optimized: bool,
    asked: Question,
    elapsed_s: f64,
    executions_per_s: f64,
    lag_ms: Option<LagReport>,
    cpu_us_per_execution: Cpu,
    wal_bytes: Option<u64>,
    wal_bytes_per_execution: Option<f64>,
    rss_bytes: Option<u64>,
    machine: Machine,
    records: Records,
}

#[derive(Debug, Serialize)]
struct Question {
    jobs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
    processes: usize,
    concurrency: usize,
    database: String,
}

#[derive(Debug, Serialize)]
struct LagReport {
    p50: i64,
    p99: i64,
    max: i64,
}

#[derive(Debug, Serialize)]
struct Cpu {
    client: Option<f64>,
    postgres: Option<f64>,
}

/// How busy the machine was, and with what: figures from a machine that others use are to be compared with care.
#[derive(Debug, Serialize)]
struct Machine {
    processors: usize,
    load_before: Option<f64>,
    /// Parts of all processors' time.
    busy: Option<f64>,
    client: Option<f64>,
    postgres: Option<f64>,
    others: Option<f64>,
}

impl Report {
    #[expect(clippy::too_many_arguments, reason = "everything that was measured, each once")]
    pub(super) fn new(
        scenario: &str,
        config: &Config,
        asked: Asked,
        scratch: &Scratch,
        elapsed: Duration,
        before: &Usage,
        after: &Usage,
        lags: Lags,
        records: Records,
    ) -> Self {
        let used = |of: fn(&Usage) -> Option<Duration>| Some(of(after)?.saturating_sub(of(before)?));
        let (client, postgres) = (used(|it| it.client), used(|it| it.postgres));
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let part = |used: Duration| round(used.as_secs_f64() / elapsed.as_secs_f64() / processors as f64, 3);
        let busy = used(|it| it.machine);
        let ours = client.unwrap_or_default() + postgres.unwrap_or_default();
        let executions = lags.0.len().max(1) as f64;
        let micros = |used: Duration| round(used.as_secs_f64() * 1e6 / executions, 1);
        let wal = after.wal.zip(before.wal).map(|(after, before)| after.saturating_sub(before));
        Self {
            scenario: scenario.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            optimized: !cfg!(debug_assertions),
            asked: Question {
                jobs: asked.jobs,
                seconds: (asked.seconds > 0).then_some(asked.seconds),
                processes: asked.processes,
                concurrency: config.concurrency,
                database: scratch.kind().to_owned(),
            },
            elapsed_s: round(elapsed.as_secs_f64(), 3),
            executions_per_s: round(lags.0.len() as f64 / elapsed.as_secs_f64(), 1),
            cpu_us_per_execution: Cpu { client: client.map(micros), postgres: postgres.map(micros) },
            wal_bytes: wal,
            wal_bytes_per_execution: wal.map(|wal| round(wal as f64 / executions, 0)),
            rss_bytes: after.memory,
            machine: Machine {
                processors,
                load_before: before.load,
                busy: busy.map(part),
                client: client.map(part),
                postgres: postgres.map(part),
                others: busy.map(|busy| part(busy.saturating_sub(ours))),
            },
            lag_ms: lags.report(),
            records,
        }
    }

    /// Whether every occurrence was carried out once and none too early.
    pub(super) fn is_sound(&self) -> bool {
        self.records.is_sound()
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let factor = 10f64.powi(digits);
    (value * factor).round() / factor
}

/// How late starts were, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Lags(Vec<i64>);

impl Lags {
    /// A start, late from its nominal time or from `possible`, before which nobody could start it.
    pub(super) fn add(&mut self, run: &Run, possible: Instant) {
        if let Some(started) = run.started_at {
            self.0.push((started - run.scheduled_for.max(possible)).num_milliseconds());
        }
    }

    fn report(mut self) -> Option<LagReport> {
        self.0.sort_unstable();
        let last = self.0.len().checked_sub(1)?;
        let at = |percent: usize| self.0[last * percent / 100];
        Some(LagReport { p50: at(50), p99: at(99), max: at(100) })
    }
}
