//! A small port beside the store: little things that a service keeps besides jobs, such as API keys and projects.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// Keeps small records by their kind and key. Like a store it decides nothing: it compares versions and sets.
#[async_trait]
pub trait Records: Send + Sync {
    /// Looks a record up.
    async fn record(&self, kind: RecordKind, key: &str) -> Result<Option<Record>, StoreError>;

    /// Up to `limit` records whose keys come after `after`, by the bytes of their keys. Every key comes after "".
    async fn records(&self, kind: RecordKind, after: &str, limit: u32) -> Result<Vec<Record>, StoreError>;

    /// Puts `record` in place of the one of that key whose version is one less; version 1 is a new one. False, and nothing
    /// is changed, where that is not what there is.
    async fn put_record(&self, kind: RecordKind, record: &Record) -> Result<bool, StoreError>;

    /// Removes a record whose version is `expected`. False where there is none.
    async fn delete_record(&self, kind: RecordKind, key: &str, expected: u64) -> Result<bool, StoreError>;
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// An API key, by the digest of its text.
    Credential,
    /// A project, by its name.
    Project,
}

impl RecordKind {
    /// The word for it in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Project => "project",
        }
    }
}

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Unique within its kind.
    pub key: String,
    /// Grows by one with every change.
    pub version: u64,
    /// What it says, as JSON.
    pub document: String,
}

impl Record {
    /// The record that says `value`.
    pub fn new<T: Serialize>(key: impl Into<String>, version: u64, value: &T) -> Self {
        Self { key: key.into(), version, document: serde_json::to_string(value).unwrap_or_default() }
    }

    /// What it says.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where that is something else.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_str(&self.document).map_err(|error| StoreError::Failed(error.into()))
    }
}
