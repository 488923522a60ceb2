//! What an executor writes into while an attempt goes on. It never waits: what is written faster than the store takes
//! it is left out, and the log says how much that was.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{LogLine, LogStream, RunId};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{LogChunk, Logs};

/// Lines that come within so long of each other are written together.
const GATHER: Duration = Duration::from_millis(100);
/// … unless there are as many as this.
const PLENTY: u64 = 24 * 1024;
/// At most so much waits to be written.
const MAX_WAITING: u64 = 256 * 1024;
/// Who has written so much has seen most of it left out again, and is written down less often.
const TALKATIVE: u64 = 1024 * 1024;
const TALKATIVE_PAUSE: Duration = Duration::from_secs(1);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// The log of one attempt, for its executor to write into. Cheap to clone.
#[derive(Clone, Default)]
pub struct Journal(Option<Arc<Book>>);

struct Book {
    logs: Logs,
    run: RunId,
    attempt: u32,
    waiting: Mutex<Waiting>,
    /// Something waits.
    written: Notify,
    /// There is plenty of it, or an end.
    hurry: Notify,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<LogLine>,
    size: u64,
    skipped: u64,
    skipped_size: u64,
    /// The attempt has ended: there is no more to come.
    closed: bool,
    /// There was a line.
    used: bool,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Journal" } else { "Journal(nowhere)" })
    }
}

impl Journal {
    /// A journal whose lines go into the log of `run`, as long as somebody keeps writing them.
    pub fn new(logs: Logs, run: RunId, attempt: u32) -> Self {
        let book = Book {
            logs,
            run,
            attempt,
            waiting: Mutex::default(),
            written: Notify::new(),
            hurry: Notify::new(),
        };
        Self(Some(Arc::new(book)))
    }

    /// A journal that nobody reads.
    pub fn nowhere() -> Self {
        Self(None)
    }

    /// Puts a line down.
    pub fn line(&self, stream: LogStream, text: &str) {
        let Some(book) = &self.0 else { return };
        let line = LogLine::new(book.logs.clock.now(), book.attempt, stream, None, text);
        let mut waiting = book.lock();
        waiting.push(line);
        let plenty = PLENTY <= waiting.size;
        drop(waiting);
        book.written.notify_one();
        if plenty {
            book.hurry.notify_one();
        }
    }

    /// There is no more to come: [`Self::keep`] ends when everything is written. False where nothing ever came.
    pub(crate) fn close(&self) -> bool {
        let Some(book) = &self.0 else { return false };
        let mut waiting = book.lock();
        waiting.closed = true;
        let used = waiting.used;
        drop(waiting);
        book.written.notify_one();
        book.hurry.notify_one();
        used
    }

    /// Writes lines as they come, until the journal is closed and all of them are written; for ever where it is not.
    pub(crate) async fn keep(&self) {
        let Some(book) = &self.0 else { return std::future::pending().await };
        let mut total = 0;
        loop {
            book.written.notified().await;
            let gather = if total < TALKATIVE { GATHER } else { TALKATIVE_PAUSE };
            if !book.lock().closed {
                tokio::select! {
                    () = sleep(gather) => (),
                    () = book.hurry.notified(), if total < TALKATIVE => (),
                }
            }
            let Some(mut chunk) = book.lock().take() else {
                if book.lock().closed {
                    return;
                }
                continue;
            };
            total += chunk.size() + chunk.skipped_size;
            while let Err(error) = book.logs.append(book.run, &mut chunk).await {
                tracing::warn!(
                    run.id = %book.run,
                    error = &error as &dyn std::error::Error,
                    "lines of a run's log cannot be written, trying again"
                );
                drop(error);
                sleep(PAUSE).await;
            }
            // More may have come, or the end, while this was written.
            book.written.notify_one();
        }
    }
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A panic elsewhere leaves at worst a line uncounted.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Adds a line, at the cost of the oldest where there is no room.
    fn push(&mut self, line: LogLine) {
        self.used = true;
        self.size += line.size();
        self.lines.push_back(line);
        while MAX_WAITING < self.size {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.size -= oldest.size();
            self.skipped += 1;
            self.skipped_size += oldest.size();
        }
    }

    fn take(&mut self) -> Option<LogChunk> {
        if self.lines.is_empty() {
            return None;
        }
        let lines = std::mem::take(&mut self.lines).into();
        self.size = 0;
        let (skipped, skipped_size) =
            (std::mem::take(&mut self.skipped), std::mem::take(&mut self.skipped_size));
        Some(LogChunk { skipped, skipped_size, lines })
    }
}
