//! What the API asks on behalf of a target.

use std::sync::Arc;

use domain::settle::{Conclusion, Ending, Progress};
use domain::{Instant, LogLevel, LogStream, Run, RunId, RunStatus};

use super::work::bring_forward;
use super::{Reported, Reports, RunToken, TokenKey};
use crate::error::StoreError;
use crate::logs::Logs;
use crate::ports::{Alarm, Clock, Entropy, Renewal, Store};

/// Takes reports of targets, and finds out what became of those that do not report.
#[derive(Clone)]
pub struct Callbacks {
    pub(super) store: Arc<dyn Store>,
    pub(super) reports: Arc<dyn Reports>,
    pub(super) logs: Logs,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) alarm: Arc<dyn Alarm>,
    key: TokenKey,
}

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The token is not one of this run's.
    #[error("the token is not one of this run")]
    Unknown,
    /// There is no such run.
    #[error("there is no such run")]
    NoRun,
    /// The attempt the token is for is over, in these words.
    #[error("the attempt is over: {0}")]
    Over(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a target learns from its heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Somebody asked for the run to be cancelled: stop, and report the end.
    pub cancel_requested: bool,
    /// Report again before this, or the attempt is over. `None` while its call is still under way.
    pub due_at: Option<Instant>,
}

/// The end of an attempt, as its target tells it.
#[derive(Clone, Debug)]
pub struct Report {
    /// [`Ending::Succeeded`] or [`Ending::Failed`].
    pub ending: Ending,
    /// What the target has to say of its work.
    pub output: Option<String>,
}

/// How much of an output is kept.
const MAX_OUTPUT: usize = 64 * 1024;
/// A run that changes hands so often while a report is taken is left to whoever has it.
const MAX_RACES: u32 = 20;

impl Callbacks {
    /// Takes reports of runs in `store`. Tokens are computed with `key`.
    pub fn new(
        store: Arc<dyn Store>,
        reports: Arc<dyn Reports>,
        logs: Logs,
        clock: Arc<dyn Clock>,
        alarm: Arc<dyn Alarm>,
        key: TokenKey,
    ) -> Self {
        Self { store, reports, logs, clock, alarm, key }
    }

    /// The key that replicas share through their database.
    pub async fn shared_key(reports: &dyn Reports, entropy: &dyn Entropy) -> Result<TokenKey, StoreError> {
        let mut fresh = [0; 32];
        fresh[..16].copy_from_slice(&entropy.random().to_be_bytes());
        fresh[16..].copy_from_slice(&entropy.random().to_be_bytes());
        Ok(TokenKey::derived(&reports.secret(fresh).await?))
    }

    /// What the target of the attempt of `run` under the lease `token` reports with.
    pub fn token(&self, run: RunId, token: u64) -> RunToken {
        self.key.token(run, token)
    }

    /// The target is at work, and perhaps tells how far.
    pub async fn heartbeat(
        &self,
        project: &str,
        id: RunId,
        token: &str,
        percent: Option<u8>,
        message: Option<&str>,
    ) -> Result<Beat, Refusal> {
        let token = self.key.read(id, token).ok_or(Refusal::Unknown)?;
        let said = self.token(id, token);
        for _ in 0..MAX_RACES {
            let (run, before) = self.open(project, id, token).await?;
            let now = self.clock.now();
            let told = before.and_then(|before| before.told_to_stop_at);
            let told_to_stop_at = run.cancel_requested.then(|| told.unwrap_or(now));
            let message = message.map(|message| said.hide(message).into_owned());
            // First, so that whoever looks at the run from now on knows that its target was heard of.
            let progress = Progress { at: now, percent, message, told_to_stop_at };
            self.reports.put_progress(id, token, &progress).await?;
            let cancel_requested = run.cancel_requested;
            let Some(accepted) = &run.accepted else { return Ok(Beat { cancel_requested, due_at: None }) };
            // A target that was told to stop gets no more time by saying that it is at work.
            let due_at = match told_to_stop_at {
                Some(told) => accepted.stopped_by(told),
                None => accepted.next_look(now),
            };
            let renewal = self.renew(&run, due_at).await?;
            // An end reported at the same moment must not wait until then.
            self.notice(project, id, token).await?;
            match renewal {
                Renewal::Kept => return Ok(Beat { cancel_requested, due_at: Some(due_at) }),
                Renewal::CancelRequested if cancel_requested => {
                    return Ok(Beat { cancel_requested, due_at: Some(due_at) });
                }
                // Somebody looks at the run, or has asked just now for it to be cancelled.
                Renewal::Lost | Renewal::CancelRequested => (),
            }
        }
        Err(Refusal::Over("it is being ended".to_owned()))
    }

    /// Lines for the run's log.
    pub async fn log(
        &self,
        project: &str,
        id: RunId,
        token: &str,
        level: Option<LogLevel>,
        text: &str,
    ) -> Result<(), Refusal> {
        let token = self.key.read(id, token).ok_or(Refusal::Unknown)?;
        let (run, _) = self.open(project, id, token).await?;
        let text = self.token(id, token).hide(text).into_owned();
        let attempt = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let lines = text.lines().map(|line| (level, line));
        Ok(self.logs.write(id, attempt, LogStream::Target, lines).await?)
    }

    /// The work has ended. The same report may come again; returns the run as it is.
    pub async fn complete(
        &self,
        project: &str,
        id: RunId,
        token: &str,
        report: Report,
    ) -> Result<Run, Refusal> {
        let token = self.key.read(id, token).ok_or(Refusal::Unknown)?;
        let conclusion = self.conclusion(id, token, report);
        let run = self.store.run(project, id).await?.ok_or(Refusal::NoRun)?;
        let known = if is_open(&run, token) {
            Some(self.reports.conclude(id, token, &conclusion).await?)
        } else {
            self.reports.reported(id, token).await?.conclusion
        };
        match known {
            Some(known) if known.is_same(&conclusion) => {
                self.look_now(project, id, token).await?;
                Ok(run)
            }
            Some(known) => Err(Refusal::Over(known.ending.as_str().to_owned())),
            None => Err(over(&run)),
        }
    }

    /// What was last reported of the attempt that goes on.
    pub async fn progress(&self, run: &Run) -> Result<Option<Progress>, StoreError> {
        let Some(accepted) = &run.accepted else { return Ok(None) };
        Ok(self.reports.reported(run.id, accepted.token).await?.progress)
    }

    fn conclusion(&self, id: RunId, token: u64, Report { ending, output }: Report) -> Conclusion {
        let said = self.token(id, token);
        let ending = match ending {
            Ending::Failed { mut error, retryable } => {
                error.message = said.hide(&error.message).into_owned();
                Ending::Failed { error, retryable }
            }
            other => other,
        };
        let whole = output.map(|output| said.hide(&output).into_owned());
        let kept = whole.as_ref().map(|text| text[..text.floor_char_boundary(MAX_OUTPUT)].to_owned());
        let output_truncated = kept != whole;
        Conclusion { at: self.clock.now(), ending, output: kept, output_truncated }
    }

    /// The run, while the attempt under the lease `token` goes on, and how far that is.
    async fn open(&self, project: &str, id: RunId, token: u64) -> Result<(Run, Option<Progress>), Refusal> {
        let run = self.store.run(project, id).await?.ok_or(Refusal::NoRun)?;
        if !is_open(&run, token) {
            return Err(over(&run));
        }
        match self.reports.reported(id, token).await? {
            Reported { conclusion: Some(known), .. } => Err(Refusal::Over(known.ending.as_str().to_owned())),
            Reported { progress, .. } => Ok((run, progress)),
        }
    }

    /// If the end of the attempt is known, has it noticed.
    pub(super) async fn notice(&self, project: &str, id: RunId, token: u64) -> Result<(), StoreError> {
        if self.reports.reported(id, token).await?.conclusion.is_some() {
            self.look_now(project, id, token).await?;
        }
        Ok(())
    }

    /// Has somebody look at once what became of an attempt that goes on. While its call is under way, its worker will.
    async fn look_now(&self, project: &str, id: RunId, token: u64) -> Result<(), StoreError> {
        for _ in 0..MAX_RACES {
            let Some(run) = self.store.run(project, id).await? else { break };
            let goes_on = run.status == RunStatus::Running
                && run.accepted.as_ref().is_some_and(|accepted| accepted.token == token);
            if !goes_on {
                break;
            }
            let now = self.clock.now();
            if bring_forward(&*self.store, &run, now).await? {
                self.alarm.arm(run.job_id, Some(now)).await;
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn renew(&self, run: &Run, due_at: Instant) -> Result<Renewal, StoreError> {
        if run.due_at.is_some_and(|later| due_at < later) {
            let kept = bring_forward(&*self.store, run, due_at).await?;
            let renewal = if run.cancel_requested { Renewal::CancelRequested } else { Renewal::Kept };
            return Ok(if kept { renewal } else { Renewal::Lost });
        }
        let renewed = self.store.renew(&[(run.id, run.token)], due_at).await?;
        Ok(renewed.into_iter().next().unwrap_or(Renewal::Lost))
    }
}

/// Whether the attempt under the lease `token` goes on: with its call, or after it.
fn is_open(run: &Run, token: u64) -> bool {
    let current = run.accepted.as_ref().map_or(run.token, |accepted| accepted.token);
    run.status == RunStatus::Running && current == token
}

fn over(run: &Run) -> Refusal {
    Refusal::Over(match run.status {
        RunStatus::Pending | RunStatus::Running => "there is another one, or there will be".to_owned(),
        status => format!("the run is finished, {}", status.as_str()),
    })
}
