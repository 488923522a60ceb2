//! Writing outcomes, many per statement: whatever has ended while one commit was under way goes into the next.

use std::sync::Arc;
use std::time::Duration;

use domain::settle::cancelled;
use domain::{Attempt, Reason, RunStatus};
use metrics::counter;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::aftermath::Aftermath;
use crate::error::StoreError;
use crate::ports::{Alarm, Clock, Settled, Store};
use crate::worker::{Ended, InFlight};

/// At most so many outcomes per statement.
const BATCH: usize = 1_000;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// Writes outcomes until all senders are gone.
///
/// While the store is away the outcomes wait here: they are what cannot be had again. Should a lease run out
/// meanwhile and the run be taken over, the late write is refused by its token.
pub(crate) async fn run(aftermath: Aftermath, in_flight: Arc<InFlight>, mut outcomes: mpsc::Receiver<Ended>) {
    let Aftermath { store, alarm, clock, .. } = &aftermath;
    let mut ended = Vec::with_capacity(BATCH);
    while outcomes.recv_many(&mut ended, BATCH).await > 0 {
        let (mut batch, jobs): (Vec<_>, Vec<_>) = ended.drain(..).map(|it| (it.settled, it.job)).unzip();
        let written = commit(&**store, &mut batch).await;
        for ((settled, job), written) in batch.into_iter().zip(jobs).zip(written) {
            in_flight.remove(settled.run.id, settled.token);
            if !written {
                counter!("scheduler_stale_writes_total").increment(1);
                tracing::warn!(run.id = %settled.run.id, "an outcome came too late: the run was taken over");
                continue;
            }
            if settled.run.status == RunStatus::Running {
                aftermath.callbacks.accepted(&settled.run).await;
                alarm.arm(settled.run.job_id, settled.run.due_at).await;
                continue;
            }
            count(&settled);
            if settled.run.status == RunStatus::Pending {
                again(&**store, &**alarm, &**clock, &settled).await;
                if let Some(job) = job.filter(|job| job.draft.concurrency.is_some()) {
                    aftermath.make_room(&settled.run, &job).await;
                }
            } else if let Some(job) = job {
                aftermath.follow(&settled.run, &job).await;
            }
        }
    }
}

/// Sees to it that a run that waits for another attempt gets it, unless it was to be cancelled in the last moments of
/// the one before: nobody else would look at it until then.
async fn again(store: &dyn Store, alarm: &dyn Alarm, clock: &dyn Clock, settled: &Settled) {
    let run = &settled.run;
    if let Ok(Some(now)) = store.run(&run.project, run.id).await
        && now.cancel_requested
        && now.status == RunStatus::Pending
    {
        let end = Settled { token: now.token, run: cancelled(&now, Reason::Requested, clock.now()) };
        if store.commit_settled(&[end]).await.is_ok_and(|written| written == [true]) {
            return;
        }
    }
    alarm.arm(run.job_id, run.due_at).await;
}

/// Writes a batch, however long it takes: again and again while the store is away, in smaller and smaller parts
/// where it refuses, and as a last resort without what the target said.
async fn commit(store: &dyn Store, batch: &mut [Settled]) -> Vec<bool> {
    let mut delay = FIRST_DELAY;
    let mut written = Vec::with_capacity(batch.len());
    let mut size = batch.len();
    while written.len() < batch.len() {
        let rest = &mut batch[written.len()..];
        size = size.min(rest.len());
        let part = &mut rest[..size];
        let error = match store.commit_settled(part).await {
            Ok(answers) => {
                written.extend(answers);
                continue;
            }
            Err(error) => error,
        };
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            outcomes = size,
            "outcomes cannot be written, trying again"
        );
        match (&error, part) {
            (StoreError::Unavailable(_), _) => (),
            (_, [Settled { run, .. }]) if run.attempts.iter().all(is_bare) && run.accepted.is_none() => {
                tracing::error!(run.id = %run.id, "an outcome cannot be written; its run will be taken over");
                written.push(false);
                continue;
            }
            (_, [Settled { run, .. }]) => {
                run.attempts.iter_mut().for_each(strip);
            }
            _ => size /= 2,
        }
        sleep(delay).await;
        delay = (delay * 2).min(LONGEST_DELAY);
    }
    written
}

fn is_bare(attempt: &Attempt) -> bool {
    attempt.request.is_none() && attempt.response.is_none()
}

fn strip(attempt: &mut Attempt) {
    attempt.request = None;
    attempt.response = None;
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
