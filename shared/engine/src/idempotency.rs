//! The second port: remembering what was answered to a request that may be sent twice.

use async_trait::async_trait;
use domain::Instant;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// How long an answer is remembered.
pub const REMEMBERED_FOR: chrono::TimeDelta = chrono::TimeDelta::hours(24);
/// How long a request may stay unanswered before its key is free again: its process must have died.
pub const ABANDONED_AFTER: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// Remembers answers by the key their senders chose (`Idempotency-Key`).
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Reserves `key` for a request with this `fingerprint`, or says what is known of it.
    ///
    /// A reservation older than [`ABANDONED_AFTER`] and an answer older than [`REMEMBERED_FOR`] count as nothing.
    async fn begin(
        &self,
        project: &str,
        key: &str,
        fingerprint: &str,
        now: Instant,
    ) -> Result<Begun, StoreError>;

    /// Keeps the answer to a reserved key.
    async fn finish(&self, project: &str, key: &str, answer: &SavedResponse) -> Result<(), StoreError>;

    /// Frees a reserved key: the request failed in a way that may be tried again.
    async fn release(&self, project: &str, key: &str) -> Result<(), StoreError>;

    /// Forgets what was reserved before `before`, in a batch of at most `limit`; returns how many were forgotten.
    async fn forget(&self, before: Instant, limit: u32) -> Result<u64, StoreError>;
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is reserved now, go on.
    New,
    /// The same request was answered before.
    Answered(SavedResponse),
    /// The same request is being carried out.
    InProgress,
    /// Another request used the key.
    OtherRequest,
}

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedResponse {
    /// HTTP status.
    pub status: u16,
    /// The headers that belong to the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}
