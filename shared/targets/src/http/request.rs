//! The request: templates filled in, the service's own headers added, and the record of it.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::Bytes;
use domain::run::RequestRecord;
use domain::target::HttpTarget;
use domain::{Instant, Verdict};
use engine::Call;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::Full;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::http::Http;
use crate::http::answer::record_headers;
use crate::kept::text;
use crate::mask::mask_url;
use crate::template::Values;

/// All but the unreserved characters of RFC 3986: a value can end neither path, parameter nor host.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a header value cannot hold; `%` too, so that it can be decoded.
const IN_HEADER: &AsciiSet = &CONTROLS.add(b'%');

/// Headers that say where a request ends and who it is for. `domain` refuses them in a job; were one to get here
/// all the same, it could smuggle a second request to the target.
const FRAMING: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade"];

impl Http {
    /// What will be sent, and its record.
    pub(super) fn prepare(
        &self,
        call: &Call,
        target: &HttpTarget,
    ) -> Result<(Request<Full<Bytes>>, RequestRecord), Verdict> {
        let now = self.clock.now();
        let values = Values::new(call);
        let method = method(&target.method)?;
        let url = url(&target.url, &values)?;
        let (body, content_type) = body(target.body.as_ref(), &values);
        let mut headers = HeaderMap::with_capacity(target.headers.len() + 14);
        for (name, value) in &target.headers {
            let (name, value) = user_header(name, value, &values)?;
            headers.append(name, value);
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if let Some(content_type) = content_type {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        if body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            // Hyper leaves it out, and there are servers that answer 411 then.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        headers.insert(USER_AGENT, self.user_agent.clone());
        self.add_own_headers(&mut headers, call, &values, &body, now)?;

        let (text, body_truncated) = text(&body, false);
        let record = RequestRecord {
            method: target.method.clone(),
            url: mask_url(url.as_str()).into_owned(),
            headers: record_headers(&headers),
            body: text,
            body_truncated,
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() =
            Uri::try_from(url.as_str()).map_err(|_| invalid("the URL cannot be sent as it is"))?;
        *request.headers_mut() = headers;
        Ok((request, record))
    }

    fn add_own_headers(
        &self,
        headers: &mut HeaderMap,
        call: &Call,
        values: &Values<'_>,
        body: &Bytes,
        now: Instant,
    ) -> Result<(), Verdict> {
        let mut add = |name: &'static str, value: String| {
            let value = HeaderValue::try_from(value)
                .map_err(|_| invalid("a header value cannot be sent as it is"))?;
            headers.insert(HeaderName::from_static(name), value);
            Ok(())
        };
        let timestamp = now.timestamp();
        if !self.secrets.is_empty() {
            add("webhook-signature", self.secrets.sign(&values.run_id, timestamp, body))?;
        }
        add("webhook-id", values.run_id.clone())?;
        add("webhook-timestamp", timestamp.to_string())?;
        add("idempotency-key", values.run_id.clone())?;
        add("x-scheduler-job-id", call.job_id.to_string())?;
        add("x-scheduler-job-name", in_header(&call.job_name).into_owned())?;
        add("x-scheduler-run-id", values.run_id.clone())?;
        add("x-scheduler-attempt", values.attempt.clone())?;
        add("x-scheduler-scheduled-for", values.scheduled_for.clone())?;
        if let Some(token) = &call.token {
            add("x-scheduler-token", token.reveal().to_owned())?;
            if let Some(runs) = &self.runs_url {
                add("x-scheduler-callback-url", format!("{runs}{}", values.run_id))?;
            }
        }
        add("traceparent", self.traceparent())
    }

    /// A new trace for each attempt. Zero ids are not allowed.
    fn traceparent(&self) -> String {
        let (trace, span) = (self.entropy.random().max(1), (self.entropy.random() >> 64).max(1));
        let mut text = String::with_capacity(55);
        // Writing to a string cannot fail.
        let _ = write!(text, "00-{trace:032x}-{span:016x}-01");
        text
    }
}

fn method(text: &str) -> Result<Method, Verdict> {
    match Method::from_bytes(text.as_bytes()) {
        // It asks for a tunnel, not for work to be done.
        Ok(Method::CONNECT) => Err(invalid("CONNECT is not a method for jobs")),
        Ok(method) => Ok(method),
        Err(_) => Err(invalid("the method is not an HTTP method")),
    }
}

/// The URL, filled in. Placeholders may stand in path and query only: they never decide who is called.
fn url(template: &str, values: &Values<'_>) -> Result<Url, Verdict> {
    let parse = |text: &str| Url::parse(text).map_err(|_| invalid("the URL is not valid"));
    let filled = values.fill_encoded(template, |value| utf8_percent_encode(value, IN_URL).into());
    let mut url = parse(&filled)?;
    if let Cow::Owned(_) = filled {
        let raw = parse(template)?;
        if raw.scheme() != url.scheme() || raw.host() != url.host() || raw.port() != url.port() {
            return Err(invalid("placeholders may stand in the URL's path and query only"));
        }
    }
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(invalid("the URL's scheme is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("the URL holds a user name or password; send an Authorization header instead"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The body's bytes and their type: a string as it is, anything else as JSON.
fn body(template: Option<&Value>, values: &Values<'_>) -> (Bytes, Option<&'static str>) {
    match template {
        None => (Bytes::new(), None),
        Some(Value::String(text)) => {
            (values.fill(text).into_owned().into(), Some("text/plain; charset=utf-8"))
        }
        Some(value) => {
            let plain = value.to_string();
            let json = if plain.contains("{{") { values.fill_json(value).to_string() } else { plain };
            (json.into(), Some("application/json"))
        }
    }
}

fn user_header(name: &str, value: &str, values: &Values<'_>) -> Result<(HeaderName, HeaderValue), Verdict> {
    let refuse = |problem: &str| invalid(format!("the header “{}” {problem}", name.escape_debug()));
    let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(refuse("has an invalid name"));
    };
    if FRAMING.contains(&parsed.as_str()) || parsed.as_str().starts_with("webhook-") {
        return Err(refuse("is set by the service itself"));
    }
    let value = values.fill_encoded(value, in_header);
    match HeaderValue::from_bytes(value.as_bytes()) {
        Ok(value) => Ok((parsed, value)),
        Err(_) => Err(refuse("has a value with control characters")),
    }
}

/// `value` in plain ASCII: percent-encoded where it is not.
fn in_header(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, IN_HEADER).into()
}

fn invalid(problem: impl Into<String>) -> Verdict {
    Verdict::fatal("invalid_request", problem)
}
