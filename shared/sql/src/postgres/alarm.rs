//! Waking other processes' loops.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{Instant, JobId};
use engine::{Alarm, Clock};
use sqlx::postgres::PgPool;
use tokio::sync::mpsc;

/// Where the bells hang. Notifications carry nothing: whoever hears one looks for himself.
pub(super) const CHANNEL: &str = "scheduler_due";
/// After ringing once, rings that follow are gathered for so long and become one.
const GATHER: Duration = Duration::from_millis(20);

const RING: &str = "-- ring
SELECT pg_notify($1, '')";

/// Tells all processes, by `NOTIFY`, that something becomes due before they would look by themselves.
///
/// A notification is lost where nobody listens, and this is meant to be so: the loops poll.
pub struct PostgresAlarm {
    rings: mpsc::Sender<()>,
    poll_floor: TimeDelta,
    clock: Arc<dyn Clock>,
}

impl PostgresAlarm {
    pub(super) fn start(pool: PgPool, clock: Arc<dyn Clock>, poll_floor: Duration) -> Self {
        // One place: while a ring waits in it, another would say nothing new.
        let (rings, waiting) = mpsc::channel(1);
        tokio::spawn(ring(pool, waiting));
        Self { rings, poll_floor: TimeDelta::from_std(poll_floor).unwrap_or(TimeDelta::MAX), clock }
    }
}

#[async_trait]
impl Alarm for PostgresAlarm {
    async fn arm(&self, _: JobId, at: Option<Instant>) {
        let in_time = self.clock.now() + self.poll_floor;
        if at.is_some_and(|at| at < in_time) {
            // Full: a ring is about to be sent. Closed: the runtime is shutting down.
            let _ = self.rings.try_send(());
        }
    }
}

/// Sends the rings until the alarm is dropped. The first is sent at once.
async fn ring(pool: PgPool, mut waiting: mpsc::Receiver<()>) {
    while waiting.recv().await.is_some() {
        if let Err(error) = sqlx::query(RING).bind(CHANNEL).execute(&pool).await {
            tracing::debug!(%error, "other processes could not be woken; they look by themselves");
        }
        tokio::time::sleep(GATHER).await;
    }
}
