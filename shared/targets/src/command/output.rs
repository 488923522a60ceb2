//! A command's pipes: fed, and emptied whatever it writes, so that it never waits for us.

use domain::LogStream;
use domain::log::MAX_LINE;
use engine::Journal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;

use crate::kept::{KEPT, text};

/// What a command writes to one pipe: its beginning for the record, its lines for the run's log.
pub(super) struct Output {
    kept: Vec<u8>,
    truncated: bool,
    lines: Lines,
}

impl Output {
    /// Nothing yet. Lines of `stream` go into `journal`.
    pub(super) fn new(journal: &Journal, stream: LogStream) -> Self {
        let lines = Lines { journal: journal.clone(), stream, begun: Vec::new() };
        Self { kept: Vec::new(), truncated: false, lines }
    }

    /// Reads `pipe` to its end, which comes when nobody can write to it any more.
    pub(super) async fn drain(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        const CHUNK: usize = 64 * 1024;
        let Some(mut pipe) = pipe else { return };
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
            let room = KEPT - self.kept.len();
            self.kept.extend_from_slice(&chunk[..read.min(room)]);
            self.truncated |= room < read;
            self.lines.read(&chunk[..read]);
        }
    }

    /// The text, and whether something is missing of it.
    pub(super) fn into_text(mut self) -> (Option<String>, bool) {
        self.lines.end();
        text(&self.kept, self.truncated)
    }
}

/// Cuts what is written into lines.
struct Lines {
    journal: Journal,
    stream: LogStream,
    /// A line whose end has not been read: as much of it as is kept, and a byte more, which tells that it was longer.
    begun: Vec<u8>,
}

impl Lines {
    fn read(&mut self, bytes: &[u8]) {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            let room = MAX_LINE + 1 - self.begun.len();
            self.begun.extend_from_slice(&piece[..piece.len().min(room)]);
            if pieces.peek().is_some() {
                self.put_down();
            }
        }
    }

    /// What was written last need not end with a line feed.
    fn end(&mut self) {
        if !self.begun.is_empty() {
            self.put_down();
        }
    }

    fn put_down(&mut self) {
        let line = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
        self.journal.line(self.stream, &String::from_utf8_lossy(line));
        self.begun.clear();
    }
}

/// Writes `input`, unless the command would rather not read it.
pub(super) async fn feed(pipe: Option<ChildStdin>, input: &str) {
    if let Some(mut pipe) = pipe {
        let _ = pipe.write_all(input.as_bytes()).await;
    }
}
