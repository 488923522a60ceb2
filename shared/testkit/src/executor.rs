//! An executor that does what the test says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{Instant, LogStream, Outcome, Verdict};
use engine::{Call, Clock, Executor};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Calls nobody: answers by script, job by job, and remembers every call.
///
/// ```
/// # use std::sync::Arc;
/// # use domain::Verdict;
/// # use testkit::{FakeExecutor, ManualClock, Step, at};
/// let clock = Arc::new(ManualClock::new(at("2026-11-24T00:00:00Z")));
/// let executor = FakeExecutor::new(clock);
/// // The first attempt of this job fails, the second hangs until it is cancelled, all later ones succeed.
/// executor.script("report", [Step::from(Verdict::retryable("connect", "refused")), Step::Hang]);
/// ```
pub struct FakeExecutor {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// How many calls have begun: what [`FakeExecutor::started`] waits for.
    begun: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    scripts: BTreeMap<String, VecDeque<Step>>,
    says: BTreeMap<String, Vec<String>>,
    gate: Option<Gate>,
    calls: Vec<Recorded>,
}

/// What one call comes to.
#[derive(Clone, Debug)]
pub enum Step {
    /// It ends like this.
    Answer(Box<Outcome>),
    /// It ends only when it is cancelled.
    Hang,
    /// It does not even end then: its future never completes.
    Deaf,
    /// It panics.
    Panic,
}

impl From<Verdict> for Step {
    fn from(verdict: Verdict) -> Self {
        Self::Answer(Box::new(verdict.into()))
    }
}

/// One call that was made.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The call.
    pub call: Call,
    /// When it began.
    pub at: Instant,
    /// How it ended; `None` while it goes on.
    pub verdict: Option<Verdict>,
}

/// Holds calls back after they have begun.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// Lets `count` calls pass.
    pub fn release(&self, count: usize) {
        self.0.add_permits(count);
    }

    /// Lets all calls pass, now and later.
    pub fn open(&self) {
        self.0.close();
    }
}

impl FakeExecutor {
    /// An executor all of whose calls succeed at once; `clock` says when they began.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), begun: watch::Sender::new(0) }
    }

    /// What the next calls of the job of this name come to, one after the other. Success after that.
    pub fn script<S: Into<Step>>(&self, job_name: &str, steps: impl IntoIterator<Item = S>) {
        let steps = steps.into_iter().map(Into::into);
        self.lock().scripts.entry(job_name.to_owned()).or_default().extend(steps);
    }

    /// What the next call of the job of this name writes into its journal before anything else.
    pub fn says<T: Into<String>>(&self, job_name: &str, lines: impl IntoIterator<Item = T>) {
        let lines = lines.into_iter().map(Into::into).collect();
        self.lock().says.insert(job_name.to_owned(), lines);
    }

    /// From now on all calls wait at the gate that is returned.
    pub fn hold(&self) -> Gate {
        let gate = Gate(Arc::new(Semaphore::new(0)));
        self.lock().gate = Some(gate.clone());
        gate
    }

    /// All calls so far, in the order they began.
    pub fn calls(&self) -> Vec<Recorded> {
        self.lock().calls.clone()
    }

    /// Waits until `count` calls have begun.
    pub async fn started(&self, count: usize) {
        // The sender lives as long as `self`.
        let _ = self.begun.subscribe().wait_for(|begun| *begun >= count).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the call down and looks up what comes of it.
    fn begin(&self, call: &Call) -> (usize, Step, Option<Gate>) {
        let mut state = self.lock();
        let scripted = state.scripts.get_mut(&call.job_name).and_then(VecDeque::pop_front);
        state.calls.push(Recorded { call: call.clone(), at: self.clock.now(), verdict: None });
        let begun = state.calls.len();
        let gate = state.gate.clone();
        let said = state.says.remove(&call.job_name).unwrap_or_default();
        drop(state);
        for line in said {
            call.journal.line(LogStream::Stdout, &line);
        }
        self.begun.send_replace(begun);
        (begun - 1, scripted.unwrap_or_else(|| Verdict::Succeeded.into()), gate)
    }
}

#[async_trait]
impl Executor for FakeExecutor {
    async fn execute(&self, call: &Call, cancel: CancellationToken) -> Outcome {
        let (index, step, gate) = self.begin(call);
        let deaf = matches!(step, Step::Deaf);
        let passed = async {
            if let Some(Gate(permits)) = gate {
                // An error means that the gate is open for good.
                if let Ok(permit) = permits.acquire().await {
                    permit.forget();
                }
            }
        };
        let answer = async {
            passed.await;
            match step {
                Step::Answer(outcome) => *outcome,
                Step::Hang | Step::Deaf => std::future::pending().await,
                Step::Panic => panic!("a scripted panic"),
            }
        };
        let outcome = if deaf {
            answer.await
        } else {
            tokio::select! {
                biased;
                outcome = answer => outcome,
                () = cancel.cancelled() => Verdict::Cancelled.into(),
            }
        };
        self.lock().calls[index].verdict = Some(outcome.verdict.clone());
        outcome
    }
}
