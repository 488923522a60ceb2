//! The logs of runs.

use async_trait::async_trait;
use domain::RunId;
use engine::{LogChunk, LogEnd, RunLogs, StoreError, StoredChunk};

use super::PostgresStore;
use crate::error::store_error;
use crate::numbers::to_i64;

/// Behind the last chunk there is: that one is never left out.
pub(super) const APPEND: &str = "-- append_log
INSERT INTO run_logs (run_id, after_seq, last_seq, starts_at, ends_at, lines)
SELECT $1, p.last_seq, p.last_seq + $2, p.ends_at + $3, p.ends_at + $4, $5
FROM (
    SELECT
        coalesce((SELECT last_seq FROM run_logs WHERE run_id = $1 ORDER BY after_seq DESC LIMIT 1), 0) AS last_seq,
        coalesce((SELECT ends_at FROM run_logs WHERE run_id = $1 ORDER BY after_seq DESC LIMIT 1), 0) AS ends_at
) AS p
WHERE true
ON CONFLICT (run_id, after_seq) DO NOTHING
RETURNING last_seq, ends_at";

/// From the chunk that holds the line, or would.
pub(super) const READ: &str = "-- read_log
SELECT last_seq, lines FROM run_logs
WHERE run_id = $1 AND last_seq > $2 AND after_seq >= coalesce(
    (SELECT max(after_seq) FROM run_logs WHERE run_id = $1 AND after_seq <= $2), 0
)
ORDER BY after_seq LIMIT $3";

const LEAVE_OUT: &str = "-- leave_out_of_log
DELETE FROM run_logs WHERE run_id = $1 AND starts_at >= $2 AND ends_at <= $3";

#[async_trait]
impl RunLogs for PostgresStore {
    async fn append(&self, run: RunId, chunk: &LogChunk) -> Result<LogEnd, StoreError> {
        let lines = chunk.document();
        loop {
            let appended: Option<(i64, i64)> = sqlx::query_as(APPEND)
                .bind(run.0)
                .bind(to_i64(chunk.count()))
                .bind(to_i64(chunk.skipped_size))
                .bind(to_i64(chunk.skipped_size + chunk.size()))
                .bind(&lines)
                .fetch_optional(&self.pool)
                .await
                .map_err(store_error)?;
            // None: another writer was first, and has got on by one.
            if let Some((seq, size)) = appended {
                return Ok(LogEnd { seq: seq.unsigned_abs(), size: size.unsigned_abs() });
            }
        }
    }

    async fn read_after(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<StoredChunk>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as(READ)
            .bind(run.0)
            .bind(to_i64(after))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        Ok(rows.iter().map(|(last, lines)| StoredChunk::new(last.unsigned_abs(), lines)).collect())
    }

    async fn leave_out(&self, run: RunId, from: u64, until: u64) -> Result<(), StoreError> {
        let query = sqlx::query(LEAVE_OUT).bind(run.0).bind(to_i64(from)).bind(to_i64(until));
        query.execute(&self.pool).await.map(drop).map_err(store_error)
    }
}
