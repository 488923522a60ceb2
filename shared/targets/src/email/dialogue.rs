//! The dialogue with the mail server, reply by reply.
//!
//! Lettre would hold it by itself, but it says good-bye before it tells that the message was accepted, and a server
//! that hangs there would have it sent once more. Nor does it tell which recipient was refused.

use std::error::Error as _;
use std::time::Duration;

use domain::Verdict;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::letter::Letter;
use super::server::{MailServer, Security};
use crate::http::failure::{find, tcp, tls};
use crate::kept::cut;

/// How long each address of the server is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a reply is kept.
const KEPT_REPLY: usize = 1024;

/// One conversation.
pub(super) struct Dialogue<'a> {
    server: &'a MailServer,
    /// The last thing the server said.
    pub(super) reply: Option<String>,
}

impl<'a> Dialogue<'a> {
    pub(super) fn new(server: &'a MailServer) -> Self {
        Self { server, reply: None }
    }

    /// Sends `letter` to all of its recipients, or to none.
    pub(super) async fn send(&mut self, letter: &Letter) -> Result<(), Verdict> {
        let mut connection = self.open(letter.from.domain()).await?;
        let mut parameters = Vec::new();
        if !letter.text.is_ascii() || !letter.recipients.iter().chain([&letter.from]).all(is_ascii) {
            let info = connection.server_info();
            if ![Extension::SmtpUtfEight, Extension::EightBitMime].iter().all(|it| info.supports_feature(*it))
            {
                return Err(Verdict::fatal(
                    "invalid_request",
                    "the mail server takes only addresses in ASCII (it lacks SMTPUTF8)",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let answer = connection.command(Mail::new(Some(letter.from.clone()), parameters)).await;
        self.hear(answer, &format!("the sender {}", letter.from))?;
        for recipient in &letter.recipients {
            let answer = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await;
            self.hear(answer, &format!("the recipient {recipient}"))?;
        }
        let answer = connection.command(Data).await;
        self.hear(answer, "the message")?;
        let answer = connection.message(&letter.text).await;
        self.hear(answer, "the message")?;
        part(connection);
        Ok(())
    }

    /// Connects, as `name`, encrypts and logs in.
    pub(super) async fn open(&mut self, name: &str) -> Result<AsyncSmtpConnection, Verdict> {
        let MailServer { host, port, security, credentials, tls } = self.server;
        let addresses: Vec<_> = match tokio::net::lookup_host((host.as_str(), *port)).await {
            Ok(addresses) => addresses.collect(),
            Err(_) => {
                return Err(Verdict::retryable(
                    "dns",
                    format!("the mail server's name {host} does not resolve"),
                ));
            }
        };
        let name = ClientId::Domain(name.to_owned());
        let implicit = (*security == Security::Implicit).then(|| tls.clone());
        let connected =
            AsyncSmtpConnection::connect_tokio1(&*addresses, Some(CONNECT_TIMEOUT), &name, implicit, None)
                .await;
        let mut connection = self.hear(connected, "the connection")?;
        let offered = connection.server_info().supports_feature(Extension::StartTls);
        match security {
            Security::Required if !offered => {
                return Err(Verdict::fatal(
                    "tls",
                    "the mail server offers no STARTTLS, so nothing was sent; \
                     SCHEDULER_SMTP_URL can say smtps:// or ?tls=none",
                ));
            }
            Security::Required | Security::Opportunistic if offered => {
                let encrypted = connection.starttls(tls.clone(), &name).await;
                self.hear(encrypted, "STARTTLS")?;
            }
            _ => (),
        }
        if let Some(credentials) = credentials {
            let answer = connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await;
            self.hear(answer, "the user name and password of SCHEDULER_SMTP_URL")?;
        }
        Ok(connection)
    }

    /// Remembers what was said about `subject`, and takes bad news for what it means.
    fn hear<T: Heard>(&mut self, answer: Result<T, Error>, subject: &str) -> Result<T, Verdict> {
        match answer {
            Ok(answer) => {
                self.reply = answer.words().or(self.reply.take());
                Ok(answer)
            }
            Err(error) => {
                let said = error.status().map(|code| {
                    let text = error.source().map(ToString::to_string).unwrap_or_default();
                    bounded(&format!("{code} {text}"))
                });
                let verdict = self.verdict(&error, said.as_deref(), subject);
                self.reply = said.or(self.reply.take());
                Err(verdict)
            }
        }
    }

    fn verdict(&self, error: &Error, said: Option<&str>, subject: &str) -> Verdict {
        let place = self.server.place();
        if let Some(said) = said {
            return if error.is_permanent() {
                Verdict::fatal("smtp_refused", format!("the mail server refused {subject}: {said}"))
            } else {
                Verdict::retryable("smtp_deferred", format!("the mail server puts off {subject}: {said}"))
            };
        }
        if let Some(error) = find::<rustls::Error>(error) {
            return Verdict::retryable("tls", format!("no secure connection to {place}: {}", tls(error)));
        }
        if error.is_client() {
            let text = error.source().map(ToString::to_string).unwrap_or_default();
            return Verdict::fatal(
                "invalid_request",
                format!("the mail server cannot be given {subject}: {text}"),
            );
        }
        if subject == "the connection" && !error.is_response() {
            let code = if error.is_timeout() { "timeout" } else { "connect" };
            return Verdict::retryable(code, format!("no connection to {place}: {}", tcp(error)));
        }
        Verdict::retryable(
            "protocol",
            format!(
                "the mail server closed the connection, or does not speak SMTP, when it was to hear {subject}"
            ),
        )
    }
}

/// Good news, which may be a reply.
trait Heard {
    fn words(&self) -> Option<String> {
        None
    }
}

impl Heard for () {}

impl Heard for AsyncSmtpConnection {}

impl Heard for Response {
    fn words(&self) -> Option<String> {
        let text: Vec<&str> = self.message().collect();
        Some(bounded(&format!("{} {}", self.code(), text.join(" "))))
    }
}

/// A reply as it is recorded.
fn bounded(reply: &str) -> String {
    cut(reply.trim_end().replace(char::is_control, " "), KEPT_REPLY)
}

fn is_ascii(address: &lettre::Address) -> bool {
    AsRef::<str>::as_ref(address).is_ascii()
}

/// Says good-bye; nobody waits for the answer.
pub(super) fn part(mut connection: AsyncSmtpConnection) {
    tokio::spawn(async move { tokio::time::timeout(CONNECT_TIMEOUT, connection.quit()).await.map(drop) });
}
