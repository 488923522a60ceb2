//! A run's log: what its attempts wrote while they went on, line by line, in order and within bounds.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Instant;

/// One line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was heard of.
    pub at: Instant,
    /// The attempt that wrote it.
    pub attempt: u32,
    /// Where it was written.
    pub stream: LogStream,
    /// How much it matters, where its writer said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// The line, without its end, cut where it was long.
    pub text: String,
    /// Whether `text` was cut.
    #[serde(default, skip_serializing_if = "is_false")]
    pub truncated: bool,
}

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// A command's standard output.
    Stdout,
    /// A command's standard error.
    Stderr,
    /// The target sent it while it worked.
    Target,
    /// The service itself: what it left out.
    Service,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For whoever looks for a fault.
    Debug,
    /// What goes on.
    Info,
    /// What somebody should look at.
    Warn,
    /// What went wrong.
    Error,
}

/// How much of one line is kept, in bytes.
pub const MAX_LINE: usize = 8 * 1024;
/// What a line costs beside its text, so that empty lines are bounded, too.
const OVERHEAD: u64 = 64;

/// How much of a log's beginning is kept for good.
const HEAD: u64 = 256 * 1024;
/// How much of its end is kept.
const TAIL: u64 = 704 * 1024;

impl LogLine {
    /// A line of `stream`, cut to [`MAX_LINE`], without NUL, which `PostgreSQL` cannot store.
    pub fn new(at: Instant, attempt: u32, stream: LogStream, level: Option<LogLevel>, text: &str) -> Self {
        let kept = &text[..text.floor_char_boundary(MAX_LINE)];
        let truncated = kept.len() < text.len();
        Self { at, attempt, stream, level, text: kept.replace('\0', "\u{fffd}"), truncated }
    }

    /// What it counts for in the bounds of its log.
    pub fn size(&self) -> u64 {
        OVERHEAD + self.text.len() as u64
    }
}

/// The stretch that is left out of a log of `size` in all, counted from its beginning: what is neither head nor tail.
pub fn left_out(size: u64) -> Option<Range<u64>> {
    (HEAD + TAIL < size).then(|| HEAD..size - TAIL)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(truncated: &bool) -> bool {
    !truncated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_in_whole_characters() {
        let line = |text: &str| LogLine::new(Instant::UNIX_EPOCH, 1, LogStream::Stdout, None, text);
        assert_eq!((line("").text.as_str(), line("").size()), ("", OVERHEAD));
        assert_eq!(line("gr\0n").text, "gr\u{fffd}n");
        let long = line(&"ü".repeat(MAX_LINE));
        assert_eq!((long.text.len(), long.truncated), (MAX_LINE, true));
        let odd = line(&format!("a{}", "ü".repeat(MAX_LINE)));
        assert_eq!((odd.text.len(), odd.truncated), (MAX_LINE - 1, true));
    }

    #[test]
    fn the_middle_is_left_out_and_no_more_than_it_must() {
        assert_eq!(left_out(HEAD + TAIL), None);
        assert_eq!(left_out(HEAD + TAIL + 1), Some(HEAD..HEAD + 1));
    }
}
