//! The target's answer: how much of it is read, what it means, what is recorded of it.

use std::collections::BTreeMap;

use domain::run::{AttemptError, ResponseRecord};
use domain::target::HttpTarget;
use domain::{HumanDuration, Instant, Verdict};
use engine::RunToken;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use http::response::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::kept::{KEPT, cut, text};
use crate::mask::{self, MASKED};

/// How much of a body is read, to leave the connection fit for another call; beyond that it is dropped.
const READ: usize = 1024 * 1024;

/// How much of one header value is kept.
const KEPT_HEADER: usize = 1024;

/// Longer waits mean nothing here, and must not overflow.
const MAX_RETRY_AFTER: HumanDuration = HumanDuration::from_secs(366 * 86_400);

/// As much of an answer as has arrived.
pub(super) struct Answer {
    head: Parts,
    kept: Vec<u8>,
    truncated: bool,
}

impl Answer {
    pub(super) fn new(head: Parts) -> Self {
        Self { head, kept: Vec::new(), truncated: false }
    }

    /// Reads `body`, or as much as is wanted. False where it broke off.
    pub(super) async fn read(&mut self, mut body: Incoming) -> bool {
        let mut seen = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            let Some(data) = frame.data_ref() else { continue };
            let room = KEPT - self.kept.len();
            self.kept.extend_from_slice(&data[..data.len().min(room)]);
            self.truncated |= room < data.len();
            seen += data.len();
            if READ < seen {
                return true;
            }
        }
        true
    }

    /// What the answer means for a job with this target. `now` is when it arrived.
    pub(super) fn verdict(&self, target: &HttpTarget, now: Instant) -> Verdict {
        let status = self.head.status;
        let code = status.as_u16();
        if target.callback && status == StatusCode::ACCEPTED {
            return Verdict::Accepted;
        }
        let success = &target.success;
        if success.iter().any(|range| range.contains(code)) {
            return Verdict::Succeeded;
        }
        let answered = match status.canonical_reason() {
            Some(reason) => format!("the target answered {code} {reason}"),
            None => format!("the target answered {code}"),
        };
        match code {
            300..=399 => Verdict::fatal("redirect", format!("{answered}{}", self.redirect())),
            410 => Verdict::fatal("gone", answered),
            408 | 425 | 429 | 500.. => Verdict::Failed {
                error: AttemptError { code: "http_status".to_owned(), message: answered },
                retryable: true,
                retry_after: self
                    .head
                    .headers
                    .get(RETRY_AFTER)
                    .and_then(|it| retry_after(it.to_str().ok()?, now)),
            },
            400..=499 => Verdict::fatal("http_status", answered),
            _ => {
                Verdict::fatal("http_status", format!("{answered}, which this job does not count as success"))
            }
        }
    }

    fn redirect(&self) -> String {
        match self.head.headers.get(LOCATION) {
            Some(location) => {
                let location = String::from_utf8_lossy(location.as_bytes());
                let location = cut(mask::mask_url(&location).into_owned(), KEPT_HEADER);
                format!(" and points to {location}; redirects are not followed")
            }
            None => "; redirects are not followed".to_owned(),
        }
    }

    /// The record of it. A target may send the token it was given back; that stays out.
    pub(super) fn into_record(self, token: Option<&RunToken>) -> ResponseRecord {
        let (body, body_truncated) = text(&self.kept, self.truncated);
        let hide = |text: String| token.map_or_else(|| text.clone(), |token| token.hide(&text).into_owned());
        let headers = record_headers(&self.head.headers);
        ResponseRecord {
            status: self.head.status.as_u16(),
            headers: headers.into_iter().map(|(name, value)| (name, hide(value))).collect(),
            body: body.map(hide),
            body_truncated,
        }
    }
}

/// Headers as they are recorded: secrets masked, repeated ones joined.
pub(super) fn record_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers.keys().map(|name| (name.as_str().to_owned(), record_header(headers, name))).collect()
}

fn record_header(headers: &HeaderMap, name: &HeaderName) -> String {
    if mask::is_secret_header(name.as_str()) {
        return MASKED.to_owned();
    }
    let mut joined = String::new();
    for value in headers.get_all(name) {
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
    if name == LOCATION {
        joined = mask::mask_url(&joined).into_owned();
    }
    cut(joined, KEPT_HEADER)
}

/// Reads seconds or an HTTP date.
fn retry_after(text: &str, now: Instant) -> Option<HumanDuration> {
    let text = text.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(MAX_RETRY_AFTER, |secs: u32| HumanDuration::from_secs(secs.into()))
    } else {
        let at = Instant::from(httpdate::parse_http_date(text).ok()?);
        HumanDuration::from_millis(u64::try_from((at - now).num_milliseconds()).unwrap_or(0))
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_all_its_forms() {
        let now = "2026-11-24T01:00:00.250Z".parse().unwrap();
        for (text, expected) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 120 ", Some(120_000)),
            ("99999999999999999999999", Some(MAX_RETRY_AFTER.as_millis())),
            ("4294967295", Some(MAX_RETRY_AFTER.as_millis())),
            ("Tue, 24 Nov 2026 01:00:30 GMT", Some(29_750)),
            ("Tuesday, 24-Nov-26 01:00:30 GMT", Some(29_750)),
            ("Tue Nov 24 01:00:30 2026", Some(29_750)),
            ("Tue, 24 Nov 2026 00:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(MAX_RETRY_AFTER.as_millis())),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            ("2026-11-24T01:00:30Z", None),
        ] {
            assert_eq!(retry_after(text, now), expected.map(HumanDuration::from_millis), "{text}");
        }
    }
}
