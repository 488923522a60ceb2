//! Attempts that go on after their call: the target has taken the work, and reports until it is done.
//!
//! Nobody holds a lease meanwhile. The run is due when its target must have been heard of again, so that whoever looks
//! then finds out what became of it; and how an attempt ended is written once, by whoever is first: the target that
//! reports it, or the one who finds that it does not.

use serde::{Deserialize, Serialize};

use super::{Outcome, Verdict, settle, within_deadline};
use crate::details::{CallbackRecord, Details};
use crate::job::JobDraft;
use crate::run::{Attempt, AttemptError, RequestRecord, ResponseRecord, Run, RunStatus};
use crate::{HumanDuration, Instant, Retry};

/// How long a target that has been told of a cancellation may take to stop.
const GRACE: HumanDuration = HumanDuration::from_secs(30);

/// An attempt whose target has taken the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The token of the lease under which it was called: what its reports are known by, whoever leases the run later.
    pub token: u64,
    /// When the call began.
    pub started_at: Instant,
    /// When the target took the work.
    pub accepted_at: Instant,
    /// It may take until then.
    pub until: Instant,
    /// It must be heard of so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HumanDuration>,
    /// What was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestRecord>,
    /// What the target answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseRecord>,
    /// Who called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
}

/// How far a target is, as it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When it said so.
    pub at: Instant,
    /// From 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// In its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was first told that the run is to be cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_to_stop_at: Option<Instant>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// When that was known.
    pub at: Instant,
    /// In which way.
    pub ending: Ending,
    /// What the target has to say of its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Whether `output` was cut.
    #[serde(default)]
    pub output_truncated: bool,
}

/// The ways in which an attempt ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Ending {
    /// The target reports success.
    Succeeded,
    /// The target reports a failure.
    Failed {
        /// What went wrong.
        error: AttemptError,
        /// Whether another try can help.
        retryable: bool,
    },
    /// It took longer than it may.
    TimedOut,
    /// It was not heard of for too long.
    Lapsed,
    /// It was to be cancelled and had time to stop.
    Cancelled,
    /// With its call: nothing was reported by then.
    Called,
}

impl Accepted {
    /// When somebody must look what has become of it, heard of at `now`.
    pub fn next_look(&self, now: Instant) -> Instant {
        self.heartbeat.map_or(self.until, |heartbeat| self.until.min(now + heartbeat.to_delta()))
    }

    /// By when it has ended, if somebody asks at `now` for it to be cancelled and its target, which learns of that with
    /// its next heartbeat, is not heard of.
    pub fn stop_by(&self, now: Instant) -> Instant {
        let heartbeat = self.heartbeat.unwrap_or_default();
        self.until.min(now + heartbeat.to_delta() + GRACE.to_delta())
    }

    /// By when it has ended, if its target was told at `told` to stop.
    pub fn stopped_by(&self, told: Instant) -> Instant {
        self.until.min(told + GRACE.to_delta())
    }
}

impl Conclusion {
    /// One that nobody reported.
    pub fn of(ending: Ending, now: Instant) -> Self {
        Self { at: now, ending, output: None, output_truncated: false }
    }

    /// Whether it says the same, whenever it was said.
    pub fn is_same(&self, other: &Self) -> bool {
        self.ending == other.ending && self.output == other.output
    }
}

impl Ending {
    /// The word for people.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed { .. } => "failed",
            Self::TimedOut => "timed out",
            Self::Lapsed => "not heard of for too long",
            Self::Cancelled => "cancelled",
            Self::Called => "over when its call was",
        }
    }
}

/// The state of `run` after the call of an attempt, which began at `started_at` and was given `timeout`: it goes on where
/// the target has taken the work and reports, and has ended otherwise.
pub fn called(
    run: &Run,
    draft: &JobDraft,
    timeout: HumanDuration,
    started_at: Instant,
    now: Instant,
    outcome: Outcome,
) -> Run {
    if outcome.verdict != Verdict::Accepted || !draft.target.reports() {
        return within_deadline(settle(run, &draft.retry, timeout, started_at, now, outcome), draft, now);
    }
    let until = started_at + super::time_left(run, draft, started_at).to_delta();
    let accepted = Accepted {
        token: run.token,
        started_at,
        accepted_at: now,
        until,
        heartbeat: draft.target.heartbeat(),
        request: outcome.request,
        response: outcome.response,
        worker: run.worker.clone(),
    };
    let mut going_on = run.clone();
    going_on.started_at.get_or_insert(started_at);
    going_on.due_at = Some(accepted.next_look(now));
    going_on.accepted = Some(accepted);
    going_on
}

/// What ended an attempt of which nobody reports the end; or when to look again. `progress` is what its target said last.
pub fn unreported(
    run: &Run,
    accepted: &Accepted,
    progress: Option<&Progress>,
    now: Instant,
) -> Result<Conclusion, Instant> {
    let heard = progress.map_or(accepted.accepted_at, |progress| progress.at.max(accepted.accepted_at));
    let told = progress.and_then(|progress| progress.told_to_stop_at);
    let next_look = match told {
        Some(told) => accepted.stopped_by(told),
        // It cannot be told.
        None if run.cancel_requested && accepted.heartbeat.is_none() => now,
        None => accepted.next_look(heard),
    };
    if now < next_look {
        return Err(next_look);
    }
    let ending = match () {
        () if run.cancel_requested => Ending::Cancelled,
        () if accepted.until <= now => Ending::TimedOut,
        () => Ending::Lapsed,
    };
    Ok(Conclusion::of(ending, now))
}

/// The state of `run`, leased by whoever looked, after its attempt `accepted` ended as `conclusion` says. `draft` is its
/// job's, `None` where the job is gone: then nothing is tried again.
pub fn concluded(run: &Run, draft: Option<&JobDraft>, accepted: &Accepted, conclusion: Conclusion) -> Run {
    let Conclusion { at, ending, output, output_truncated } = conclusion;
    let at = at.max(accepted.started_at);
    let accepted_at = accepted.accepted_at;
    let took = HumanDuration::between(accepted.started_at, accepted.until);
    let mut error = None;
    let verdict = match ending {
        Ending::Succeeded => Verdict::Succeeded,
        // It stopped because it was asked to.
        Ending::Failed { .. } | Ending::Cancelled if run.cancel_requested => Verdict::Cancelled,
        Ending::Failed { error, retryable } => Verdict::Failed { error, retryable, retry_after: None },
        Ending::Cancelled => Verdict::Cancelled,
        Ending::TimedOut => {
            error = Some(("timeout", format!("the target did not report the end of its work within {took}")));
            Verdict::TimedOut
        }
        Ending::Lapsed | Ending::Called => {
            let heartbeat = accepted.heartbeat.unwrap_or(took);
            error = Some(("heartbeat", format!("the target was not heard of for {heartbeat}")));
            Verdict::Abandoned
        }
    };
    let outcome = Outcome {
        verdict,
        request: accepted.request.clone(),
        response: accepted.response.clone(),
        details: Some(Details::Callback(CallbackRecord { accepted_at, output, output_truncated })),
    };
    let once = Retry { max_attempts: 1, ..Retry::default() };
    let retry = draft.map_or(&once, |draft| &draft.retry);
    let going_on = Run { worker: accepted.worker.clone(), accepted: None, ..run.clone() };
    let mut settled = settle(&going_on, retry, took, accepted.started_at, at, outcome);
    if let (Some(Attempt { error: known, .. }), Some((code, message))) = (settled.attempts.last_mut(), error)
    {
        *known = Some(AttemptError { code: code.to_owned(), message });
    }
    match draft {
        Some(draft) => within_deadline(settled, draft, at),
        None => settled,
    }
}

/// The attempt of `run` that may still report: the one that goes on, or one of which the call was under way under the
/// lease before this one, whose holder is gone.
pub fn lost(run: &Run, draft: &JobDraft, began: Instant, now: Instant) -> Option<Accepted> {
    (run.status == RunStatus::Running && draft.target.reports() && run.token > 0).then(|| Accepted {
        token: run.token - 1,
        started_at: began,
        accepted_at: began,
        until: now,
        heartbeat: None,
        request: None,
        response: None,
        worker: run.worker.clone(),
    })
}
