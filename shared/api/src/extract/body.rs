//! JSON bodies: the right type, within the limit, of the right shape, with a pointer to whatever is not.

use std::collections::HashSet;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use domain::calendar::ical;
use domain::parse::{self, Refused};
use domain::{CalendarDraft, Invalid};
use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::problem::{Code, Problem};

/// A JSON body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// A JSON body that may be left out, which means `T`'s default.
#[derive(Debug)]
pub struct OptionalJson<T>(pub T);

/// Nothing to say: no body, or `{}`.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A JSON merge patch (RFC 7396).
#[derive(Debug)]
pub struct MergePatch(pub Value);

/// A calendar, as JSON or as iCalendar text.
#[derive(Debug)]
pub struct CalendarBody(pub CalendarDraft);

impl<S: Send + Sync> FromRequest<S> for CalendarBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_type(request.headers(), |essence| is_json(essence) || is_icalendar(essence))?;
        let icalendar = check_type(request.headers(), is_icalendar).is_ok();
        let body = bytes(request, state).await?;
        if !icalendar {
            return read(&body).map(Self);
        }
        let text = std::str::from_utf8(&body)
            .map_err(|_| Invalid::one("", "invalid_value", "the calendar must be UTF-8 text"))?;
        Ok(Self(ical::read(text)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_type(request.headers(), is_json)?;
        read(&bytes(request, state).await?).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let body = bytes(request, state).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        check_type(&headers, is_json)?;
        read(&body).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        debug_assert_eq!(request.method(), Method::PATCH);
        check_type(request.headers(), is_merge_patch)?;
        let patch: serde_json::Map<String, Value> = read(&bytes(request, state).await?)?;
        Ok(Self(Value::Object(patch)))
    }
}

/// The whole body, unless it is longer than the router's limit.
pub async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let status = rejection.into_response().status();
        let detail = if status == Code::ContentTooLarge.status() {
            "the body is longer than this service accepts"
        } else {
            "the body could not be read to its end"
        };
        Problem::new(Code::of_status(status), detail)
    })
}

fn check_type(headers: &HeaderMap, accepted: fn(&str) -> bool) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str);
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match given {
        Some(Ok(text)) if accepted(&essence(text)) => Ok(()),
        Some(_) => Err(Problem::new(
            Code::UnsupportedMediaType,
            "the body's Content-Type is not accepted here; send JSON as application/json",
        )),
        None => {
            Err(Problem::new(Code::UnsupportedMediaType, "Content-Type is missing; send application/json"))
        }
    }
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn is_icalendar(essence: &str) -> bool {
    essence == "text/calendar"
}

/// Not any kind of JSON: a JSON *patch* (RFC 6902) means something else.
fn is_merge_patch(essence: &str) -> bool {
    essence == "application/json" || essence == "application/merge-patch+json"
}

/// Parses a body: strict JSON, an object, of the shape of `T`.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let refuse = |refused| match refused {
        Refused::Malformed(detail) => Problem::new(Code::MalformedJson, detail),
        Refused::Invalid(invalid) => invalid.into(),
    };
    // First, so that what is not JSON is called that wherever it breaks off.
    parse::from_slice::<Unambiguous>(body).map_err(refuse)?;
    // serde would take an array for a struct, field by field.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Invalid::one("", "invalid_type", "the body must be a JSON object").into());
    }
    parse::from_slice(body).map_err(refuse)
}

/// JSON that every reader reads alike: no object has a key twice, and no text holds U+0000, which
/// PostgreSQL cannot store.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Check { refused: None })
    }
}

/// Checks one value. What is wrong with its key is raised here too, where errors are located.
struct Check {
    refused: Option<&'static str>,
}

const TWICE: &str = "duplicate field";
const NUL: &str = "must not hold the character U+0000";

impl<'de> DeserializeSeed<'de> for Check {
    type Value = Unambiguous;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unambiguous, D::Error> {
        match self.refused {
            Some(message) => Err(D::Error::custom(message)),
            None => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Check {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Unambiguous, E> {
        if text.contains('\0') { Err(E::custom(NUL)) } else { Ok(Unambiguous) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unambiguous, A::Error> {
        while items.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Unambiguous, A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            let refused = if key.contains('\0') {
                Some(NUL)
            } else if seen.contains(&key) {
                Some(TWICE)
            } else {
                None
            };
            seen.insert(key);
            fields.next_value_seed(Check { refused })?;
        }
        Ok(Unambiguous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let problem = read::<Value>(text.as_bytes()).unwrap_err();
        format!("{} {}", problem.code.as_str(), problem.detail)
    }

    #[test]
    fn keys_given_twice_are_refused_where_they_are() {
        insta::assert_snapshot!(refusal(r#"{"a": [{"b": 1, "c": 2, "b": 1}]}"#), @"invalid_request /a/0/b: duplicate field");
    }

    #[test]
    fn nul_is_refused_where_it_is() {
        insta::assert_snapshot!(refusal(r#"{"a": ["x", "\u0000"]}"#), @"invalid_request /a/1: must not hold the character U+0000");
        assert!(refusal(r#"{"\u0000": 1}"#).contains("U+0000"));
    }

    #[test]
    fn a_body_is_an_object() {
        for text in ["[]", "0", "null", "\"x\"", " [{}]"] {
            assert!(refusal(text).ends_with("the body must be a JSON object"), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for text in ["", "{", "nul", "{} {}", "1e999", "\"\\ud800\"", &"[".repeat(100_000), "{\"a\":01}"] {
            assert!(refusal(text).starts_with("malformed_json "), "{text:.20}");
        }
    }

    #[test]
    fn only_json_types_are_accepted() {
        let check = |text: &'static str, accepted| {
            check_type(
                &HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]),
                accepted,
            )
            .is_ok()
        };
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(check(good, is_json) && check(good, is_merge_patch), "{good}");
        }
        assert!(!check("application/json-patch+json", is_merge_patch));
        for bad in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""] {
            assert!(!check(bad, is_json), "{bad}");
        }
    }
}
