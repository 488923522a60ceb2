//! When to look: subscribe, then look, then sleep.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::bell::{Bell, Ear, POLL_FLOOR};
use crate::dispatcher::{Dispatcher, Look};
use crate::error::StoreError;
use crate::ports::Entropy;

/// What is due but held by another replica is looked at again after so long.
const BUSY: Duration = Duration::from_millis(20);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// How long a look may go on that was under way when the process was told to stop.
const LAST_LOOK: Duration = Duration::from_secs(3);
/// Rings do not make leases be prolonged more often than this.
const RENEWAL_PAUSE: Duration = Duration::from_millis(200);

/// Works until `shutdown`, then lets what is in flight finish for up to `grace`.
///
/// # Panics
/// Where one of its loops does: a process that does not look any more must not go on as if it did.
pub async fn serve(
    dispatcher: Arc<Dispatcher>,
    bell: Bell,
    entropy: Arc<dyn Entropy>,
    shutdown: CancellationToken,
    grace: Duration,
) {
    let ear = bell.listen();
    tokio::select! {
        biased;
        () = async {
            tick(&dispatcher, ear, &*entropy, &shutdown).await;
            dispatcher.drain(grace).await;
        } => (),
        () = keep_leases(dispatcher.clone(), bell.listen()) => (),
    }
}

/// Looks whenever something is due, until `shutdown`.
async fn tick(dispatcher: &Dispatcher, mut ear: Ear, entropy: &dyn Entropy, shutdown: &CancellationToken) {
    let mut backoff = FIRST_BACKOFF;
    while !shutdown.is_cancelled() {
        // Before the look, so that whatever changes during it wakes the sleep that follows.
        ear.forget();
        dispatcher.wait_for_room(BUSY).await;
        let looked = tokio::select! {
            biased;
            looked = look(dispatcher) => looked,
            // A look that hangs must not keep the process from ending; what it has begun is taken over by others.
            () = patience_after(shutdown) => break,
        };
        let pause = match looked {
            Ok(pause) => {
                backoff = FIRST_BACKOFF;
                pause.min(poll_floor(entropy))
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot look for due jobs, trying again"
                );
                let pause = backoff;
                backoff = (backoff * 2).min(LONGEST_BACKOFF);
                pause
            }
        };
        if pause.is_zero() {
            // Even the shortest sleep takes a millisecond.
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => (),
            () = ear.heard() => (),
            () = sleep(pause) => (),
        }
    }
}

async fn patience_after(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    sleep(LAST_LOOK).await;
}

/// Looks once; returns how long there is nothing to do.
async fn look(dispatcher: &Dispatcher) -> Result<Duration, StoreError> {
    let Look { fired, leased, more } = dispatcher.look().await?;
    if more {
        return Ok(Duration::ZERO);
    }
    let Some(next) = dispatcher.next_due().await? else { return Ok(Duration::MAX) };
    let now = dispatcher.now();
    let margin = dispatcher.margin();
    Ok(match (next - now).to_std() {
        // What is so near and was not fired is no job, or somebody else's.
        Ok(wait) => wait.checked_sub(margin).filter(|rest| !rest.is_zero()).unwrap_or(wait),
        Err(_overdue) if fired + leased > 0 => Duration::ZERO,
        Err(_overdue) => BUSY,
    })
}

/// The poll floor, a little different each time, so that replicas do not look in step.
fn poll_floor(entropy: &dyn Entropy) -> Duration {
    let floor = POLL_FLOOR.to_std();
    let spread = u64::try_from(floor.as_millis() / 5).unwrap_or(0);
    let offset = u64::try_from(entropy.random() % u128::from(spread + 1)).unwrap_or(0);
    floor.saturating_sub(Duration::from_millis(offset))
}

/// Prolongs leases every third of their length, and on every ring: it may tell of a cancellation. Where they cannot
/// be prolonged, their attempts are stopped when they run out.
async fn keep_leases(dispatcher: Arc<Dispatcher>, mut ear: Ear) {
    loop {
        tokio::select! {
            biased;
            () = sleep(dispatcher.until_renewal()) => (),
            () = ear.heard() => sleep(RENEWAL_PAUSE).await,
        }
        ear.forget();
        if let Err(error) = dispatcher.renew().await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot prolong leases, trying again");
        }
    }
}
