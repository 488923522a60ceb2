//! [`engine::RunLogs`] in memory.

use async_trait::async_trait;
use domain::{LogLine, RunId};
use engine::{LogChunk, LogEnd, RunLogs, StoreError, StoredChunk};

use super::MemoryStore;

/// Lines appended together.
#[derive(Clone)]
pub(super) struct Chunk {
    lines: Vec<LogLine>,
    last_seq: u64,
    starts_at: u64,
    ends_at: u64,
}

#[async_trait]
impl RunLogs for MemoryStore {
    async fn append(&self, run: RunId, chunk: &LogChunk) -> Result<LogEnd, StoreError> {
        self.perform("append", |state| {
            let log = state.logs.entry(run).or_default();
            let (seq, size) = log.last().map_or((0, 0), |last| (last.last_seq, last.ends_at));
            let (last_seq, starts_at) = (seq + chunk.count(), size + chunk.skipped_size);
            let ends_at = starts_at + chunk.size();
            log.push(Chunk { lines: chunk.lines.clone(), last_seq, starts_at, ends_at });
            Ok(LogEnd { seq: last_seq, size: ends_at })
        })
        .await
    }

    async fn read_after(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<StoredChunk>, StoreError> {
        self.perform("read_after", |state| {
            let chunks = state.logs.get(&run).into_iter().flatten().filter(|chunk| after < chunk.last_seq);
            let stored = |chunk: &Chunk| StoredChunk { last_seq: chunk.last_seq, lines: chunk.lines.clone() };
            Ok(chunks.take(limit as usize).map(stored).collect())
        })
        .await
    }

    async fn leave_out(&self, run: RunId, from: u64, until: u64) -> Result<(), StoreError> {
        self.perform("leave_out", |state| {
            if let Some(log) = state.logs.get_mut(&run) {
                log.retain(|chunk| chunk.starts_at < from || until < chunk.ends_at);
            }
            Ok(())
        })
        .await
    }
}
