//! Many rows in one statement: SQLite has no arrays, but it reads JSON. A batch is an array of rows, each an array
//! of values; ids are hexadecimal, since JSON has no bytes.

use domain::Instant;
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// Ids alone.
pub(super) fn ids(ids: impl IntoIterator<Item = Uuid>) -> String {
    rows(ids.into_iter().map(Id))
}

/// Rows of values: tuples, mostly.
pub(super) fn rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> String {
    let mut text = Vec::new();
    // Writing to memory does not fail, nor do rows of texts and numbers.
    let _ = serde_json::Serializer::new(&mut text).collect_seq(rows);
    String::from_utf8(text).unwrap_or_default()
}

/// An id as a value.
pub(super) struct Id(pub(super) Uuid);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
    }
}

/// An instant as a value.
pub(super) fn instant(at: Option<Instant>) -> Option<i64> {
    at.map(|at| at.timestamp_millis())
}
