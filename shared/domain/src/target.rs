//! What a job calls.

mod command;
mod email;
mod payload;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use url::Url;

pub use self::command::CommandTarget;
pub use self::email::{EmailTarget, Mailbox};
use crate::HumanDuration;
use crate::duration::shorten;
use crate::invalid::{Findings, Invalid};
use crate::parse;
use crate::policy::DAY;

/// What a job calls.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Target {
    /// An HTTP request.
    Http(HttpTarget),
    /// An e-mail.
    Email(EmailTarget),
    /// A program on the service's own machine.
    Command(CommandTarget),
    /// A line in the service's own log.
    Log(LogTarget),
    /// Nothing; succeeds at once. For trying schedules out and for measuring the service itself.
    Noop(NoopTarget),
}

/// An HTTP request. Redirects are not followed: a 3xx answer is a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpTarget {
    /// Any method; `POST` where not given.
    #[serde(default = "post")]
    #[schema(default = "POST")]
    pub method: String,
    /// `http` or `https`, without user name and password.
    #[schema(example = "https://example.com/report")]
    pub url: String,
    /// Sent with the request, apart from those the service sets itself (`webhook-*`, `x-scheduler-*`, `host`, …).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A string is sent as it is, any other value as JSON.
    /// `{{run.id}}`, `{{scheduled_for}}`, `{{attempt}}` and `{{job.name}}` in strings are filled in.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub body: Option<Value>,
    /// Status codes that mean success: `200`, `2xx`, `200-204`.
    #[serde(default = "any_2xx")]
    #[schema(value_type = Vec<String>, example = json!(["2xx"]))]
    pub success: Vec<StatusRange>,
    /// Whether the target may answer 202 and go on working: it then reports to `/runs/{id}/heartbeat`, `/log` and
    /// `/complete`, with the token that the call brings in `X-Scheduler-Token`. The call itself must be answered within a
    /// minute; the job's `timeout`, up to 7 days here, is for all of the work.
    #[serde(default)]
    pub callback: bool,
    /// How often a target that has taken the work must be heard of; where not given, only at the end. One that is not
    /// counts as abandoned.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "5m")]
    pub heartbeat: Option<HumanDuration>,
}

/// A line in the service's own log, at level `info`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogTarget {
    /// The text, filled in like an HTTP body.
    pub message: String,
}

/// Nothing to configure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoopTarget {}

/// An inclusive range of HTTP status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    first: u16,
    last: u16,
}

impl StatusRange {
    /// Whether `status` lies in the range.
    pub fn contains(self, status: u16) -> bool {
        self.first <= status && status <= self.last
    }
}

impl FromStr for StatusRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let code = |text: &str| text.parse().ok().filter(|code| text.len() == 3 && (100..600).contains(code));
        let range = match text.split_once('-') {
            Some((first, last)) => code(first).zip(code(last)).filter(|(first, last)| first <= last),
            None => match text.strip_suffix("xx") {
                Some(class) => code(&format!("{class}00")).map(|first| (first, first + 99)),
                None => code(text).map(|code| (code, code)),
            },
        };
        range
            .map(|(first, last)| Self { first, last })
            .ok_or_else(|| format!("“{}” is not a status; write 200, 2xx or 200-204", shorten(text)))
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) if first % 100 == 0 && last == first + 99 => write!(f, "{}xx", first / 100),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

impl Serialize for StatusRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (tag, fields) = parse::tagged(deserializer, &["http", "email", "command", "log", "noop"])?;
        match tag.as_str() {
            "http" => parse::nested(fields).map(Self::Http),
            "email" => parse::nested(fields).map(Self::Email),
            "command" => parse::nested(fields).map(Self::Command),
            "log" => parse::nested(fields).map(Self::Log),
            _ => parse::nested(fields).map(Self::Noop),
        }
    }
}

fn post() -> String {
    "POST".to_owned()
}

fn any_2xx() -> Vec<StatusRange> {
    vec![StatusRange { first: 200, last: 299 }]
}

/// How long a target may take to take the work.
const ANSWER: HumanDuration = HumanDuration::from_secs(60);
const WEEK: HumanDuration = HumanDuration::from_secs(7 * 86_400);

const MAX_URL: usize = 2_048;
const MAX_HEADERS: usize = 50;
const MAX_HEADER_VALUE: usize = 8_192;
const MAX_BODY: usize = 256 * 1024;
const MAX_MESSAGE: usize = 8_192;

/// Headers the service or the HTTP client sets; a user's value would forge or break the request.
const RESERVED: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
    "proxy-connection",
    "idempotency-key",
    "user-agent",
    "traceparent",
];

/// Whether a user may set the header `name` (lower case).
fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("webhook-") || name.starts_with("x-scheduler-")
}

/// Whether `text` is a token of RFC 9110: what a method or a header name consists of.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

impl Target {
    /// The host it calls, with its port where one is written; `None` where it calls none. All e-mail goes to the one
    /// mail server there is, whose name is not the job's to know.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Http(http) => http.url.split_once("://")?.1.split(['/', '?', '#']).next(),
            // No host has such a name, so this one is not mistaken for another's.
            Self::Email(_) => Some("@mail"),
            Self::Command(_) | Self::Log(_) | Self::Noop(_) => None,
        }
    }

    /// Whether it may take the work and report the end later.
    pub fn reports(&self) -> bool {
        matches!(self, Self::Http(http) if http.callback)
    }

    /// How often it must be heard of while it works.
    pub fn heartbeat(&self) -> Option<HumanDuration> {
        match self {
            Self::Http(http) if http.callback => http.heartbeat,
            _ => None,
        }
    }

    /// How long one attempt may take at most.
    pub fn longest_timeout(&self) -> HumanDuration {
        if self.reports() { WEEK } else { DAY }
    }

    /// How long the call of an attempt may take that may take `timeout` in all.
    pub fn answer_within(&self, timeout: HumanDuration) -> HumanDuration {
        if self.reports() { timeout.min(ANSWER) } else { timeout }
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Http(http) => http.check(),
            Self::Email(email) => email.check(),
            Self::Command(command) => command.check(),
            Self::Log(log) => {
                let mut findings = Findings::default();
                findings.require(log.message.len() <= MAX_MESSAGE, "/message", "too_long", || {
                    format!("longer than {MAX_MESSAGE} bytes")
                });
                findings.finish()
            }
            Self::Noop(NoopTarget {}) => Ok(()),
        }
    }
}

impl HttpTarget {
    fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        findings.require(
            is_token(&self.method) && self.method.len() <= 32,
            "/method",
            "invalid_value",
            || format!("“{}” is not an HTTP method", shorten(&self.method)),
        );
        findings.nest("/url", check_url(&self.url));
        findings.nest("/headers", check_headers(&self.headers));
        let body_size = self.body.as_ref().map_or(0, |body| body.to_string().len());
        findings
            .require(body_size <= MAX_BODY, "/body", "too_long", || format!("longer than {MAX_BODY} bytes"));
        findings.require((1..=20).contains(&self.success.len()), "/success", "out_of_range", || {
            "needs between 1 and 20 entries; leave it out for any 2xx".to_owned()
        });
        if let Some(heartbeat) = self.heartbeat {
            let (least, most) = (HumanDuration::from_secs(5), DAY);
            findings.require((least..=most).contains(&heartbeat), "/heartbeat", "out_of_range", || {
                format!("{heartbeat} is outside {least}–{most}")
            });
            findings.require(self.callback, "/heartbeat", "invalid_value", || {
                "is for targets with callback: true".to_owned()
            });
        }
        findings.finish()
    }
}

fn check_url(text: &str) -> Result<(), Invalid> {
    let refuse = |code, detail: &str| Err(Invalid::one("", code, detail));
    if text.len() > MAX_URL {
        return refuse("too_long", &format!("longer than {MAX_URL} bytes"));
    }
    let Ok(url) = Url::parse(text) else {
        return refuse("invalid_value", "is not a URL; write https://host/path");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(
            "invalid_value",
            &format!("scheme “{}” is neither http nor https", shorten(url.scheme())),
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "invalid_value",
            "must not hold a user name or password; send an Authorization header instead",
        );
    }
    Ok(())
}

fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), Invalid> {
    let mut findings = Findings::default();
    findings
        .require(headers.len() <= MAX_HEADERS, "", "too_long", || format!("more than {MAX_HEADERS} headers"));
    for (name, value) in headers.iter().take(MAX_HEADERS) {
        let pointer = format!("/{}", shorten(name).replace('~', "~0").replace('/', "~1"));
        findings.require(is_token(name), &pointer, "invalid_value", || "is not a header name".to_owned());
        findings.require(!is_reserved(&name.to_ascii_lowercase()), &pointer, "reserved", || {
            "is set by the service itself".to_owned()
        });
        let plain =
            value.len() <= MAX_HEADER_VALUE && !value.chars().any(|char| char.is_control() && char != '\t');
        findings.require(plain, &pointer, "invalid_value", || {
            format!("holds a control character or is longer than {MAX_HEADER_VALUE} bytes")
        });
    }
    findings.finish()
}
