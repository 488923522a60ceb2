//! From JSON text to a value, with a pointer to whatever is wrong.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::duration::shorten;
use crate::invalid::{FieldError, Invalid};

/// Why a JSON text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not JSON at all (or nests too deep): nothing inside it can be pointed at.
    Malformed(String),
    /// It is JSON of another shape than the one asked for.
    Invalid(Invalid),
}

/// Parses JSON text into a `T`, refusing unknown fields where `T` does.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refused> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        if error.inner().is_data() {
            Refused::Invalid(located(error.path(), &strip_position(error.inner())))
        } else {
            Refused::Malformed(shorten(&error.inner().to_string()))
        }
    })?;
    deserializer.end().map_err(|error| Refused::Malformed(shorten(&error.to_string())))?;
    Ok(value)
}

/// Parses a JSON value into a `T`.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value).map_err(|error| located(error.path(), &error.inner().to_string()))
}

/// Splits `{"type": "…", …}` into its tag and the rest.
///
/// Serde's own internally tagged enums forget where inside them an error lies; reading the tag by hand
/// and the rest with [`nested`] keeps the pointer.
pub(crate) fn tagged<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
    known: &'static [&'static str],
) -> Result<(String, Value), D::Error> {
    let mut fields = serde_json::Map::<String, Value>::deserialize(deserializer)?;
    match fields.remove("type") {
        Some(Value::String(tag)) if known.contains(&tag.as_str()) => Ok((tag, Value::Object(fields))),
        Some(Value::String(tag)) => {
            Err(at("/type", &format!("unknown type “{}”; known are {}", shorten(&tag), known.join(", "))))
        }
        Some(_) => Err(at("/type", "must be a string")),
        None => Err(at("/type", &format!("is missing; known are {}", known.join(", ")))),
    }
}

/// Deserialises a part of a document so that the pointer of an error survives its way up.
pub(crate) fn nested<T: DeserializeOwned, E: serde::de::Error>(value: Value) -> Result<T, E> {
    from_value(value).map_err(|Invalid(errors)| {
        let error = &errors[0];
        at(&error.pointer, &error.detail)
    })
}

/// Marks a message with a pointer; no user text reaches the part before the mark.
const MARK: char = '\u{1f}';

fn at<E: serde::de::Error>(pointer: &str, message: &str) -> E {
    E::custom(format!("{pointer}{MARK}{message}"))
}

fn located(path: &Path, message: &str) -> Invalid {
    let (inner, detail) = message.split_once(MARK).unwrap_or(("", message));
    let detail = quoted(detail);
    Invalid(vec![FieldError::new(
        format!("{}{inner}", pointer(path)),
        code_of(&detail),
        shorten_detail(&detail),
    )])
}

/// Serde's backticks as the quotation marks of all other messages.
fn quoted(detail: &str) -> String {
    let mut marks = ['“', '”'].into_iter().cycle();
    detail.chars().map(|char| if char == '`' { marks.next().unwrap_or(char) } else { char }).collect()
}

fn code_of(detail: &str) -> &'static str {
    if detail.starts_with("unknown field") {
        "unknown_field"
    } else if detail.starts_with("missing field") {
        "missing_field"
    } else if detail.starts_with("duplicate field") {
        "duplicate_field"
    } else if detail.starts_with("invalid type") {
        "invalid_type"
    } else {
        "invalid_value"
    }
}

/// Serde quotes the offending value whole; a message stays a message.
fn shorten_detail(detail: &str) -> String {
    const KEEP: usize = 300;
    if detail.len() <= KEEP { detail.to_owned() } else { detail.chars().take(KEEP).chain(['…']).collect() }
}

/// `serde_json` appends "at line 1 column 7", which means nothing beside a pointer.
fn strip_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).map_or(text.clone(), str::to_owned)
}

fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                format!("/{}", shorten(key).replace('~', "~0").replace('/', "~1"))
            }
            Segment::Unknown => String::new(),
        })
        .collect()
}
