//! From JSON text to a value, with a pointer to whatever is wrong.

mod strict;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use self::strict::Strict;
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
    let value = serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(|error| {
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
    serde_path_to_error::deserialize(Strict(value))
        .map_err(|error| located(error.path(), &error.inner().to_string()))
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
    let known_are = || format!("known are {}", known.join(", "));
    let (code, detail) = match fields.remove("type") {
        Some(Value::String(tag)) if known.contains(&tag.as_str()) => return Ok((tag, Value::Object(fields))),
        Some(Value::String(tag)) => {
            ("invalid_value", format!("unknown type “{}”; {}", shorten(&tag), known_are()))
        }
        Some(_) => ("invalid_type", "must be a string".to_owned()),
        None => ("missing_field", format!("is missing; {}", known_are())),
    };
    Err(refuse(Invalid::one("/type", code, detail)))
}

/// Deserialises a part of a document so that the pointer of an error survives its way up.
pub(crate) fn nested<T: DeserializeOwned, E: serde::de::Error>(value: Value) -> Result<T, E> {
    from_value(value).map_err(refuse)
}

/// Begins a message that is made by [`refuse`]. Messages of serde never begin so, whatever they quote.
const MARK: char = '\u{1f}';

/// Refuses what is being deserialised, with pointers relative to it. Serde carries nothing but text, so the
/// errors are written down as text, to be read by [`located`].
pub(crate) fn refuse<E: serde::de::Error>(Invalid(errors): Invalid) -> E {
    let parts = errors.into_iter().map(|error| Value::from(vec![error.pointer, error.code, error.detail]));
    E::custom(format!("{MARK}{}", parts.collect::<Value>()))
}

fn located(path: &Path, message: &str) -> Invalid {
    let pointer = pointer(path);
    let refused: Option<Vec<[String; 3]>> =
        message.strip_prefix(MARK).and_then(|errors| serde_json::from_str(errors).ok());
    if let Some(errors) = refused {
        let error = |[pointer, code, detail]: [String; 3]| FieldError { pointer, code, detail };
        return Invalid(errors.into_iter().map(error).collect()).below(&pointer);
    }
    let detail = quoted(message);
    // Serde knows of a missing field only where it is missing.
    let missing = detail.strip_prefix("missing field “").and_then(|rest| rest.strip_suffix('”'));
    let pointer = missing.map_or_else(|| pointer.clone(), |name| format!("{pointer}/{name}"));
    Invalid::one(pointer, code_of(&detail), shorten_detail(&detail))
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
