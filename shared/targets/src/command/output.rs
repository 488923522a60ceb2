//! A command's pipes: fed, and emptied whatever it writes, so that it never waits for us.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;

use crate::kept::{KEPT, text};

/// The beginning of what a command writes.
#[derive(Default)]
pub(super) struct Output {
    kept: Vec<u8>,
    truncated: bool,
}

impl Output {
    /// Reads `pipe` to its end, which comes when nobody can write to it any more.
    pub(super) async fn drain(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        const CHUNK: usize = 64 * 1024;
        let Some(mut pipe) = pipe else { return };
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
            let room = KEPT - self.kept.len();
            self.kept.extend_from_slice(&chunk[..read.min(room)]);
            self.truncated |= room < read;
        }
    }

    /// The text, and whether something is missing of it.
    pub(super) fn into_text(self) -> (Option<String>, bool) {
        text(&self.kept, self.truncated)
    }
}

/// Writes `input`, unless the command would rather not read it.
pub(super) async fn feed(pipe: Option<ChildStdin>, input: &str) {
    if let Some(mut pipe) = pipe {
        let _ = pipe.write_all(input.as_bytes()).await;
    }
}
