//! What targets report of the work they have taken: heartbeats, lines for the log, the end.
//!
//! How an attempt ends is written once ([`Reports::conclude`]), whoever comes first; the run itself is then settled by
//! whoever leases it, as everything else is. So a report needs no worker, and no race has two winners.

mod service;
mod token;
mod work;

use async_trait::async_trait;
use domain::RunId;
use domain::settle::{Conclusion, Progress};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::service::{Beat, Callbacks, Refusal, Report};
pub use self::token::{RunToken, TokenKey, project_of};
pub(crate) use self::work::{Found, hasten};
use crate::error::StoreError;

/// A port of its own: what is reported of attempts, by run and the token of the lease under which their target was
/// called.
#[async_trait]
pub trait Reports: Send + Sync {
    /// Keeps how far an attempt is, in place of what was kept before.
    async fn put_progress(&self, run: RunId, token: u64, progress: &Progress) -> Result<(), StoreError>;

    /// Keeps how an attempt ended, unless that is known; returns what is known then.
    async fn conclude(
        &self,
        run: RunId,
        token: u64,
        conclusion: &Conclusion,
    ) -> Result<Conclusion, StoreError>;

    /// What was reported of an attempt.
    async fn reported(&self, run: RunId, token: u64) -> Result<Reported, StoreError>;

    /// The secret that all replicas share: `fresh`, unless there is one.
    async fn secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError>;
}

/// What was reported of an attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    /// How far it is.
    pub progress: Option<Progress>,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
}

#[derive(Serialize, Deserialize)]
struct Document<T> {
    v: u32,
    report: T,
}

/// A report as stores keep it.
pub fn to_document<T: Serialize>(report: &T) -> String {
    serde_json::to_string(&Document { v: 1, report }).unwrap_or_default()
}

/// A report read back. One that cannot be read counts as none, and is logged.
pub fn from_document<T: DeserializeOwned>(text: &str) -> Option<T> {
    match serde_json::from_str::<Document<T>>(text) {
        Ok(document) => Some(document.report),
        Err(error) => {
            tracing::error!(%error, "a report of a target cannot be read");
            None
        }
    }
}
