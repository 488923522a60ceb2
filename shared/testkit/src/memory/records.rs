//! [`engine::Records`] in memory.

use async_trait::async_trait;
use engine::{Record, RecordKind, Records, StoreError};

use super::MemoryStore;

#[async_trait]
impl Records for MemoryStore {
    async fn record(&self, kind: RecordKind, key: &str) -> Result<Option<Record>, StoreError> {
        self.perform("record", |state| Ok(state.records.get(&(kind, key.to_owned())).cloned())).await
    }

    async fn records(&self, kind: RecordKind, after: &str, limit: u32) -> Result<Vec<Record>, StoreError> {
        self.perform("records", |state| {
            let listed = state.records.iter().filter(|((of, key), _)| *of == kind && after < key.as_str());
            Ok(listed.map(|(_, record)| record.clone()).take(limit as usize).collect())
        })
        .await
    }

    async fn put_record(&self, kind: RecordKind, record: &Record) -> Result<bool, StoreError> {
        self.perform("put_record", |state| {
            let id = (kind, record.key.clone());
            let follows = state.records.get(&id).map_or(0, |there| there.version) + 1 == record.version;
            if follows {
                state.records.insert(id, record.clone());
            }
            Ok(follows)
        })
        .await
    }

    async fn delete_record(&self, kind: RecordKind, key: &str, expected: u64) -> Result<bool, StoreError> {
        self.perform("delete_record", |state| {
            let id = (kind, key.to_owned());
            let there = state.records.get(&id).is_some_and(|there| there.version == expected);
            Ok(there && state.records.remove(&id).is_some())
        })
        .await
    }
}
