//! Writing outcomes, many per statement: whatever has ended while one commit was under way goes into the next.

use std::sync::Arc;
use std::time::Duration;

use domain::RunStatus;
use metrics::counter;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::ports::{Alarm, Settled, Store};
use crate::worker::InFlight;

/// At most so many outcomes per statement.
const BATCH: usize = 1_000;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// Writes outcomes until all senders are gone.
///
/// While the store is away the outcomes wait here: they are what cannot be had again. Should a lease run out
/// meanwhile and the run be taken over, the late write is refused by its token.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    alarm: Arc<dyn Alarm>,
    in_flight: Arc<InFlight>,
    mut outcomes: mpsc::Receiver<Settled>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while outcomes.recv_many(&mut batch, BATCH).await > 0 {
        let written = commit(&*store, &batch).await;
        for (settled, written) in batch.drain(..).zip(written) {
            in_flight.remove(settled.run.id, settled.token);
            if !written {
                counter!("scheduler_stale_writes_total").increment(1);
                tracing::warn!(run.id = %settled.run.id, "an outcome came too late: the run was taken over");
                continue;
            }
            count(&settled);
            if settled.run.status == RunStatus::Pending {
                alarm.arm(settled.run.job_id, settled.run.due_at).await;
            }
        }
    }
}

async fn commit(store: &dyn Store, batch: &[Settled]) -> Vec<bool> {
    let mut delay = FIRST_DELAY;
    loop {
        match store.commit_settled(batch).await {
            Ok(written) => return written,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    outcomes = batch.len(),
                    "outcomes cannot be written, trying again"
                );
                sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
        }
    }
}

fn count(settled: &Settled) {
    let run = &settled.run;
    if let Some(attempt) = run.attempts.last() {
        counter!("scheduler_attempts_total", "outcome" => attempt.outcome.as_str()).increment(1);
    }
    if run.status.is_finished() {
        counter!("scheduler_runs_total", "status" => run.status.as_str(), "trigger" => run.kind.as_str())
            .increment(1);
        if let Some(duration) = run.finished_at.zip(run.started_at).map(|(end, start)| end - start) {
            metrics::histogram!("scheduler_run_duration_seconds").record(duration.as_seconds_f64());
        }
    }
}
