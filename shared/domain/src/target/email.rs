//! E-mail as a target: who gets it, and what it says.

use std::fmt;
use std::str::FromStr;

use email_address::EmailAddress;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::MAX_BODY;
use crate::duration::shorten;
use crate::invalid::{Findings, Invalid};

/// An e-mail, sent through the mail server of the service's settings.
///
/// Every attempt carries the same `Message-ID`, so that a mailbox which gets it twice can tell. It goes to all
/// recipients or, where the server refuses one of them, to none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailTarget {
    /// Recipients: `ada@example.com` or `Ada <ada@example.com>`. At least one, and at most 50 together with `cc`
    /// and `bcc`.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 50, example = json!(["ada@example.com"]))]
    pub to: Vec<Mailbox>,
    /// Recipients of a copy.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 50)]
    pub cc: Vec<Mailbox>,
    /// Recipients of a copy whom the others do not see.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 50)]
    pub bcc: Vec<Mailbox>,
    /// The sender; where not given, the one of the service's settings (`SCHEDULER_SMTP_FROM`).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub from: Option<Mailbox>,
    /// Where answers go; where not given, to the sender.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub reply_to: Option<Mailbox>,
    /// One line, filled in like an HTTP body.
    #[schema(min_length = 1, max_length = 500, example = "Report of {{scheduled_for}}")]
    pub subject: String,
    /// The text, filled in like an HTTP body. This or `html` is required; with both, the reader's program chooses.
    #[serde(default)]
    pub text: Option<String>,
    /// The text as HTML, filled in like an HTTP body; what is filled in is escaped.
    #[serde(default)]
    pub html: Option<String>,
}

/// An address, and the name shown with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<String>,
    address: String,
}

impl Mailbox {
    /// The name shown with the address.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Mailbox {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const MAX: usize = 400;
        let text = text.trim();
        let refuse = || format!("“{}” is not an e-mail address", shorten(text));
        let (name, address) = match text.strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<').ok_or_else(refuse)?,
            None => ("", text),
        };
        let name = name.trim().trim_matches('"').trim();
        let (local, domain) = address.rsplit_once('@').ok_or_else(refuse)?;
        // Quoted forms may hold blanks and brackets, which end an address in the mail server's protocol. Nobody uses
        // them, so they are refused rather than escaped.
        let plain = !address.contains(|char: char| {
            char.is_control() || char.is_whitespace() || matches!(char, '<' | '>' | '"' | '\\')
        });
        let valid = plain
            && text.len() <= MAX
            && !name.contains(|char: char| char.is_control())
            && EmailAddress::is_valid_local_part(local)
            && EmailAddress::is_valid_domain(domain);
        if !valid {
            return Err(refuse());
        }
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Ok(Self { name, address: address.to_owned() })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

impl Serialize for Mailbox {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mailbox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl EmailTarget {
    /// Everybody who gets it.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        const MAX_RECIPIENTS: usize = 50;
        const MAX_SUBJECT: usize = 500;
        let mut findings = Findings::default();
        let recipients = self.recipients().count();
        findings.require((1..=MAX_RECIPIENTS).contains(&recipients), "/to", "out_of_range", || {
            format!("needs between 1 and {MAX_RECIPIENTS} recipients, together with cc and bcc")
        });
        let length = self.subject.chars().count();
        findings.require((1..=MAX_SUBJECT).contains(&length), "/subject", "out_of_range", || {
            format!("needs between 1 and {MAX_SUBJECT} characters")
        });
        findings.require(!self.subject.contains(char::is_control), "/subject", "invalid_value", || {
            "holds a control character, such as a line break".to_owned()
        });
        findings.require(self.text.is_some() || self.html.is_some(), "/text", "missing_field", || {
            "is missing; text or html is required".to_owned()
        });
        for (pointer, body) in [("/text", &self.text), ("/html", &self.html)] {
            let size = body.as_ref().map_or(0, String::len);
            findings
                .require(size <= MAX_BODY, pointer, "too_long", || format!("longer than {MAX_BODY} bytes"));
        }
        findings.finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mailbox(text: &str) -> Result<Mailbox, String> {
        text.parse()
    }

    #[test]
    fn addresses_with_and_without_a_name() {
        for (text, name, address) in [
            ("ada@example.com", None, "ada@example.com"),
            ("  ada@example.com ", None, "ada@example.com"),
            ("<ada@example.com>", None, "ada@example.com"),
            ("Ada <ada@example.com>", Some("Ada"), "ada@example.com"),
            ("\"Lovelace, Ada\" <ada@example.com>", Some("Lovelace, Ada"), "ada@example.com"),
            ("Ada <3 <ada@example.com>", Some("Ada <3"), "ada@example.com"),
            ("Zoë@home <z+cron.jobs@mail.example.co.uk>", Some("Zoë@home"), "z+cron.jobs@mail.example.co.uk"),
            ("root@localhost", None, "root@localhost"),
            ("bücher@müller.example", None, "bücher@müller.example"),
        ] {
            let parsed = mailbox(text).unwrap();
            assert_eq!((parsed.name(), parsed.address()), (name, address), "{text}");
            assert_eq!(mailbox(&parsed.to_string()).unwrap(), parsed, "{text}");
        }
        assert_eq!(mailbox("a@b.example").unwrap().domain(), "b.example");
    }

    #[test]
    fn what_is_no_address_or_could_end_one_early() {
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example..com",
            "ada@-example.com",
            "ada lovelace@example.com",
            "ada@example.com, bob@example.com",
            "ada@example.com>",
            "<ada@example.com",
            "<<ada@example.com>>",
            "ada@example.com\r\nBcc: bob@example.com",
            "ada@example.com\0",
            "Ada\r\nBcc: bob@example.com <ada@example.com>",
            "\"a b\"@example.com",
            "\"a\\\"><b\"@example.com",
            "ada@exa>mple.com",
        ] {
            assert!(mailbox(text).is_err(), "{text:?}");
        }
        assert!(mailbox(&format!("{}@example.com", "a".repeat(65))).is_err());
        assert!(mailbox(&format!("{} <ada@example.com>", "a".repeat(400))).is_err());
    }

    fn found(change: &serde_json::Value) -> Vec<(String, String)> {
        let mut target = json!({"type": "email", "to": ["a@example.com"], "subject": "s", "text": "t"});
        target.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let checked = crate::parse::from_value::<crate::Target>(target).and_then(|target| target.check());
        let errors = checked.err().map_or(Vec::new(), |invalid| invalid.0);
        errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let many = |count: usize| vec!["a@example.com"; count];
        for (change, expected) in [
            (json!({}), vec![]),
            (json!({"to": [], "bcc": ["a@example.com"]}), vec![]),
            (json!({"text": null, "html": "<p>"}), vec![]),
            (json!({"to": many(30), "cc": many(10), "bcc": many(10)}), vec![]),
            (json!({"to": []}), vec![("/to", "out_of_range")]),
            (json!({"to": many(30), "cc": many(10), "bcc": many(11)}), vec![("/to", "out_of_range")]),
            (json!({"to": ["a@example.com", "b"]}), vec![("/to/1", "invalid_value")]),
            (json!({"from": "me"}), vec![("/from", "invalid_value")]),
            (json!({"reply_to": 1}), vec![("/reply_to", "invalid_type")]),
            (json!({"subject": "a\r\nBcc: b@example.com"}), vec![("/subject", "invalid_value")]),
            (json!({"subject": ""}), vec![("/subject", "out_of_range")]),
            (json!({"text": null}), vec![("/text", "missing_field")]),
            (json!({"html": "x".repeat(MAX_BODY + 1)}), vec![("/html", "too_long")]),
            (json!({"attachments": []}), vec![("/attachments", "unknown_field")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).collect();
            assert_eq!(found(&change), expected, "{change}");
        }
    }
}
