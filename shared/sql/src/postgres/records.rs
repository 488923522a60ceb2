//! Small records: API keys, projects.

use async_trait::async_trait;
use engine::{Record, RecordKind, Records, StoreError};

use super::{PostgresStore, answered, has_nul};
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
impl Records for PostgresStore {
    async fn record(&self, kind: RecordKind, key: &str) -> Result<Option<Record>, StoreError> {
        if has_nul(key) {
            return Ok(None);
        }
        let row = sqlx::query_as(FIND).bind(kind.as_str()).bind(key).fetch_optional(&self.pool);
        answered(async { Ok(row.await?.map(read)) }).await
    }

    async fn records(&self, kind: RecordKind, after: &str, limit: u32) -> Result<Vec<Record>, StoreError> {
        // No key holds the character 0, so what follows it makes no difference.
        let after = after.split('\0').next().unwrap_or_default();
        let rows =
            sqlx::query_as(LIST).bind(kind.as_str()).bind(after).bind(i64::from(limit)).fetch_all(&self.pool);
        answered(async { Ok(rows.await?.into_iter().map(read).collect()) }).await
    }

    async fn put_record(&self, kind: RecordKind, record: &Record) -> Result<bool, StoreError> {
        let put = sqlx::query(if record.version == 1 { INSERT } else { REPLACE })
            .bind(kind.as_str())
            .bind(&record.key)
            .bind(to_i64(record.version))
            .bind(&record.document)
            .execute(&self.pool);
        answered(async { Ok(put.await?.rows_affected() == 1) }).await
    }

    async fn delete_record(&self, kind: RecordKind, key: &str, expected: u64) -> Result<bool, StoreError> {
        if has_nul(key) {
            return Ok(false);
        }
        let deleted =
            sqlx::query(DELETE).bind(kind.as_str()).bind(key).bind(to_i64(expected)).execute(&self.pool);
        answered(async { Ok(deleted.await?.rows_affected() == 1) }).await
    }
}
