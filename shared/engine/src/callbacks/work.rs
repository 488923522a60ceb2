//! What workers and settlers ask: what became of an attempt whose target reports.

use std::sync::Arc;

use domain::settle::{Accepted, Conclusion, Ending, concluded, lost, unreported};
use domain::{Instant, Job, Outcome, Run, Verdict};

use super::Callbacks;
use crate::error::StoreError;
use crate::ports::{Settled, Store};

/// What became of an attempt of a run whose lease ran out.
pub(crate) enum Found {
    /// It has ended: the run's next state.
    Ended(Box<Run>),
    /// It goes on, and is to be looked at again.
    GoesOn(Instant),
    /// Nothing is known of it: its worker is gone.
    Abandoned,
}

impl Callbacks {
    /// What became of the attempt of `run`, which was running and has just been leased. `job` is `None` where it was
    /// deleted.
    pub(crate) async fn find(
        &self,
        run: &Run,
        job: Option<&Arc<Job>>,
        began: Instant,
        now: Instant,
    ) -> Result<Found, StoreError> {
        let draft = job.map(|job| &job.draft);
        if let Some(accepted) = &run.accepted {
            let progress = self.reports.reported(run.id, accepted.token).await?.progress;
            // Somebody may report the end in just this moment: one of both is first.
            return Ok(match unreported(run, accepted, progress.as_ref(), now) {
                Ok(conclusion) => {
                    let known = self.reports.conclude(run.id, accepted.token, &conclusion).await?;
                    Found::Ended(Box::new(concluded(run, draft, accepted, known)))
                }
                Err(next_look) => match self.reports.reported(run.id, accepted.token).await?.conclusion {
                    Some(known) => Found::Ended(Box::new(concluded(run, draft, accepted, known))),
                    None => Found::GoesOn(next_look),
                },
            });
        }
        let Some(accepted) = draft.and_then(|draft| lost(run, draft, began, now)) else {
            return Ok(Found::Abandoned);
        };
        let known = self.known(run, &accepted, now).await?;
        Ok(known.map_or(Found::Abandoned, |known| {
            Found::Ended(Box::new(concluded(run, draft, &accepted, known)))
        }))
    }

    /// How the target itself said that the attempt ended, whose call has ended without its word.
    async fn known(
        &self,
        run: &Run,
        accepted: &Accepted,
        now: Instant,
    ) -> Result<Option<Conclusion>, StoreError> {
        let called = Conclusion::of(Ending::Called, now);
        let known = self.reports.conclude(run.id, accepted.token, &called).await?;
        Ok((known.ending != Ending::Called).then_some(known))
    }

    /// What the call of an attempt came to, if its target reports: it may have reported the end before its answer was
    /// read, or instead of an answer.
    pub(crate) async fn after_call(&self, run: &Run, now: Instant, outcome: Outcome) -> Outcome {
        if matches!(outcome.verdict, Verdict::Accepted | Verdict::Succeeded) {
            return outcome;
        }
        let called = Conclusion::of(Ending::Called, now);
        let verdict = match self.reports.conclude(run.id, run.token, &called).await {
            Ok(Conclusion { ending: Ending::Succeeded, .. }) => Verdict::Succeeded,
            Ok(Conclusion { ending: Ending::Failed { error, retryable }, .. }) => {
                Verdict::Failed { error, retryable, retry_after: None }
            }
            Ok(_) => outcome.verdict,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(run.id = %run.id, error, "whether the target has reported is not known");
                outcome.verdict
            }
        };
        Outcome { verdict, ..outcome }
    }

    /// Sees to what happened while it was being written that the target of `run` has taken the work: it may have reported
    /// the end, and somebody may have asked to cancel. Were this lost, it would be noticed when the run is due.
    pub(crate) async fn accepted(&self, run: &Run) {
        let Some(accepted) = &run.accepted else { return };
        let seen = async {
            self.notice(&run.project, run.id, accepted.token).await?;
            match self.store.run(&run.project, run.id).await? {
                Some(now) if now.cancel_requested => hasten(&*self.store, &now, self.clock.now()).await,
                _ => Ok(()),
            }
        };
        if let Err(error) = seen.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run.id = %run.id, error, "what a target reported at once has to wait");
        }
    }
}

/// Sees to it that a run that is to be cancelled ends, whether its target hears of it or not.
pub(crate) async fn hasten(store: &dyn Store, run: &Run, now: Instant) -> Result<(), StoreError> {
    let Some(accepted) = &run.accepted else { return Ok(()) };
    let end = accepted.stop_by(now);
    if run.due_at.is_some_and(|due_at| end < due_at) {
        bring_forward(store, run, end).await?;
    }
    Ok(())
}

/// Has somebody look at a run whose target has taken the work, at `at`: sooner than a lease, which nobody holds, would
/// end. False where somebody has looked already.
pub(super) async fn bring_forward(store: &dyn Store, run: &Run, at: Instant) -> Result<bool, StoreError> {
    let sooner = Settled { token: run.token, run: Run { due_at: Some(at), ..run.clone() } };
    Ok(store.commit_settled(&[sooner]).await? == [true])
}
