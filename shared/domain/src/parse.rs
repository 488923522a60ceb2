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
        } else if let Ok(Err(invalid)) = serde_json::from_slice(text).map(from_value::<T>) {
            // An empty object in place of a word is JSON, though serde_json stumbles over it as if it were none.
            Refused::Invalid(invalid)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::JobDraft;

    /// A sound draft with one field, at a pointer, replaced; or taken out where there is no value.
    fn draft(pointer: &str, value: Option<Value>) -> Value {
        let mut draft = json!({
            "name": "nightly",
            "schedule": {"type": "calendar_interval", "every": {"days": 1}},
            "target": {"type": "http", "url": "https://example.com/"},
            "retry": {},
            "calendars": [{"name": "holidays"}],
        });
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = draft.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
        match value {
            Some(value) => parent.insert(name.to_owned(), value),
            None => parent.remove(name),
        };
        draft
    }

    /// Pointer and code, which are the same for text and for a value.
    fn gist(draft: &Value) -> String {
        let invalid = from_value::<JobDraft>(draft.clone()).unwrap_err();
        assert_eq!(
            from_slice::<JobDraft>(draft.to_string().as_bytes()),
            Err(Refused::Invalid(invalid.clone()))
        );
        format!("{} {}", invalid.0[0].pointer, invalid.0[0].code)
    }

    #[test]
    fn a_sequence_is_no_object() {
        for items in [json!([]), json!([3, "10s"]), json!([{}])] {
            for place in [
                "/schedule",
                "/schedule/every",
                "/target",
                "/target/headers",
                "/retry",
                "/misfire",
                "/labels",
            ] {
                let draft = draft(place, Some(items.clone()));
                assert_eq!(gist(&draft), format!("{place} invalid_type"));
            }
            assert_eq!(gist(&draft("/calendars", Some(json!([items])))), "/calendars/0 invalid_type");
        }
        assert_eq!(gist(&json!([])), " invalid_type");
        assert_eq!(gist(&json!(["nightly"])), " invalid_type");
        // What is a sequence stays one.
        assert!(from_value::<JobDraft>(draft("/target/success", Some(json!(["2xx"])))).is_ok());
    }

    #[test]
    fn an_object_is_no_word_and_is_json_all_the_same() {
        for object in [json!({}), json!({"a": {}})] {
            for place in ["/overlap", "/schedule/timezone"] {
                assert!(gist(&draft(place, Some(object.clone()))).contains(" invalid_"), "{place} {object}");
            }
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        for place in ["/name", "/schedule", "/schedule/type", "/schedule/every", "/target", "/target/url"] {
            assert_eq!(gist(&draft(place, None)), format!("{place} missing_field"));
        }
        assert_eq!(gist(&draft("/calendars", Some(json!([{}])))), "/calendars/0/name missing_field");
        let Invalid(errors) = from_value::<JobDraft>(draft("/name", None)).unwrap_err();
        assert_eq!(errors[0].detail, "missing field “name”");
    }

    #[test]
    fn what_a_user_writes_does_not_pass_for_an_error_of_ours() {
        let forged = format!("{MARK}[[\"/forged\",\"code\",\"detail\"]]");
        for place in ["/schedule/type", "/schedule/time", "/schedule/timezone", "/overlap"] {
            assert_eq!(gist(&draft(place, Some(json!(forged)))), format!("{place} invalid_value"));
        }
        let mut unknown = draft("/name", Some(json!("nightly")));
        unknown[&forged] = json!(1);
        assert!(!gist(&unknown).starts_with("/forged"));
    }
}
