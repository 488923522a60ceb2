//! What `/metrics` shows: every metric with what it means, the counters from their first scrape on, and the gauges that
//! take a question to keep.
//!
//! The metrics themselves are recorded where things happen. `infra/monitoring` builds on their names.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::time::tzdb_version;
use domain::{JobState, RunStatus};
use engine::Store;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sql::Database;

/// From a millisecond, which is what a start may lag, to a minute; the steps are OpenTelemetry's.
const SECONDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 60.0];

const COUNTERS: [(&str, &str); 7] = [
    ("scheduler_runs_total", "Runs that have ended, by status and by what had triggered them"),
    ("scheduler_attempts_total", "Attempts that have ended, by outcome"),
    ("scheduler_misfires_total", "Occurrences that were not carried out as it was too late for them"),
    ("scheduler_leases_lost_total", "Leases of runs that could not be prolonged in time"),
    ("scheduler_stale_writes_total", "Outcomes refused as their run had been taken over"),
    ("scheduler_requests_refused_total", "Requests without a key that is good for them, by reason"),
    ("scheduler_runs_purged_total", "Records of runs removed as they had become old or too many"),
];
/// Those that have no labels stand at 0 from the beginning: what appears with its first event has no rate.
const FROM_ZERO: [&str; 4] = [
    "scheduler_misfires_total",
    "scheduler_leases_lost_total",
    "scheduler_stale_writes_total",
    "scheduler_runs_purged_total",
];
const GAUGES: [(&str, &str); 7] = [
    ("scheduler_build_info", "1, with the version, the commit and the time zone data as labels"),
    ("scheduler_jobs", "Jobs, by state"),
    ("scheduler_queue_depth", "Runs that wait to be carried out"),
    ("scheduler_runs_in_flight", "Runs this process carries out"),
    ("scheduler_last_tick_timestamp_seconds", "When this process last looked for due jobs with success"),
    ("scheduler_oldest_due_age_seconds", "How long ago the earliest thing to do was due, 0 where nothing is"),
    ("scheduler_db_pool_connections", "Connections to the database, by state: used or idle"),
];
const HISTOGRAMS: [(&str, &str); 4] = [
    ("scheduler_start_delay_seconds", "How long after its time a run started"),
    ("scheduler_run_duration_seconds", "How long runs took, from their first start to their end"),
    ("scheduler_tick_duration_seconds", "How long a look for due jobs took"),
    ("http_server_request_duration_seconds", "How long requests took, by method, route and status"),
];

/// Starts recording.
pub(crate) fn record() -> anyhow::Result<PrometheusHandle> {
    const UPKEEP: Duration = Duration::from_secs(5);
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()
        .context("metrics cannot be recorded")?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    describe();
    gauge!(
        "scheduler_build_info",
        "version" => env!("CARGO_PKG_VERSION"),
        "git_sha" => option_env!("SCHEDULER_GIT_SHA").unwrap_or_default(),
        "tzdb" => tzdb_version(),
    )
    .set(1.0);
    Ok(handle)
}

fn describe() {
    for (name, meaning) in COUNTERS {
        describe_counter!(name, meaning);
    }
    for (name, meaning) in GAUGES {
        describe_gauge!(name, meaning);
    }
    for (name, meaning) in HISTOGRAMS {
        describe_histogram!(name, Unit::Seconds, meaning);
    }
    for name in FROM_ZERO {
        counter!(name).increment(0);
    }
}

/// Keeps the gauges of what the store holds, which need a query, fresh enough for a scrape.
pub(crate) async fn count(store: Arc<dyn Store>) {
    const EVERY: Duration = Duration::from_secs(15);
    loop {
        if let Ok(counts) = store.counts().await {
            for state in JobState::ALL {
                let jobs = counts.jobs.iter().find(|(it, _)| *it == state).map_or(0, |(_, count)| *count);
                gauge!("scheduler_jobs", "state" => state.as_str()).set(as_gauge(jobs));
            }
            let waiting = counts.runs.iter().filter(|(status, _)| *status == RunStatus::Pending);
            gauge!("scheduler_queue_depth").set(as_gauge(waiting.map(|(_, count)| count).sum()));
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Keeps the gauges of the connections to the database.
pub(crate) async fn watch_connections(database: Database) {
    const EVERY: Duration = Duration::from_secs(1);
    loop {
        let connections = database.connections();
        gauge!("scheduler_db_pool_connections", "state" => "used").set(as_gauge(connections.used));
        gauge!("scheduler_db_pool_connections", "state" => "idle").set(as_gauge(connections.idle));
        tokio::time::sleep(EVERY).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats, and counts stay far below 2^53")]
fn as_gauge(count: u64) -> f64 {
    count as f64
}
