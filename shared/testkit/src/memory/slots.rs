//! [`engine::Slots`] in memory.

use async_trait::async_trait;
use domain::{JobId, Run, RunId, RunStatus};
use engine::{Slots, StoreError};

use super::{MemoryStore, State};

#[async_trait]
impl Slots for MemoryStore {
    async fn slots(&self, job: JobId) -> Result<Vec<RunId>, StoreError> {
        self.perform("slots", |state| Ok(state.holders(job))).await
    }

    async fn take_slot(&self, run: &Run, limit: u32) -> Result<bool, StoreError> {
        self.perform("take_slot", |state| {
            let others = state.holders(run.job_id).into_iter().filter(|other| *other != run.id).count();
            let free = state.jobs.contains_key(&run.job_id) && others < limit as usize;
            if free {
                state.slots.insert(run.id, run.token);
            }
            Ok(free)
        })
        .await
    }
}

impl State {
    fn holders(&self, job: JobId) -> Vec<RunId> {
        let holds = |run: &&Run| {
            run.job_id == job
                && run.status == RunStatus::Running
                && self.slots.get(&run.id) == Some(&run.token)
        };
        self.runs.values().filter(holds).map(|run| run.id).collect()
    }
}
