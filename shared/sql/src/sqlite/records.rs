//! Small records: API keys, projects.

use async_trait::async_trait;
use engine::{Record, RecordKind, Records, StoreError};

use super::SqliteStore;
use crate::error::store_error;
use crate::numbers::to_i64;

const FIND: &str = "-- find_record
SELECT key, version, document FROM records WHERE kind = $1 AND key = $2";

const LIST: &str = "-- list_records
SELECT key, version, document FROM records WHERE kind = $1 AND key > $2 ORDER BY key LIMIT $3";

const INSERT: &str = "-- insert_record
INSERT INTO records (kind, key, version, document) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, key) DO NOTHING";

const REPLACE: &str = "-- replace_record
UPDATE records SET version = $3, document = $4 WHERE kind = $1 AND key = $2 AND version = $3 - 1";

const DELETE: &str = "-- delete_record
DELETE FROM records WHERE kind = $1 AND key = $2 AND version = $3";

type Row = (String, i64, String);

fn read((key, version, document): Row) -> Record {
    Record { key, version: u64::try_from(version).unwrap_or(0), document }
}

#[async_trait]
impl Records for SqliteStore {
    async fn record(&self, kind: RecordKind, key: &str) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query_as(FIND).bind(kind.as_str()).bind(key).fetch_optional(&self.readers);
        Ok(row.await.map_err(store_error)?.map(read))
    }

    async fn records(&self, kind: RecordKind, after: &str, limit: u32) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query_as(LIST).bind(kind.as_str()).bind(after).bind(i64::from(limit));
        let rows = rows.fetch_all(&self.readers).await.map_err(store_error)?;
        Ok(rows.into_iter().map(read).collect())
    }

    async fn put_record(&self, kind: RecordKind, record: &Record) -> Result<bool, StoreError> {
        let put = sqlx::query(if record.version == 1 { INSERT } else { REPLACE })
            .bind(kind.as_str())
            .bind(&record.key)
            .bind(to_i64(record.version))
            .bind(&record.document);
        Ok(put.execute(&self.writer).await.map_err(store_error)?.rows_affected() == 1)
    }

    async fn delete_record(&self, kind: RecordKind, key: &str, expected: u64) -> Result<bool, StoreError> {
        let deleted = sqlx::query(DELETE).bind(kind.as_str()).bind(key).bind(to_i64(expected));
        Ok(deleted.execute(&self.writer).await.map_err(store_error)?.rows_affected() == 1)
    }
}
