//! The alarm of one node: it rings all nodes, as far as the rings get through.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{Instant, JobId};
use engine::bell::POLL_FLOOR;
use engine::{Alarm, Bell, Clock};
use tokio::time::sleep;

use super::dice::Dice;
use super::process::Process;

/// Where the bells of all nodes hang; a node that is down has none.
#[derive(Clone, Default)]
pub(crate) struct Bells(Arc<Mutex<Vec<Option<Bell>>>>);

impl Bells {
    pub(crate) fn hang(&self, node: usize, bell: Option<Bell>) {
        let mut bells = self.lock();
        if bells.len() <= node {
            bells.resize_with(node + 1, || None);
        }
        bells[node] = bell;
    }

    fn count(&self) -> usize {
        self.lock().len()
    }

    fn ring(&self, node: usize) {
        if let Some(Some(bell)) = self.lock().get(node) {
            bell.ring();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Bell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rings every node, each with luck of its own: in time, late, twice, or not at all.
pub(crate) struct SimulatedAlarm {
    bells: Bells,
    process: Arc<Process>,
    dice: Dice,
}

impl SimulatedAlarm {
    pub(crate) fn new(bells: Bells, process: Arc<Process>, dice: Dice) -> Self {
        Self { bells, process, dice }
    }
}

#[async_trait]
impl Alarm for SimulatedAlarm {
    async fn arm(&self, _job: JobId, at: Option<Instant>) {
        self.process.gate.pass().await;
        if at.is_none_or(|at| at > self.process.clock.now() + POLL_FLOOR.to_delta()) || self.process.is_away()
        {
            return;
        }
        for node in 0..self.bells.count() {
            for heard in self.process.weather.rings(&self.dice) {
                let bells = self.bells.clone();
                tokio::spawn(async move {
                    sleep(heard).await;
                    bells.ring(node);
                });
            }
        }
    }
}
