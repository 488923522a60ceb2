//! Settling: from the outcome of an attempt to the run's next state.

mod callback;
mod deadline;

use sha2::{Digest, Sha256};

pub use self::callback::{Accepted, Conclusion, Ending, Progress, called, concluded, lost, unreported};
pub use self::deadline::{deadline, overdue, time_left, within_deadline};

use crate::details::Details;
use crate::run::{
    Attempt, AttemptError, AttemptOutcome, Reason, RequestRecord, ResponseRecord, Run, RunStatus,
};
use crate::{HumanDuration, Instant, Retry, RunId};

/// What an executor reports of one try. A failure is a value: executors never fail themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// What was sent.
    pub request: Option<RequestRecord>,
    /// What came back.
    pub response: Option<ResponseRecord>,
    /// What there is to know where the target speaks no HTTP.
    pub details: Option<Details>,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The target did its work.
    Succeeded,
    /// The target has taken the work and will report its end. Where it is not asked to, that is all there is to know.
    Accepted,
    /// The target refused, failed or could not be reached.
    Failed {
        /// What went wrong.
        error: AttemptError,
        /// Whether another try can help.
        retryable: bool,
        /// The target asked to be left alone for so long (`Retry-After`).
        retry_after: Option<HumanDuration>,
    },
    /// It took longer than the job's timeout.
    TimedOut,
    /// It was stopped on request.
    Cancelled,
    /// The worker's lease ran out: what became of the try is not known.
    Abandoned,
    /// The worker shuts down and hands the run back.
    Interrupted,
}

impl Verdict {
    /// A failure that another try may mend.
    pub fn retryable(code: &str, message: impl Into<String>) -> Self {
        let error = AttemptError { code: code.to_owned(), message: message.into() };
        Self::Failed { error, retryable: true, retry_after: None }
    }

    /// A failure that every try would meet.
    pub fn fatal(code: &str, message: impl Into<String>) -> Self {
        let error = AttemptError { code: code.to_owned(), message: message.into() };
        Self::Failed { error, retryable: false, retry_after: None }
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, request: None, response: None, details: None }
    }
}

/// A target may postpone its next attempt this far and no further.
const MAX_RETRY_AFTER: HumanDuration = HumanDuration::from_secs(86_400);

/// The state of `run` after an attempt that began at `started_at` ended at `now` with `outcome`.
///
/// `retry` is the job's, `timeout` is named in the error of an attempt that ran out of time.
pub fn settle(
    run: &Run,
    retry: &Retry,
    timeout: HumanDuration,
    started_at: Instant,
    now: Instant,
    outcome: Outcome,
) -> Run {
    let Outcome { verdict, request, response, details } = outcome;
    let number = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
    let error = |code: &str, message: String| Some(AttemptError { code: code.to_owned(), message });
    // What the attempt was, what the run becomes if this was its last, and when it may be tried again.
    let (attempt, last, again) = match verdict {
        Verdict::Succeeded | Verdict::Accepted => {
            ((AttemptOutcome::Succeeded, None), RunStatus::Succeeded, None)
        }
        Verdict::Failed { error, retryable, retry_after } => {
            let again = retryable.then(|| retry_after.unwrap_or_default().min(MAX_RETRY_AFTER));
            ((AttemptOutcome::Failed, Some(error)), RunStatus::Failed, again)
        }
        Verdict::TimedOut => {
            let error = error("timeout", format!("no answer within {timeout}"));
            ((AttemptOutcome::TimedOut, error), RunStatus::TimedOut, Some(HumanDuration::ZERO))
        }
        Verdict::Cancelled => ((AttemptOutcome::Cancelled, None), RunStatus::Cancelled, None),
        Verdict::Abandoned => {
            let error = error(
                "abandoned",
                "the worker disappeared; whether the target was called is not known".to_owned(),
            );
            ((AttemptOutcome::Abandoned, error), RunStatus::Failed, Some(HumanDuration::ZERO))
        }
        Verdict::Interrupted => {
            ((AttemptOutcome::Interrupted, None), RunStatus::Failed, Some(HumanDuration::ZERO))
        }
    };
    let mut settled = run.clone();
    settled.started_at.get_or_insert(started_at);
    settled.attempts.push(Attempt {
        number,
        started_at,
        finished_at: now,
        outcome: attempt.0,
        error: attempt.1,
        request,
        response,
        details,
        worker: run.worker.clone(),
    });
    let tries = settled.tries();
    let delay = match again {
        // A worker that shut down has no quarrel with the target: the next one may go on at once.
        Some(_) if attempt.0 == AttemptOutcome::Interrupted => Some(HumanDuration::ZERO),
        Some(at_least) if tries < retry.max_attempts => {
            Some(retry.delay(tries, seed(run.id, tries)).max(at_least))
        }
        _ => None,
    };
    match delay {
        Some(_) if run.cancel_requested => finish(&mut settled, RunStatus::Cancelled, now),
        Some(delay) => {
            settled.status = RunStatus::Pending;
            settled.due_at = Some(now + delay.to_delta());
        }
        None => finish(&mut settled, last, now),
    }
    settled
}

/// Whether a finished run asks for its job to be paused, and in which words. `before` are the statuses of the job's
/// runs that ended before it, newest first, as far as they count: of executed ones since the job was last changed.
///
/// A target that answers 410 Gone wants no more calls (Standard Webhooks).
pub fn pause_reason(run: &Run, pause_after_failures: Option<u32>, before: &[RunStatus]) -> Option<String> {
    let failed = |status: &RunStatus| matches!(status, RunStatus::Failed | RunStatus::TimedOut);
    if !failed(&run.status) {
        return None;
    }
    if is_gone(run) {
        return Some("the target answered 410 Gone: it asks not to be called again".to_owned());
    }
    let most = usize::try_from(pause_after_failures?).unwrap_or(usize::MAX);
    let in_a_row = 1 + before.iter().take_while(|status| failed(status)).count();
    (most <= in_a_row).then(|| format!("paused after {in_a_row} failed runs in a row"))
}

/// Whether the last attempt was told that the target is gone for good.
pub fn is_gone(run: &Run) -> bool {
    run.attempts.last().and_then(|attempt| attempt.response.as_ref()).is_some_and(|it| it.status == 410)
}

/// `run`, cancelled before any worker took it up (again).
pub fn cancelled(run: &Run, reason: Reason, now: Instant) -> Run {
    let mut cancelled = run.clone();
    finish(&mut cancelled, RunStatus::Cancelled, now);
    cancelled.reason = Some(reason);
    cancelled
}

/// `run`, whose turn has come while `reason` keeps it from being executed.
pub fn skipped(run: &Run, reason: Reason, now: Instant) -> Run {
    let mut skipped = run.clone();
    finish(&mut skipped, RunStatus::Skipped, now);
    skipped.reason = Some(reason);
    skipped
}

fn finish(run: &mut Run, status: RunStatus, now: Instant) {
    run.status = status;
    run.due_at = None;
    run.finished_at = Some(now);
    if status == RunStatus::Cancelled {
        run.reason = Some(Reason::Requested);
    }
}

/// The randomness of a retry's jitter: the same on every node, so a test can foretell it.
fn seed(run: RunId, tries: u32) -> u64 {
    let digest = Sha256::new().chain_update(run.0.as_bytes()).chain_update(tries.to_be_bytes()).finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest.as_slice()[..8]);
    u64::from_be_bytes(bytes)
}
