//! Carrying out one attempt: the call, its timeout, and stopping it from outside.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::settle::{called, time_left};
use domain::{Instant, Job, Outcome, Run, RunId, Verdict};
use futures::FutureExt;
use metrics::histogram;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::callbacks::Callbacks;
use crate::logs::{Journal, Logs};
use crate::ports::{Call, Clock, Executor, Settled};

/// How long an executor may take to end after it was told to. A command has two seconds to clean up.
const GRACE: Duration = Duration::from_secs(3);

/// How long the end of an attempt waits for the last lines of its log.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Why an attempt is stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody asked for it.
    Requested,
    /// The lease is no longer ours: whatever comes of the attempt, we may not write it.
    Lost,
    /// The process shuts down.
    Shutdown,
}

/// What this process is working on.
#[derive(Default)]
pub(crate) struct InFlight(Mutex<Runs>);

/// Keyed hashing would only make their order differ from process to process: ids are no input of anybody's.
type Runs = HashMap<RunId, Held, BuildHasherDefault<DefaultHasher>>;

struct Held {
    token: u64,
    until: Instant,
    stopper: Stopper,
}

/// Stops one attempt; the first reason given counts.
#[derive(Clone, Default)]
pub(crate) struct Stopper {
    reason: Arc<OnceLock<Stop>>,
    cancel: CancellationToken,
}

impl Stopper {
    pub(crate) fn stop(&self, reason: Stop) {
        let _ = self.reason.set(reason);
        self.cancel.cancel();
    }

    pub(crate) fn reason(&self) -> Option<Stop> {
        self.reason.get().copied()
    }
}

impl InFlight {
    fn lock(&self) -> std::sync::MutexGuard<'_, Runs> {
        // A panic elsewhere cannot leave the map half changed: every change is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, run: RunId, token: u64, until: Instant) -> Stopper {
        let stopper = Stopper::default();
        let before = self.lock().insert(run, Held { token, until, stopper: stopper.clone() });
        // Taken over by this very process, after a lease it could not prolong: the older attempt is void.
        if let Some(before) = before {
            before.stopper.stop(Stop::Lost);
        }
        stopper
    }

    pub(crate) fn remove(&self, run: RunId, token: u64) {
        let mut held = self.lock();
        // The run may have been taken over by this very process, under a newer token.
        if held.get(&run).is_some_and(|it| it.token == token) {
            held.remove(&run);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Every lease held, with its token.
    pub(crate) fn leases(&self) -> Vec<(RunId, u64)> {
        self.lock().iter().map(|(run, held)| (*run, held.token)).collect()
    }

    pub(crate) fn prolong(&self, run: RunId, token: u64, until: Instant) {
        if let Some(held) = self.lock().get_mut(&run).filter(|held| held.token == token) {
            held.until = until;
        }
    }

    pub(crate) fn stop(&self, run: RunId, token: u64, reason: Stop) {
        if let Some(held) = self.lock().get(&run).filter(|held| held.token == token) {
            held.stopper.stop(reason);
        }
    }

    /// When the first lease runs out of those under which an attempt is still being made.
    pub(crate) fn first_expiry(&self) -> Option<Instant> {
        self.lock().values().filter(|held| held.stopper.reason().is_none()).map(|held| held.until).min()
    }

    /// Stops what can no longer be ours: by our own clock its lease has run out without being prolonged.
    pub(crate) fn stop_expired(&self, now: Instant) {
        for held in self.lock().values().filter(|held| held.until <= now) {
            held.stopper.stop(Stop::Lost);
        }
    }

    pub(crate) fn stop_all(&self, reason: Stop) {
        for held in self.lock().values() {
            held.stopper.stop(reason);
        }
    }
}

/// What it takes to make attempts.
#[derive(Clone)]
pub(crate) struct Attempts {
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) logs: Logs,
    pub(crate) callbacks: Callbacks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) outcomes: mpsc::Sender<Ended>,
    /// How long before they are due runs may be given.
    pub(crate) patience: Duration,
}

/// An outcome to be written, and the job it is of while there is one: its end may concern other runs of the job.
pub(crate) struct Ended {
    pub(crate) settled: Settled,
    pub(crate) job: Option<Arc<Job>>,
}

impl Attempts {
    /// Makes one attempt at a leased run, and has its outcome written.
    pub(crate) async fn make(&self, run: Run, job: &Arc<Job>, stopper: &Stopper) {
        let too_soon = self.wait(run.due_for(), stopper).await.err();
        let started_at = self.clock.now();
        if run.attempts.is_empty() {
            let delay = (started_at - run.due_for()).as_seconds_f64();
            histogram!("scheduler_start_delay_seconds").record(delay);
        }
        let (outcome, within) = match (too_soon, call(&run, job, started_at)) {
            (Some(Stop::Requested), _) => (Some(Verdict::Cancelled.into()), job.draft.timeout),
            (Some(Stop::Shutdown), _) => (Some(Verdict::Interrupted.into()), job.draft.timeout),
            (Some(Stop::Lost), _) => (None, job.draft.timeout),
            (None, Ok(mut call)) => {
                // What ends at once has no time to write.
                if !self.executor.ends_at_once(&call.target) {
                    call.journal = Journal::new(self.logs.clone(), run.id, call.attempt);
                }
                if call.target.reports() {
                    call.token = Some(self.callbacks.token(run.id, run.token).of_project(&run.project));
                }
                let attempt = attempt(&*self.executor, &call, stopper);
                (journalled(&call.journal, attempt).await, call.timeout)
            }
            (None, Err(refused)) => (Some(refused.into()), job.draft.timeout),
        };
        match outcome {
            Some(outcome) => {
                let token = run.token;
                let draft = &job.draft;
                let outcome = if draft.target.reports() {
                    self.callbacks.after_call(&run, self.clock.now(), outcome).await
                } else {
                    outcome
                };
                let run = called(&run, draft, within, started_at, self.clock.now(), outcome);
                // The receiver lives as long as there are senders.
                let ended = Ended { settled: Settled { run, token }, job: Some(job.clone()) };
                let _ = self.outcomes.send(ended).await;
            }
            None => self.in_flight.remove(run.id, run.token),
        }
    }
}

impl Attempts {
    /// Waits until `due` by the service's clock; never ends early, unless by being stopped.
    async fn wait(&self, due: Instant, stopper: &Stopper) -> Result<(), Stop> {
        // Runs are given this long before they are due. A clock that says otherwise has been set back, and waiting for
        // it could take hours.
        let give_up = tokio::time::Instant::now() + 2 * self.patience;
        while let Ok(wait) = (due - self.clock.now()).to_std()
            && !wait.is_zero()
            && tokio::time::Instant::now() < give_up
        {
            tokio::select! {
                biased;
                () = stopper.cancel.cancelled() => return Err(stopper.reason().unwrap_or(Stop::Lost)),
                () = sleep(wait.min(self.patience)) => (),
            }
        }
        Ok(())
    }
}

/// The call to be made; the job may have got a target since that takes no payload.
fn call(run: &Run, job: &Job, now: Instant) -> Result<Call, Verdict> {
    let target = &job.draft.target;
    let target = match run.asked.as_ref().and_then(|asked| asked.payload.as_ref()) {
        None => target.clone(),
        Some(payload) => target.with_payload(payload).map_err(|invalid| {
            Verdict::fatal("payload", format!("the job's target has changed: {invalid}"))
        })?,
    };
    Ok(Call {
        run_id: run.id,
        job_id: run.job_id,
        job_name: job.draft.name.clone(),
        scheduled_for: run.scheduled_for,
        kind: run.kind,
        attempt: u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_add(1),
        timeout: target.answer_within(time_left(run, &job.draft, now)),
        target,
        journal: Journal::nowhere(),
        token: None,
    })
}

/// Carries out `attempt`, and writes down meanwhile what goes into its journal. All of it is written before the attempt
/// counts as ended, so that whoever reads the log of a finished run reads it whole.
async fn journalled<T>(journal: &Journal, attempt: impl Future<Output = T>) -> T {
    let keeping = journal.keep();
    tokio::pin!(keeping);
    let outcome = tokio::select! {
        biased;
        outcome = attempt => outcome,
        // It does not end before it is told to.
        () = &mut keeping => return std::future::pending().await,
    };
    if journal.close() && timeout(LAST_LINES, keeping).await.is_err() {
        tracing::warn!("the last lines of a run's log could not be written");
    }
    outcome
}

/// Makes one attempt. `None` where its result is not ours to write.
async fn attempt(executor: &dyn Executor, call: &Call, stopper: &Stopper) -> Option<Outcome> {
    let execution = AssertUnwindSafe(executor.execute(call, stopper.cancel.clone())).catch_unwind();
    tokio::pin!(execution);
    let ended = tokio::select! {
        // What ends at once needs no timer.
        biased;
        ended = &mut execution => Some(ended),
        () = sleep(call.timeout.to_std()) => None,
        () = stopper.cancel.cancelled() => None,
    };
    let cut_short = match (&ended, stopper.reason()) {
        (None, None) => Some(Verdict::TimedOut),
        (_, Some(Stop::Requested)) => Some(Verdict::Cancelled),
        (_, Some(Stop::Shutdown)) => Some(Verdict::Interrupted),
        (_, Some(Stop::Lost)) => return None,
        (Some(_), None) => None,
    };
    let ended = match ended {
        Some(ended) => Some(ended),
        None => {
            stopper.cancel.cancel();
            timeout(GRACE, &mut execution).await.ok()
        }
    };
    let outcome = match ended {
        Some(Ok(outcome)) => outcome,
        Some(Err(_panic)) => {
            Verdict::retryable("panic", "the executor failed; this is a defect of the service").into()
        }
        None => Verdict::Cancelled.into(),
    };
    Some(match cut_short {
        // What was done in the last moment is done: saying otherwise would have it done again.
        Some(verdict) if !is_done(&outcome.verdict, &verdict) => Outcome { verdict, ..outcome },
        _ => outcome,
    })
}

/// Whether what a call came to in its last moment counts, though it was cut short as `cut_short` says. A target that has
/// taken work which is to be cancelled is left to find that out.
fn is_done(verdict: &Verdict, cut_short: &Verdict) -> bool {
    match verdict {
        Verdict::Succeeded => true,
        Verdict::Accepted => *cut_short != Verdict::Cancelled,
        _ => false,
    }
}
