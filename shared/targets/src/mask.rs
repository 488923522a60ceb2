//! Keeps secrets out of run records.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What stands in a record in place of a secret.
pub(crate) const MASKED: &str = "***";

/// Words that mark the name of a header or a URL parameter as holding a secret.
const TELLTALE: [&str; 6] = ["secret", "token", "key", "password", "passwd", "signature"];

/// Headers that hold secrets without saying so in their names.
const HEADERS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-auth"];

/// URL parameters of that kind. `sig` is Azure's.
const PARAMETERS: [&str; 3] = ["sig", "auth", "authorization"];

/// Whether the value of the header `name` (lower case) stays out of records.
pub(crate) fn is_secret_header(name: &str) -> bool {
    // The idempotency key is the run's id: nothing to hide, and worth comparing with the target's log.
    name != "idempotency-key" && (HEADERS.contains(&name) || is_telltale(name))
}

/// `url`, or a part of one, without the values of parameters that look like secrets.
pub(crate) fn mask_url(url: &str) -> Cow<'_, str> {
    let Some((before, query)) = url.split_once('?') else {
        return Cow::Borrowed(url);
    };
    let is_secret = |parameter: &str| {
        let name = parameter.split_once('=').map_or("", |(name, _)| name);
        let name = percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
        PARAMETERS.contains(&name.as_str()) || is_telltale(&name)
    };
    if !query.split(['&', ';', '#']).any(is_secret) {
        return Cow::Borrowed(url);
    }
    let mut masked = format!("{before}?");
    for parameter in query.split_inclusive(['&', ';', '#']) {
        let text = parameter.trim_end_matches(['&', ';', '#']);
        match text.split_once('=') {
            Some((name, _)) if is_secret(text) => {
                masked.extend([name, "=", MASKED, &parameter[text.len()..]]);
            }
            _ => masked.push_str(parameter),
        }
    }
    Cow::Owned(masked)
}

fn is_telltale(name: &str) -> bool {
    TELLTALE.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for secret in [
            "authorization",
            "cookie",
            "set-cookie",
            "x-api-key",
            "x-auth-token",
            "webhook-signature",
            "x-hub-signature-256",
            "my-password",
            "client-secret",
            "proxy-authorization",
        ] {
            assert!(is_secret_header(secret), "{secret}");
        }
        for plain in
            ["content-type", "idempotency-key", "webhook-id", "x-scheduler-run-id", "etag", "location"]
        {
            assert!(!is_secret_header(plain), "{plain}");
        }
    }

    #[test]
    fn urls() {
        for (url, masked) in [
            ("https://a.example/b", "https://a.example/b"),
            ("https://a.example/?a=1&b=2", "https://a.example/?a=1&b=2"),
            ("https://a.example/?token=s3&b=2", "https://a.example/?token=***&b=2"),
            ("https://a.example/?a=1&api_key=s3", "https://a.example/?a=1&api_key=***"),
            ("https://a.example/?Access%54oken=s3=%3D#x", "https://a.example/?Access%54oken=***#x"),
            ("https://a.example/?X-Amz-Signature=s3;a=1", "https://a.example/?X-Amz-Signature=***;a=1"),
            ("/next?sig=s3&sig=s4&a", "/next?sig=***&sig=***&a"),
            ("/next?password=", "/next?password=***"),
            ("/next?token", "/next?token"),
            ("/next?a=token", "/next?a=token"),
            ("/next?a=1?token=s3", "/next?a=1?token=s3"),
            ("/next#?token=s3", "/next#?token=***"),
        ] {
            assert_eq!(mask_url(url), masked, "{url}");
        }
    }
}
