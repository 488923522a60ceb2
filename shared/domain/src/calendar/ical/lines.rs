//! The text of an iCalendar file as content lines (RFC 5545, section 3.1).
//!
//! Read here rather than by a parser crate because those build a tree by recursion, which a hostile file can make
//! as deep as it likes, and cannot say on which line something is wrong.

use std::borrow::Cow;

use super::{Result, refuse};
use crate::duration::shorten;

/// `NAME;PARAM=value:value`, unfolded.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// The number of its first line in the file, from 1.
    pub(super) number: usize,
    /// In upper case.
    pub(super) name: String,
    /// Names in upper case; values without their quotes.
    params: Vec<(String, String)>,
    pub(super) value: Cow<'a, str>,
}

impl Line<'_> {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The value as text for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut chars = self.value.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => match chars.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(escaped) => text.push(escaped),
                    None => {}
                },
                _ => text.push(char),
            }
        }
        text
    }
}

/// All content lines of a file.
pub(super) fn lines(text: &str) -> Result<Vec<Line<'_>>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<(usize, Cow<'_, str>)> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, folded))) => folded.to_mut().push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push((index + 1, Cow::Borrowed(line))),
        }
    }
    lines.into_iter().map(|(number, line)| split(number, line)).collect()
}

fn split(number: usize, line: Cow<'_, str>) -> Result<Line<'_>> {
    let malformed = || refuse(format!("line {number} is not iCalendar: “{}”", shorten(&line)));
    let colon = unquoted(&line, ':').next().ok_or_else(malformed)?;
    let (head, value) = (line.get(..colon).unwrap_or_default(), colon + 1);
    let mut pieces = pieces(head, ';');
    let name = pieces.next().unwrap_or_default().trim().to_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(malformed());
    }
    let params = pieces.filter_map(|param| {
        let (name, value) = param.split_once('=')?;
        Some((name.trim().to_ascii_uppercase(), value.trim_matches('"').to_owned()))
    });
    let params = params.collect();
    let value = match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.get(value..).unwrap_or_default()),
        Cow::Owned(line) => Cow::Owned(line.get(value..).unwrap_or_default().to_owned()),
    };
    Ok(Line { number, name, params, value })
}

/// Where `mark` stands outside of quotes.
fn unquoted(text: &str, mark: char) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    text.char_indices().filter_map(move |(at, char)| {
        quoted ^= char == '"';
        (char == mark && !quoted).then_some(at)
    })
}

fn pieces(text: &str, mark: char) -> impl Iterator<Item = &str> {
    let mut start = 0;
    unquoted(text, mark).chain([text.len()]).filter_map(move |end| {
        let piece = text.get(start..end);
        start = end + 1;
        piece
    })
}
