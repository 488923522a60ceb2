//! What went wrong before an answer arrived, in words a user can act on.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter::successors;

use domain::Verdict;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy;
use rustls::CertificateError;

use crate::http::connect::{CONNECT_TIMEOUT, ConnectError, MAX_HEAD};

/// The verdict on a request to `uri` that brought no answer.
///
/// Says nothing of the addresses a name resolves to: a user who may create jobs need not be told what our
/// network looks like from inside.
pub(super) fn of_request(error: &legacy::Error, uri: &Uri) -> Verdict {
    let host = uri.host().unwrap_or_default();
    if let Some(error) = find::<ConnectError>(error) {
        return match error {
            ConnectError::Forbidden => Verdict::fatal(
                "target_forbidden",
                format!(
                    "“{host}” leads to an address that is not public; \
                     an operator can allow it with SCHEDULER_ALLOW_TARGETS"
                ),
            ),
            ConnectError::Unresolved(_) => {
                Verdict::retryable("dns", format!("the host name “{host}” does not resolve"))
            }
            ConnectError::TimedOut => Verdict::retryable(
                "timeout",
                format!("no connection to {} within {}s", authority(uri), CONNECT_TIMEOUT.as_secs()),
            ),
        };
    }
    if let Some(error) = find::<rustls::Error>(error) {
        return Verdict::retryable(
            "tls",
            format!("no secure connection to {}: {}", authority(uri), tls(error)),
        );
    }
    if error.is_connect() {
        return Verdict::retryable("connect", format!("no connection to {}: {}", authority(uri), tcp(error)));
    }
    Verdict::retryable("protocol", protocol(error))
}

/// Host and port, where the port is not written too.
fn authority(uri: &Uri) -> String {
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(default))
}

/// Why there is no TCP connection.
pub(crate) fn tcp(error: &(dyn Error + 'static)) -> &'static str {
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => "it was refused; is the target running?",
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted) => "it was reset",
        Some(ErrorKind::HostUnreachable) => "the host is unreachable",
        Some(ErrorKind::NetworkUnreachable) => "the network is unreachable",
        Some(ErrorKind::TimedOut) => "the host does not answer",
        Some(ErrorKind::UnexpectedEof) => "it was closed at once",
        _ => "it could not be established",
    }
}

/// Why there is no TLS connection.
pub(crate) fn tls(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            CertificateError::UnknownIssuer => "its certificate was not issued by an authority known here",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::Revoked => "its certificate was revoked",
            _ => "its certificate is not valid",
        },
        rustls::Error::InvalidMessage(_) => "it does not speak TLS",
        rustls::Error::AlertReceived(_) => "it refused the TLS handshake",
        rustls::Error::PeerIncompatible(_) => "it speaks no TLS version or cipher known here",
        _ => "the TLS handshake failed",
    }
}

fn protocol(error: &legacy::Error) -> String {
    match find::<hyper::Error>(error) {
        Some(error) if error.is_parse() => format!(
            "the target's answer is not valid HTTP, or has more than {} KiB or 100 lines of headers",
            MAX_HEAD / 1024
        ),
        Some(error) if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => {
            "the target closed the connection without an answer".to_owned()
        }
        _ => "the connection broke before the target answered".to_owned(),
    }
}

/// The first cause of `error` that is an `E`.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    successors(Some(error), |error| next(*error)).find_map(|error| error.downcast_ref())
}

/// An I/O error that wraps another error names that one's cause as its own, hiding it.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
