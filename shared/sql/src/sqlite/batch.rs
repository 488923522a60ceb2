//! Many rows in one statement: SQLite has no arrays, but it reads JSON. A batch is an array of rows, each an array
//! of values; ids are hexadecimal, since JSON has no bytes.

use domain::Instant;
use serde_json::Value;
use uuid::Uuid;

/// Ids alone.
pub(super) fn ids(ids: impl IntoIterator<Item = Uuid>) -> String {
    Value::Array(ids.into_iter().map(id).collect()).to_string()
}

/// Rows of values.
pub(super) fn rows(rows: impl IntoIterator<Item = Vec<Value>>) -> String {
    Value::Array(rows.into_iter().map(Value::Array).collect()).to_string()
}

pub(super) fn id(id: Uuid) -> Value {
    Value::String(id.simple().to_string())
}

pub(super) fn instant(at: Option<Instant>) -> Value {
    at.map_or(Value::Null, |at| Value::from(at.timestamp_millis()))
}
