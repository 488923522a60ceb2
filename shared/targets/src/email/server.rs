//! Which mail server there is, and how to speak with it: `SCHEDULER_SMTP_URL`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use percent_encoding::percent_decode_str;
use url::Url;

/// A mail server: `smtp://user:password@host:587`, or `smtps://…` where TLS comes before SMTP.
///
/// `smtp://` insists on STARTTLS unless `?tls=` says otherwise. `?ca=` names a file of certificates (PEM) to trust
/// beside the system's.
#[derive(Clone)]
pub struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: TlsParameters,
}

/// What keeps others from reading along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing: for a mail server on the same machine.
    None,
    /// STARTTLS where the server offers it. Whoever can change what is sent can take the offer away.
    Opportunistic,
    /// STARTTLS, or no mail is sent.
    Required,
    /// TLS from the first byte.
    Implicit,
}

/// Why a text names no mail server. Never quotes it: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MailServerError(Cow<'static, str>);

impl MailServer {
    /// What keeps others from reading along.
    pub fn security(&self) -> Security {
        self.security
    }

    /// Whether it is given a user name and a password.
    pub fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// Host and port.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Says where, and how well it is kept from others; no user name, no password.
impl fmt::Display for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.security {
            Security::None => "not encrypted",
            Security::Opportunistic => "encrypted if the server offers it",
            Security::Required => "STARTTLS",
            Security::Implicit => "TLS",
        };
        write!(f, "{} ({how})", self.place())
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailServer({self})")
    }
}

impl FromStr for MailServer {
    type Err = MailServerError;

    fn from_str(text: &str) -> Result<Self, MailServerError> {
        const FORM: &str =
            "expected smtp://USER:PASSWORD@HOST:PORT or smtps://…, with special characters percent-encoded";
        let refuse = |problem: &'static str| MailServerError(problem.into());
        let url = Url::parse(text).map_err(|_| refuse(FORM))?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(refuse(FORM)),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refuse(FORM))?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(refuse(FORM));
        }
        let mut security = if implicit { Security::Implicit } else { Security::Required };
        let mut authorities = Vec::new();
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", _) if implicit => {
                    return Err(refuse("smtps:// is TLS from the first byte; leave tls= out"));
                }
                ("tls", "none") => security = Security::None,
                ("tls", "opportunistic") => security = Security::Opportunistic,
                ("tls", "required") => security = Security::Required,
                ("tls", _) => return Err(refuse("tls= is not one of none, opportunistic, required")),
                ("ca", path) => authorities.push(certificates(path)?),
                _ => return Err(refuse("the parameters there are: tls=, ca=")),
            }
        }
        let port = url.port().unwrap_or(match security {
            Security::Implicit => 465,
            Security::None => 25,
            Security::Opportunistic | Security::Required => 587,
        });
        let decode =
            |text| percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| refuse(FORM));
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) => return Err(refuse("there is a password, but no user name")),
            (_, None) => return Err(refuse("there is a user name, but no password")),
            (user, Some(password)) => Some(Credentials::new(decode(user)?, decode(password)?)),
        };
        let host = percent_decode_str(host.trim_matches(['[', ']'])).decode_utf8_lossy().into_owned();
        let tls = tls(&host, authorities)?;
        Ok(Self { host, port, security, credentials, tls })
    }
}

fn certificates(path: &str) -> Result<Certificate, MailServerError> {
    let unreadable = |error: &dyn fmt::Display| MailServerError(format!("ca={path}: {error}").into());
    let pem = std::fs::read(path).map_err(|error| unreadable(&error))?;
    Certificate::from_pem(&pem).map_err(|_| unreadable(&"holds no certificates in PEM form"))
}

/// Trusts the operating system's certificates, or Mozilla's where there are none, and `authorities`.
fn tls(host: &str, authorities: Vec<Certificate>) -> Result<TlsParameters, MailServerError> {
    let store = if rustls_native_certs::load_native_certs().certs.is_empty() {
        CertificateStore::WebpkiRoots
    } else {
        CertificateStore::Default
    };
    let builder = TlsParameters::builder(host.to_owned()).certificate_store(store);
    authorities
        .into_iter()
        .fold(builder, lettre::transport::smtp::client::TlsParametersBuilder::add_root_certificate)
        .build()
        .map_err(|error| MailServerError(format!("TLS cannot be set up: {error}").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> MailServer {
        text.parse().unwrap()
    }

    #[test]
    fn urls_mean_what_people_expect() {
        for (url, shown) in [
            ("smtp://mail.example.com", "mail.example.com:587 (STARTTLS)"),
            ("smtp://mail.example.com/", "mail.example.com:587 (STARTTLS)"),
            ("smtp://mail.example.com:2525?tls=required", "mail.example.com:2525 (STARTTLS)"),
            (
                "smtp://mail.example.com?tls=opportunistic",
                "mail.example.com:587 (encrypted if the server offers it)",
            ),
            ("smtp://localhost?tls=none", "localhost:25 (not encrypted)"),
            ("smtps://mail.example.com", "mail.example.com:465 (TLS)"),
            ("smtps://u:p@[::1]:4650", "::1:4650 (TLS)"),
        ] {
            assert_eq!(server(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let server = server("smtp://us%40er:p%3Aa%2Fss@mail.example.com");
        assert_eq!(server.credentials, Some(Credentials::new("us@er".to_owned(), "p:a/ss".to_owned())));
        let shown = format!("{server} {server:?} {server:#?}");
        assert!(!shown.contains("us@er") && !shown.contains("ss"), "{shown}");
    }

    #[test]
    fn errors_never_quote_the_password() {
        for url in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://u:s3cr/et@mail.example.com",
            "smtp://u:s3cr#et@mail.example.com",
            "smtp://u@mail.example.com",
            "smtp://:s3cret@mail.example.com",
            "smtp://u:s3cret@mail.example.com/path",
            "smtp://u:s3cret@mail.example.com?tls=maybe",
            "smtp://u:s3cret@mail.example.com?timeout=3",
            "smtps://u:s3cret@mail.example.com?tls=none",
            "smtp://u:s3cret@mail.example.com?ca=/nowhere/ca.pem",
        ] {
            let error = url.parse::<MailServer>().unwrap_err().to_string();
            assert!(!error.contains("s3cr") && !error.is_empty(), "{url}: {error}");
        }
    }
}
