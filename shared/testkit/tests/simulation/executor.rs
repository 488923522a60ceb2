//! Targets, and the executor of one node that calls them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::run::{AttemptError, ResponseRecord};
use domain::{Outcome, Target, Verdict};
use engine::{Call, Clock, Executor};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::event::Event;
use super::process::Process;

/// Calls targets that behave as the dice say, and writes down every call that reaches one.
pub(crate) struct SimulatedExecutor {
    process: Arc<Process>,
    dice: Dice,
    /// How many calls in a thousand go well.
    reliability: u64,
}

/// What a target does with a call.
#[derive(Clone, Copy)]
enum Behaviour {
    /// Answers after a while, and is good at being cancelled.
    Answers(Duration, Kind),
    /// Answers only once it is told to stop: that it had just succeeded.
    SucceedsAtTheLastMoment,
    /// Never answers; ends when it is told to stop.
    Hangs,
    /// Never answers, and does not even end then.
    Deaf,
    Panics,
}

#[derive(Clone, Copy)]
enum Kind {
    Success,
    Failure,
    /// A failure that no other attempt can mend.
    Refusal,
    /// A refusal for good: it wants no more calls.
    Gone,
    /// A failure, and the target wants to be left alone for a while.
    Busy,
}

impl SimulatedExecutor {
    pub(crate) fn new(process: Arc<Process>, dice: Dice, reliability: u64) -> Self {
        Self { process, dice, reliability }
    }

    fn behaviour(&self, call: &Call) -> Behaviour {
        let dice = &self.dice;
        let good = self.process.weather.is_calm() || dice.chance(self.reliability);
        if self.ends_at_once(&call.target) {
            return match dice.number(0..=9) {
                _ if good => Behaviour::Answers(Duration::ZERO, Kind::Success),
                0 => Behaviour::Panics,
                1..=2 => Behaviour::Answers(Duration::ZERO, Kind::Refusal),
                _ => Behaviour::Answers(Duration::ZERO, Kind::Failure),
            };
        }
        let soon = dice.millis(1..=800);
        match dice.number(0..=9) {
            _ if good => Behaviour::Answers(soon, Kind::Success),
            // Up to the longest timeout there is, and thus often longer than a lease.
            0..=1 => Behaviour::Answers(dice.millis(1_000..=20_000), Kind::Success),
            2..=3 => Behaviour::Answers(soon, Kind::Failure),
            4 => Behaviour::Answers(soon, if dice.chance(200) { Kind::Gone } else { Kind::Refusal }),
            5 => Behaviour::Answers(soon, Kind::Busy),
            6 => Behaviour::Hangs,
            7 => Behaviour::Deaf,
            8 => Behaviour::SucceedsAtTheLastMoment,
            _ => Behaviour::Panics,
        }
    }

    async fn carry_out(&self, behaviour: Behaviour, cancel: &CancellationToken) -> Outcome {
        match behaviour {
            Behaviour::Answers(after, kind) => {
                let answer = async {
                    if !after.is_zero() {
                        sleep(after).await;
                    }
                };
                tokio::select! {
                    biased;
                    () = answer => self.outcome(kind),
                    () = cancel.cancelled() => Verdict::Cancelled.into(),
                }
            }
            Behaviour::SucceedsAtTheLastMoment => {
                cancel.cancelled().await;
                Verdict::Succeeded.into()
            }
            Behaviour::Hangs => {
                cancel.cancelled().await;
                Verdict::Cancelled.into()
            }
            Behaviour::Deaf => std::future::pending().await,
            // Without the hook that would print each of them.
            Behaviour::Panics => std::panic::resume_unwind(Box::new("a simulated panic")),
        }
    }

    fn outcome(&self, kind: Kind) -> Outcome {
        match kind {
            Kind::Success => Verdict::Succeeded.into(),
            Kind::Failure => Verdict::retryable("connect", "refused").into(),
            Kind::Refusal => Verdict::fatal("http_status", "the target answered 400").into(),
            Kind::Gone => {
                let (headers, body) = (BTreeMap::new(), None);
                let response = ResponseRecord { status: 410, headers, body, body_truncated: false };
                let refusal = Verdict::fatal("http_status", "the target answered 410");
                Outcome { response: Some(response), ..refusal.into() }
            }
            Kind::Busy => Outcome::from(Verdict::Failed {
                error: AttemptError { code: "http_status".into(), message: "the target answered 503".into() },
                retryable: true,
                retry_after: Some(self.dice.duration(0..=5_000)),
            }),
        }
    }
}

#[async_trait]
impl Executor for SimulatedExecutor {
    async fn execute(&self, call: &Call, cancel: CancellationToken) -> Outcome {
        self.process.gate.pass().await;
        let (run, attempt) = (call.run_id, call.attempt);
        let host = call.target.host().map(str::to_owned);
        let clock = self.process.clock.now();
        self.process.log.note(self.process.who, Event::Called { run, attempt, clock, host });
        // Written down also where the engine gives the call up.
        let mut ended = Ended { executor: self, run, attempt, verdict: None };
        let outcome = self.carry_out(self.behaviour(call), &cancel).await;
        self.process.gate.pass().await;
        ended.verdict = Some(outcome.verdict.clone());
        outcome
    }

    fn ends_at_once(&self, target: &Target) -> bool {
        !matches!(target, Target::Http(_))
    }
}

/// Writes down how a call ended, when it is dropped.
struct Ended<'a> {
    executor: &'a SimulatedExecutor,
    run: domain::RunId,
    attempt: u32,
    verdict: Option<Verdict>,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let process = &self.executor.process;
        if process.gate.is_killed() {
            return;
        }
        let (run, attempt, verdict) = (self.run, self.attempt, self.verdict.take());
        process.log.note(process.who, Event::Ended { run, attempt, clock: process.clock.now(), verdict });
    }
}
