//! The letter: templates filled in, addressed, written out as MIME.

use std::borrow::Cow;
use std::time::SystemTime;

use domain::details::EmailRecord;
use domain::target::{EmailTarget, Mailbox};
use domain::{Instant, Verdict};
use engine::Call;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{MultiPart, SinglePart};
use lettre::{Address, Message};
use url::Host;

use crate::template::Values;

/// A letter, ready to be sent.
pub(super) struct Letter {
    pub(super) from: Address,
    pub(super) recipients: Vec<Address>,
    /// In ASCII throughout, unless an address is not.
    pub(super) text: Vec<u8>,
    pub(super) record: EmailRecord,
}

impl Letter {
    pub(super) fn write(
        call: &Call,
        target: &EmailTarget,
        from: &Mailbox,
        now: Instant,
    ) -> Result<Self, Verdict> {
        let values = Values::new(call);
        let subject = one_line(&values.fill(&target.subject));
        let sender = address(from)?;
        let message_id = format!("<{}@{}>", values.run_id, sender.domain());
        let recipients = target.recipients().map(address).collect::<Result<Vec<_>, _>>()?;

        let envelope = Envelope::new(Some(sender.clone()), recipients.clone()).map_err(invalid)?;
        let mut message = Message::builder()
            .envelope(envelope)
            .date(SystemTime::from(now))
            .message_id(Some(message_id.clone()))
            .subject(subject.clone())
            .from(shown(from)?);
        for reader in &target.to {
            message = message.to(shown(reader)?);
        }
        for reader in &target.cc {
            message = message.cc(shown(reader)?);
        }
        if let Some(reader) = &target.reply_to {
            message = message.reply_to(shown(reader)?);
        }
        // Nobody is on holiday for a program (RFC 3834).
        for (name, value) in [
            (HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"),
            (HeaderName::new_from_ascii_str("X-Scheduler-Job-Id"), &call.job_id.to_string()),
            (HeaderName::new_from_ascii_str("X-Scheduler-Job-Name"), &one_line(&call.job_name)),
            (HeaderName::new_from_ascii_str("X-Scheduler-Run-Id"), &values.run_id),
            (HeaderName::new_from_ascii_str("X-Scheduler-Attempt"), &values.attempt),
            (HeaderName::new_from_ascii_str("X-Scheduler-Scheduled-For"), &values.scheduled_for),
        ] {
            message = message.raw_header(HeaderValue::new(name, value.to_owned()));
        }
        let text = target.text.as_ref().map(|text| SinglePart::plain(lines(&values.fill(text))));
        let html =
            target.html.as_ref().map(|html| SinglePart::html(lines(&values.fill_encoded(html, escape))));
        let message = match (text, html) {
            (Some(text), Some(html)) => {
                message.multipart(MultiPart::alternative().singlepart(text).singlepart(html))
            }
            (Some(part), None) | (None, Some(part)) => message.singlepart(part),
            (None, None) => return Err(invalid("it has neither text nor html")),
        }
        .map_err(invalid)?;
        Ok(Self {
            record: EmailRecord {
                from: from.address().to_owned(),
                recipients: target.recipients().map(|reader| reader.address().to_owned()).collect(),
                subject,
                message_id,
                reply: None,
            },
            from: sender,
            recipients,
            text: message.formatted(),
        })
    }
}

/// An address as mail servers know it: a domain of other scripts in its ASCII form.
fn address(mailbox: &Mailbox) -> Result<Address, Verdict> {
    let address = mailbox.address();
    let ascii = address.rsplit_once('@').and_then(|(local, domain)| match Host::parse(domain) {
        Ok(Host::Domain(domain)) => Some(format!("{local}@{domain}")),
        _ => None,
    });
    ascii.as_deref().unwrap_or(address).parse().map_err(invalid)
}

fn shown(mailbox: &Mailbox) -> Result<lettre::message::Mailbox, Verdict> {
    Ok(lettre::message::Mailbox::new(mailbox.name().map(str::to_owned), address(mailbox)?))
}

/// What is filled into a header must not end it.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Line breaks of one kind only: servers disagree on what a lone CR means, and mail has been smuggled that way.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// What stands for itself in HTML, in text and in attributes alike.
fn escape(value: &str) -> Cow<'_, str> {
    if !value.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(value);
    }
    let escaped = value.chars().fold(String::with_capacity(value.len() + 16), |mut escaped, char| {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char => escaped.push(char),
        }
        escaped
    });
    Cow::Owned(escaped)
}

fn invalid(problem: impl std::fmt::Display) -> Verdict {
    Verdict::fatal("invalid_request", format!("the e-mail cannot be sent as it is: {problem}"))
}
