//! Cursors: where a list goes on, opaque to callers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{BackfillId, RunId};
use engine::query::JobCursor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::problem::{Code, PartProblem, Problem};

/// The form cursors have at present. One of an older form is refused, never misread.
const VERSION: u32 = 1;
const LONGEST: usize = 2_048;

/// Where a list of runs goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCursor {
    /// The order the page was in; a cursor serves no other.
    pub ascending: bool,
    /// The last run of the page.
    pub run: RunId,
}

/// What a cursor is made of.
pub trait Cursor: Serialize + DeserializeOwned {
    /// Which list it belongs to.
    const LIST: &'static str;

    /// Whether every text in it is one a store can look for.
    fn is_plain(&self) -> bool {
        true
    }
}

impl Cursor for JobCursor {
    const LIST: &'static str = "jobs";

    fn is_plain(&self) -> bool {
        !self.name.chars().any(char::is_control)
    }
}

/// Where a list of calendars goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarCursor {
    /// The last calendar of the page.
    pub name: String,
}

impl Cursor for CalendarCursor {
    const LIST: &'static str = "calendars";

    fn is_plain(&self) -> bool {
        !self.name.chars().any(char::is_control)
    }
}

impl Cursor for RunCursor {
    const LIST: &'static str = "runs";
}

/// Where a list of backfills goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackfillCursor {
    /// The last backfill of the page.
    pub backfill: BackfillId,
}

impl Cursor for BackfillCursor {
    const LIST: &'static str = "backfills";
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    v: u32,
    list: String,
    at: T,
}

/// Writes a cursor.
pub fn encode<T: Cursor>(at: T) -> String {
    let envelope = Envelope { v: VERSION, list: T::LIST.to_owned(), at };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&envelope).unwrap_or_default())
}

/// Reads a cursor, if it is one of this list and `fits` the order asked for.
pub fn decode<T: Cursor>(text: &str, fits: impl FnOnce(&T) -> bool) -> Result<T, Problem> {
    let read = || {
        let json = URL_SAFE_NO_PAD.decode(text).ok().filter(|_| text.len() <= LONGEST)?;
        let envelope: Envelope<T> = serde_json::from_slice(&json).ok()?;
        let ours = envelope.v == VERSION && envelope.list == T::LIST && envelope.at.is_plain();
        ours.then_some(envelope.at)
    };
    let refuse = |detail: &str| {
        let part = PartProblem::parameter("cursor", "invalid_cursor", detail);
        Problem::with_parts(Code::InvalidCursor, vec![part])
    };
    match read() {
        None => Err(refuse("is not a cursor this list has handed out")),
        Some(at) if !fits(&at) => Err(refuse("belongs to a list in another order; keep `sort` as it was")),
        Some(at) => Ok(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> RunCursor {
        RunCursor { ascending: true, run: "run_01kc0000000000000000000000".parse().unwrap() }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(decode(&encode(cursor()), |_| true), Ok(cursor()));
    }

    #[test]
    fn foreign_cursors_are_refused() {
        let json = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let other_version =
            json(r#"{"v":0,"list":"runs","at":{"ascending":true,"run":"run_01kc0000000000000000000000"}}"#);
        for bad in ["", "!", "e30", &json("[]"), &other_version, &"A".repeat(5_000), &encode(cursor())] {
            assert_eq!(decode::<JobCursor>(bad, |_| true).unwrap_err().code, Code::InvalidCursor);
        }
        assert!(decode::<RunCursor>(&other_version, |_| true).is_err());
        assert!(decode::<RunCursor>(&encode(cursor()), |at| !at.ascending).is_err());
    }
}
