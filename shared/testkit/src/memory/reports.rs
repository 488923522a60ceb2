//! [`engine::Reports`] in memory.

use async_trait::async_trait;
use domain::RunId;
use domain::settle::{Conclusion, Progress};
use engine::{Reported, Reports, StoreError};

use super::MemoryStore;

#[async_trait]
impl Reports for MemoryStore {
    async fn put_progress(&self, run: RunId, token: u64, progress: &Progress) -> Result<(), StoreError> {
        self.perform("put_progress", |state| {
            state.reports.entry((run, token)).or_default().progress = Some(progress.clone());
            Ok(())
        })
        .await
    }

    async fn conclude(
        &self,
        run: RunId,
        token: u64,
        conclusion: &Conclusion,
    ) -> Result<Conclusion, StoreError> {
        self.perform("conclude", |state| {
            let report = state.reports.entry((run, token)).or_default();
            Ok(report.conclusion.get_or_insert_with(|| conclusion.clone()).clone())
        })
        .await
    }

    async fn reported(&self, run: RunId, token: u64) -> Result<Reported, StoreError> {
        self.perform("reported", |state| Ok(state.reports.get(&(run, token)).cloned().unwrap_or_default()))
            .await
    }

    async fn secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.perform("secret", |state| Ok(*state.secret.get_or_insert(fresh))).await
    }
}
