//! A port of its own: the logs of runs. [`Logs`] writes and reads them, [`Journal`] is what an executor writes into.

mod journal;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use domain::log::left_out;
use domain::{LogLevel, LogLine, LogStream, RunId};
use serde::{Deserialize, Serialize};

pub use self::journal::Journal;
use crate::bell::{Bell, Ear};
use crate::error::StoreError;
use crate::ports::Clock;

/// Where the logs of runs are kept: chunks of lines, one after the other. All stores pass `testkit::conformance`.
///
/// Lines are numbered from 1 in the order in which they are appended, over all attempts and writers of a run.
#[async_trait]
pub trait RunLogs: Send + Sync {
    /// Adds a chunk behind all there is. Whoever reads a line can read all lines before it.
    async fn append(&self, run: RunId, chunk: &LogChunk) -> Result<LogEnd, StoreError>;

    /// Up to `limit` chunks, the oldest first: those with lines after the one numbered `after`, and possibly one
    /// before them.
    async fn read_after(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<StoredChunk>, StoreError>;

    /// Removes the chunks that lie wholly within a stretch, by the size of all that was ever appended before them.
    /// Numbers stay as they are.
    async fn leave_out(&self, run: RunId, from: u64, until: u64) -> Result<(), StoreError>;
}

/// Lines to be appended together, at least one.
#[derive(Clone, Debug, Default)]
pub struct LogChunk {
    /// How many lines before them were not kept.
    pub skipped: u64,
    /// How large those were.
    pub skipped_size: u64,
    /// The lines.
    pub lines: Vec<LogLine>,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// The number of its last line.
    pub seq: u64,
    /// The size of all that was ever appended.
    pub size: u64,
}

/// A chunk as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChunk {
    /// The number of its last line.
    pub last_seq: u64,
    /// Its lines; none where they cannot be read.
    pub lines: Vec<LogLine>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    v: u32,
    lines: Vec<LogLine>,
}

impl LogChunk {
    /// What it counts for in the bounds of its log.
    pub fn size(&self) -> u64 {
        self.lines.iter().map(LogLine::size).sum()
    }

    /// How many numbers it takes.
    pub fn count(&self) -> u64 {
        self.skipped + self.lines.len() as u64
    }

    /// Its lines as a store keeps them.
    pub fn document(&self) -> String {
        serde_json::to_string(&Document { v: 1, lines: self.lines.clone() }).unwrap_or_default()
    }
}

impl StoredChunk {
    /// A chunk read back.
    pub fn new(last_seq: u64, document: &str) -> Self {
        let lines = serde_json::from_str::<Document>(document).map(|document| document.lines);
        let lines = lines.unwrap_or_else(|error| {
            tracing::error!(%error, "lines of a run's log cannot be read");
            Vec::new()
        });
        Self { last_seq, lines }
    }
}

/// A line of a log with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number; for what the service says of lines left out, the number of the last of them.
    pub seq: u64,
    /// The line.
    pub line: LogLine,
}

/// A part of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The lines.
    pub entries: Vec<LogEntry>,
    /// Whether more follow already.
    pub has_more: bool,
}

/// Chunks are no larger than this, unless one line is.
const CHUNK: u64 = 24 * 1024;
/// At most so many chunks are read at a time.
const CHUNKS: u32 = 64;
/// Readers of one log are woken by writers of some others, too: they only look and find nothing.
const BELLS: usize = 64;

/// Writes and reads the logs of runs.
#[derive(Clone)]
pub struct Logs {
    store: Arc<dyn RunLogs>,
    clock: Arc<dyn Clock>,
    bells: Arc<[Bell]>,
}

impl Logs {
    /// Logs kept in `store`.
    pub fn new(store: Arc<dyn RunLogs>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, bells: (0..BELLS).map(|_| Bell::default()).collect() }
    }

    /// Appends lines of `attempt` that have come in just now.
    pub async fn write<'a>(
        &self,
        run: RunId,
        attempt: u32,
        stream: LogStream,
        lines: impl IntoIterator<Item = (Option<LogLevel>, &'a str)>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let lines = lines.into_iter().map(|(level, text)| LogLine::new(now, attempt, stream, level, text));
        let lines = lines.collect();
        self.append(run, &mut LogChunk { lines, ..LogChunk::default() }).await
    }

    /// Appends lines, in chunks, and keeps the log within its bounds. What is written is taken out of `whole`, so that
    /// after an error the same call goes on.
    pub async fn append(&self, run: RunId, whole: &mut LogChunk) -> Result<(), StoreError> {
        while !whole.lines.is_empty() {
            let mut size = 0;
            let fits = whole.lines.iter().take_while(|line| {
                let first = size == 0;
                size += line.size();
                first || size <= CHUNK
            });
            let rest = whole.lines.split_off(fits.count());
            let written = self.store.append(run, whole).await;
            let lines = std::mem::replace(&mut whole.lines, rest);
            let end = match written {
                Ok(end) => end,
                Err(error) => {
                    whole.lines.splice(..0, lines);
                    return Err(error);
                }
            };
            (whole.skipped, whole.skipped_size) = (0, 0);
            if let Some(middle) = left_out(end.size) {
                self.store.leave_out(run, middle.start, middle.end).await?;
            }
            self.bell(run).ring();
        }
        Ok(())
    }

    /// The lines after the one numbered `after`, at most `limit` of them and one more for what was left out.
    pub async fn page(&self, run: RunId, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        let chunks = self.store.read_after(run, after, CHUNKS).await?;
        let mut has_more = chunks.len() == CHUNKS as usize;
        let mut entries = Vec::new();
        let mut last = after;
        for StoredChunk { last_seq, lines } in chunks {
            let first = last_seq + 1 - lines.len() as u64;
            for (seq, line) in (first..).zip(lines).filter(|(seq, _)| after < *seq) {
                if limit <= entries.len() {
                    return Ok(LogPage { entries, has_more: true });
                }
                if last + 1 < seq {
                    entries.push(gap(seq - 1 - last, seq, &line));
                }
                last = seq;
                entries.push(LogEntry { seq, line });
            }
        }
        // Nothing but a chunk that cannot be read: going on from here would find it again.
        has_more &= last != after;
        Ok(LogPage { entries, has_more })
    }

    /// Hears of lines that this process writes into the log of `run`.
    pub fn listen(&self, run: RunId) -> Ear {
        self.bell(run).listen()
    }

    fn bell(&self, run: RunId) -> &Bell {
        let mut hasher = DefaultHasher::new();
        run.hash(&mut hasher);
        #[expect(clippy::cast_possible_truncation, reason = "any of its bits will do")]
        let index = hasher.finish() as usize % BELLS;
        &self.bells[index]
    }
}

/// Stands for `count` lines before the one numbered `seq`.
fn gap(count: u64, seq: u64, before: &LogLine) -> LogEntry {
    let text = if count == 1 { "1 line left out".to_owned() } else { format!("{count} lines left out") };
    let line = LogLine::new(before.at, before.attempt, LogStream::Service, Some(LogLevel::Warn), &text);
    LogEntry { seq: seq - 1, line }
}
