//! `ETag` and `If-Match`: nobody overwrites a change they have not seen.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use engine::JobKey;

use crate::extract::Project;
use crate::problem::Problem;
use crate::state::ApiState;

/// The entity tag of a job or calendar, `"v7"`. It names a version of the definition: firing changes what a job shows
/// (`next_fire_at`, `last_run`) and not the tag, so it serves `If-Match` and is of no use to caches.
pub fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"v{version}\"")).unwrap_or(HeaderValue::from_static("\"v\""))
}

/// The versions a request accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version: the header is absent or `*`.
    Any,
    /// One of these. Tags that were never ours match nothing, so there may be none.
    Versions(Vec<u64>),
}

/// How the header is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct IfMatchHeader {
    /// The `ETag` as it was read. If there has been a change since, the answer is 412 and nothing is done.
    #[param(rename = "If-Match", required = false, example = "\"v7\"")]
    if_match: String,
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers).ok_or_else(|| {
            Problem::header("If-Match", "is not an entity tag; write \"v7\", quotes included, or *")
        })
    }
}

impl IfMatch {
    /// The version of a job to insist on, `None` for any.
    pub async fn expected(
        self,
        state: &ApiState,
        Project(project): &Project,
        key: &JobKey,
    ) -> Result<Option<u64>, Problem> {
        let current = async {
            Ok(match &state.scheduler.job(project, key).await?.job {
                Ok(job) => job.version,
                Err(broken) => broken.version,
            })
        };
        self.expected_of(current).await
    }

    /// The version to insist on, `None` for any. Asks for the `current` one only where several are accepted.
    pub async fn expected_of(
        self,
        current: impl Future<Output = Result<u64, Problem>>,
    ) -> Result<Option<u64>, Problem> {
        match self {
            Self::Any => Ok(None),
            Self::Versions(versions) if versions.len() == 1 => Ok(versions.first().copied()),
            Self::Versions(versions) => {
                let current = current.await?;
                // Versions begin with 1: nothing is ever at version 0.
                Ok(Some(if versions.contains(&current) { current } else { 0 }))
            }
        }
    }

    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut versions = Vec::new();
        let mut any = true;
        for value in headers.get_all(header::IF_MATCH) {
            let text = value.to_str().ok()?.trim();
            if text != "*" {
                any = false;
                versions.extend(tags(text)?.into_iter().filter_map(version));
            }
        }
        Some(if any { Self::Any } else { Self::Versions(versions) })
    }
}

/// Splits a list of entity tags. A weak tag counts like a strong one: proxies that compress weaken ours,
/// and ours names a version, not bytes.
fn tags(mut text: &str) -> Option<Vec<&str>> {
    let mut tags = Vec::new();
    loop {
        text = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?;
        let (tag, rest) = text.split_once('"')?;
        tags.push(tag);
        text = rest.trim_start();
        if text.is_empty() {
            return Some(tags);
        }
        text = text.strip_prefix(',')?.trim_start();
    }
}

fn version(tag: &str) -> Option<u64> {
    tag.strip_prefix('v').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> Option<IfMatch> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(text))]);
        IfMatch::from_headers(&headers)
    }

    #[test]
    fn reads_entity_tags() {
        let versions = |versions: &[u64]| Some(IfMatch::Versions(versions.to_vec()));
        assert_eq!(IfMatch::from_headers(&HeaderMap::new()), Some(IfMatch::Any));
        assert_eq!(parse("*"), Some(IfMatch::Any));
        assert_eq!(parse("\"v7\""), versions(&[7]));
        assert_eq!(parse("W/\"v7\""), versions(&[7]));
        assert_eq!(parse("\"v7\", \"x,y\" ,\"v9\""), versions(&[7, 9]));
        assert_eq!(parse("\"v+7\""), versions(&[]));
        assert_eq!(parse("\"v99999999999999999999999\""), versions(&[]));
        for bad in ["v7", "7", "\"v7", "\"v7\" \"v8\"", "\"v7\",", "", "*, \"v7\""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, etag(u64::MAX))]);
        assert_eq!(IfMatch::from_headers(&headers), Some(IfMatch::Versions(vec![u64::MAX])));
    }
}
