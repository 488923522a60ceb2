//! Whether a request was caused by a page of another site: browsers say so.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Whether it was, by a page that is not of one of the origins `allowed`. Programs that are no browsers say nothing.
pub(super) fn is_foreign(headers: &HeaderMap, allowed: &[HeaderValue]) -> bool {
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| allowed.contains(origin)) {
        return false;
    }
    // Not on plain HTTP beyond localhost, where browsers leave it out.
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = origin else { return false };
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Url>().ok());
    let Some(origin) = origin.as_ref().and_then(Url::host_str) else { return true };
    // By name alone: proxies leave the port out.
    let hosts =
        [header::HOST, X_FORWARDED_HOST].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    !hosts
        .filter_map(|host| Url::parse(&format!("http://{host}")).ok())
        .any(|it| it.host_str() == Some(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_foreign_unless_it_is_ours_or_allowed() {
        let allowed = [HeaderValue::from_static("https://ui.example.com")];
        let cases: [(&[(&str, &str)], bool); 11] = [
            (&[], false),
            (&[("origin", "null"), ("host", "a.example.com")], true),
            (&[("origin", "http://a.example.com:8000"), ("host", "a.example.com:8000")], false),
            (&[("origin", "http://a.example.com:8000"), ("host", "a.example.com")], false),
            (&[("origin", "http://b.example.com"), ("host", "a.example.com")], true),
            (&[("origin", "http://a.example.com.evil.com"), ("host", "a.example.com")], true),
            (&[("origin", "http://[::1]:8000"), ("host", "[::1]:8000")], false),
            (
                &[
                    ("origin", "https://a.example.com"),
                    ("host", "backend"),
                    ("x-forwarded-host", "a.example.com"),
                ],
                false,
            ),
            (&[("origin", "https://ui.example.com"), ("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "none")], false),
        ];
        for (headers, foreign) in cases {
            let named = |(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            let map = headers.iter().map(named).collect();
            assert_eq!(is_foreign(&map, &allowed), foreign, "{headers:?}");
        }
    }
}
