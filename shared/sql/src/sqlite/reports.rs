//! What targets report of the work they have taken.

use async_trait::async_trait;
use domain::RunId;
use domain::settle::{Conclusion, Progress};
use engine::callbacks::{from_document, to_document};
use engine::{Reported, Reports, StoreError};

use super::SqliteStore;
use crate::error::store_error;
use crate::numbers::to_i64;

const PUT_PROGRESS: &str = "-- put_progress
INSERT INTO run_reports (run_id, token, progress) VALUES ($1, $2, $3)
ON CONFLICT (run_id, token) DO UPDATE SET progress = excluded.progress";

/// The first one stays.
const CONCLUDE: &str = "-- conclude
INSERT INTO run_reports AS r (run_id, token, conclusion) VALUES ($1, $2, $3)
ON CONFLICT (run_id, token) DO UPDATE SET conclusion = coalesce(r.conclusion, excluded.conclusion)
RETURNING conclusion";

const REPORTED: &str = "-- reported
SELECT progress, conclusion FROM run_reports WHERE run_id = $1 AND token = $2";

/// The first one stays, and is returned.
const SECRET: &str = "-- secret
INSERT INTO service_secrets AS s (name, secret) VALUES ('run_tokens', $1)
ON CONFLICT (name) DO UPDATE SET secret = s.secret
RETURNING secret";

#[async_trait]
impl Reports for SqliteStore {
    async fn put_progress(&self, run: RunId, token: u64, progress: &Progress) -> Result<(), StoreError> {
        let query = sqlx::query(PUT_PROGRESS).bind(run.0).bind(to_i64(token)).bind(to_document(progress));
        query.execute(&self.writer).await.map(drop).map_err(store_error)
    }

    async fn conclude(
        &self,
        run: RunId,
        token: u64,
        conclusion: &Conclusion,
    ) -> Result<Conclusion, StoreError> {
        let query =
            sqlx::query_scalar(CONCLUDE).bind(run.0).bind(to_i64(token)).bind(to_document(conclusion));
        let known: String = query.fetch_one(&self.writer).await.map_err(store_error)?;
        // What cannot be read is no reason to wait for ever.
        Ok(from_document(&known).unwrap_or_else(|| conclusion.clone()))
    }

    async fn reported(&self, run: RunId, token: u64) -> Result<Reported, StoreError> {
        let query = sqlx::query_as(REPORTED).bind(run.0).bind(to_i64(token));
        let row: Option<(Option<String>, Option<String>)> =
            query.fetch_optional(&self.readers).await.map_err(store_error)?;
        let (progress, conclusion) = row.unwrap_or_default();
        Ok(Reported {
            progress: progress.as_deref().and_then(from_document),
            conclusion: conclusion.as_deref().and_then(from_document),
        })
    }

    async fn secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let query = sqlx::query_scalar(SECRET).bind(&fresh[..]);
        let secret: Vec<u8> = query.fetch_one(&self.writer).await.map_err(store_error)?;
        secret.try_into().map_err(|_| StoreError::Failed("the stored secret is not 32 bytes long".into()))
    }
}
