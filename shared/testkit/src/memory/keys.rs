//! [`engine::Idempotency`] in memory.

use async_trait::async_trait;
use domain::Instant;
use engine::idempotency::{ABANDONED_AFTER, REMEMBERED_FOR};
use engine::{Begun, Idempotency, SavedResponse, StoreError};

use super::MemoryStore;

/// A key in use.
#[derive(Clone)]
pub(super) struct Reserved {
    fingerprint: String,
    at: Instant,
    answer: Option<SavedResponse>,
}

impl Reserved {
    pub(super) fn is_answered(&self) -> bool {
        self.answer.is_some()
    }

    fn counts_at(&self, now: Instant) -> bool {
        now - self.at <= if self.answer.is_some() { REMEMBERED_FOR } else { ABANDONED_AFTER }
    }
}

#[async_trait]
impl Idempotency for MemoryStore {
    async fn begin(
        &self,
        project: &str,
        key: &str,
        fingerprint: &str,
        now: Instant,
    ) -> Result<Begun, StoreError> {
        self.perform("begin", |state| {
            let id = (project.to_owned(), key.to_owned());
            if let Some(known) = state.keys.get(&id).filter(|known| known.counts_at(now)) {
                return Ok(match &known.answer {
                    _ if known.fingerprint != fingerprint => Begun::OtherRequest,
                    Some(answer) => Begun::Answered(answer.clone()),
                    None => Begun::InProgress,
                });
            }
            state.keys.insert(id, Reserved { fingerprint: fingerprint.to_owned(), at: now, answer: None });
            Ok(Begun::New)
        })
        .await
    }

    async fn finish(&self, project: &str, key: &str, answer: &SavedResponse) -> Result<(), StoreError> {
        self.perform("finish", |state| {
            if let Some(known) = state.keys.get_mut(&(project.to_owned(), key.to_owned())) {
                known.answer = Some(answer.clone());
            }
            Ok(())
        })
        .await
    }

    async fn release(&self, project: &str, key: &str) -> Result<(), StoreError> {
        self.perform("release", |state| {
            state.keys.remove(&(project.to_owned(), key.to_owned()));
            Ok(())
        })
        .await
    }

    async fn forget(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        self.perform("forget", |state| {
            let old = state.keys.iter().filter(|(_, known)| known.at < before).map(|(id, _)| id.clone());
            let old: Vec<_> = old.take(limit as usize).collect();
            for id in &old {
                state.keys.remove(id);
            }
            Ok(old.len() as u64)
        })
        .await
    }
}
