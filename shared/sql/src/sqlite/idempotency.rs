//! Answers to requests that may be sent twice.

use async_trait::async_trait;
use domain::Instant;
use engine::idempotency::{ABANDONED_AFTER, REMEMBERED_FOR};
use engine::{Begun, Idempotency, SavedResponse, StoreError};

use super::SqliteStore;
use crate::error::store_error;
use crate::known::{Known, answer_text};

/// Takes a key that is free, or was taken too long ago.
const BEGIN: &str = "-- begin_request
INSERT INTO idempotency_keys AS k (project, key, fingerprint, reserved_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, key) DO UPDATE
SET fingerprint = excluded.fingerprint, reserved_at = excluded.reserved_at, answer = NULL
WHERE k.reserved_at < $5 OR (k.answer IS NULL AND k.reserved_at < $6)";

const KNOWN: &str = "-- known_request
SELECT fingerprint, answer FROM idempotency_keys WHERE project = $1 AND key = $2";

const FINISH: &str = "-- finish_request
UPDATE idempotency_keys SET answer = $3 WHERE project = $1 AND key = $2";

const RELEASE: &str = "-- release_request
DELETE FROM idempotency_keys WHERE project = $1 AND key = $2 AND answer IS NULL";

const FORGET: &str = "-- forget_requests
DELETE FROM idempotency_keys WHERE (project, key) IN (
    SELECT project, key FROM idempotency_keys WHERE reserved_at < $1
    ORDER BY reserved_at LIMIT $2
)";

impl SqliteStore {
    async fn begin_request(
        &self,
        project: &str,
        key: &str,
        fingerprint: &str,
        now: Instant,
    ) -> sqlx::Result<Begun> {
        loop {
            let taken = sqlx::query(BEGIN)
                .bind(project)
                .bind(key)
                .bind(fingerprint)
                .bind(now.timestamp_millis())
                .bind((now - REMEMBERED_FOR).timestamp_millis())
                .bind((now - ABANDONED_AFTER).timestamp_millis())
                .execute(&self.writer)
                .await?;
            if taken.rows_affected() == 1 {
                return Ok(Begun::New);
            }
            let known: Option<(String, Option<String>)> =
                sqlx::query_as(KNOWN).bind(project).bind(key).fetch_optional(&self.writer).await?;
            // None: it was released in between, so it is free now.
            if let Some((known, answer)) = known {
                return Ok(Known { fingerprint: known, answer }.to_begun(fingerprint));
            }
        }
    }
}

#[async_trait]
impl Idempotency for SqliteStore {
    async fn begin(
        &self,
        project: &str,
        key: &str,
        fingerprint: &str,
        now: Instant,
    ) -> Result<Begun, StoreError> {
        self.begin_request(project, key, fingerprint, now).await.map_err(store_error)
    }

    async fn finish(&self, project: &str, key: &str, answer: &SavedResponse) -> Result<(), StoreError> {
        let answer = answer_text(answer).map_err(store_error)?;
        let query = sqlx::query(FINISH).bind(project).bind(key).bind(answer);
        query.execute(&self.writer).await.map(drop).map_err(store_error)
    }

    async fn release(&self, project: &str, key: &str) -> Result<(), StoreError> {
        let query = sqlx::query(RELEASE).bind(project).bind(key);
        query.execute(&self.writer).await.map(drop).map_err(store_error)
    }

    async fn forget(&self, before: Instant, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query(FORGET).bind(before.timestamp_millis()).bind(i64::from(limit));
        query.execute(&self.writer).await.map(|done| done.rows_affected()).map_err(store_error)
    }
}
