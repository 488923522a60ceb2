//! Waking the loops of this process.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{HumanDuration, Instant, JobId};
use tokio::sync::watch;

use crate::ports::{Alarm, Clock};

/// Loops look at least this often, whether rung or not. What becomes due later than that needs no bell.
pub const POLL_FLOOR: HumanDuration = HumanDuration::from_secs(5);

/// So long before they are due jobs are fired: longer than a transaction takes on a busy machine, and shorter than
/// anybody notices who pauses a job at the last moment.
pub const AHEAD: HumanDuration = HumanDuration::from_millis(50);

/// Wakes whoever listens. Ringing while nobody listens is not lost: the next wait returns at once.
#[derive(Clone, Debug)]
pub struct Bell(watch::Sender<()>);

/// One listener of a [`Bell`].
pub struct Ear(watch::Receiver<()>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Bell {
    /// Wakes all listeners.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// A new listener, which has heard everything up to now.
    pub fn listen(&self) -> Ear {
        Ear(self.0.subscribe())
    }
}

impl Ear {
    /// Forgets earlier rings: call it *before* looking for work, so that a ring during the look is heard after it.
    pub fn forget(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for the next ring; for ever once the bell is gone.
    pub async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The alarm of a process that shares its store with no other: it rings the bell.
pub struct LocalAlarm {
    bell: Bell,
    clock: Arc<dyn Clock>,
}

impl LocalAlarm {
    /// An alarm that rings `bell`.
    pub fn new(bell: Bell, clock: Arc<dyn Clock>) -> Self {
        Self { bell, clock }
    }
}

#[async_trait]
impl Alarm for LocalAlarm {
    async fn arm(&self, _job: JobId, at: Option<Instant>) {
        if at.is_some_and(|at| at <= self.clock.now() + POLL_FLOOR.to_delta()) {
            self.bell.ring();
        }
    }
}
