//! Where in the order of all that is told something stands.

use std::fmt;
use std::str::FromStr;

/// Where a telling stands: later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The transaction that wrote it, where writers do not wait for each other; 0 in other stores.
    pub transaction: u64,
    /// Its number, which grows within its transaction.
    pub seq: u64,
}

/// Where a reader is: behind so many entries of the telling at `place`.
///
/// As a text it is what clients keep: `745-12-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The telling.
    pub place: Place,
    /// So many of its entries have been read; `None` for all, however many there are.
    pub entries: Option<u32>,
}

impl Cursor {
    /// Behind everything that is told at `place`.
    pub fn behind(place: Place) -> Self {
        Self { place, entries: None }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { transaction, seq } = self.place;
        match self.entries {
            Some(entries) => write!(f, "{transaction}-{seq}-{entries}"),
            None => write!(f, "{transaction}-{seq}"),
        }
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        // Stores count in signed numbers.
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && i64::try_from(*number).is_ok()).ok_or(NoCursor)
        };
        let mut parts = text.split('-');
        let (Some(transaction), Some(seq)) = (parts.next(), parts.next()) else { return Err(NoCursor) };
        let place = Place { transaction: number(transaction)?, seq: number(seq)? };
        let entries = parts.next().map(number).transpose()?;
        let entries = entries.map(u32::try_from).transpose().map_err(|_| NoCursor)?;
        if parts.next().is_some() { Err(NoCursor) } else { Ok(Self { place, entries }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        const MOST: u64 = u64::MAX / 2;
        for (transaction, seq) in [(0, 1), (745, 0), (MOST, MOST)] {
            for entries in [None, Some(0), Some(3), Some(u32::MAX)] {
                let cursor = Cursor { place: Place { transaction, seq }, entries };
                assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
    }

    #[test]
    fn garbage_is_refused() {
        for text in
            ["", "1", "1-", "-1", "1-2-", "1-2-3-4", "+1-2", "1-2-4294967296", "x-y", "9223372036854775808-1"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }
}
