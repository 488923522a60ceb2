//! How much of what a target says is kept, and as what: text that every store can hold.

use std::borrow::Cow;

/// How much of a body, or of a command's output, is kept.
pub(crate) const KEPT: usize = 64 * 1024;

/// A body as text for a record, at most [`KEPT`] bytes of it, and whether something is missing.
///
/// What is not UTF-8 is replaced, and so is NUL, which `PostgreSQL` cannot store.
pub(crate) fn text(bytes: &[u8], truncated: bool) -> (Option<String>, bool) {
    let kept = &bytes[..bytes.len().min(KEPT)];
    let truncated = truncated || kept.len() < bytes.len();
    if kept.is_empty() {
        return (None, truncated);
    }
    let mut text = match String::from_utf8_lossy(if truncated { whole_chars(kept) } else { kept }) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    };
    if text.contains('\0') {
        text = text.replace('\0', "\u{fffd}");
    }
    // A replacement takes three bytes where there may have been one.
    let len = text.len();
    let text = cut(text, KEPT);
    let truncated = truncated || text.len() < len;
    (Some(text), truncated)
}

/// `bytes` without the beginning of a character whose end was cut off.
fn whole_chars(bytes: &[u8]) -> &[u8] {
    let tail = bytes.len().saturating_sub(3);
    match bytes.get(tail..).and_then(|tail| tail.iter().rposition(|byte| byte & 0b1100_0000 != 0b1000_0000)) {
        Some(at)
            if std::str::from_utf8(&bytes[tail + at..]).is_err_and(|error| error.error_len().is_none()) =>
        {
            &bytes[..tail + at]
        }
        _ => bytes,
    }
}

/// At most `max` bytes of `text`, in whole characters.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    text.truncate(text.floor_char_boundary(max));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_become_text() {
        let whole = |bytes: &[u8]| text(bytes, false);
        assert_eq!(whole(b""), (None, false));
        assert_eq!(whole("grün".as_bytes()), (Some("grün".to_owned()), false));
        assert_eq!(whole(b"gr\xfcn\0"), (Some("gr\u{fffd}n\u{fffd}".to_owned()), false));
        assert_eq!(text("grü".as_bytes(), true), (Some("grü".to_owned()), true));
        assert_eq!(text(&"grü".as_bytes()[..3], true), (Some("gr".to_owned()), true));
        assert_eq!(text(&"a🦀".as_bytes()[..4], true), (Some("a".to_owned()), true));
        assert_eq!(text(b"gr\xfc", true), (Some("gr\u{fffd}".to_owned()), true));
        let (long, truncated) = whole(&vec![b'x'; KEPT + 1]);
        assert_eq!((long.unwrap().len(), truncated), (KEPT, true));
        let (binary, truncated) = whole(&vec![0xff; KEPT]);
        assert!(binary.unwrap().len() <= KEPT);
        assert!(truncated);
    }
}
