//! One page of a list.

use axum::Json;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::form_urlencoded;

/// One page of a list, and where the next one begins.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Ask for the next page with this; `null` on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

impl<T: Serialize> Page<T> {
    /// A page of what a store has found, converted row by row. `cursor` makes a cursor of the last row.
    pub fn new<R>(found: engine::Page<R>, cursor: impl FnOnce(&R) -> String) -> Self
    where
        T: From<R>,
    {
        let next_cursor = found.items.last().filter(|_| found.has_more).map(cursor);
        let data = found.items.into_iter().map(T::from).collect();
        Self { data, has_more: next_cursor.is_some(), next_cursor }
    }

    /// The answer, with a `Link` to the next page (RFC 8288). `uri` is the request's.
    pub fn answer(self, uri: &Uri) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(Ok(link)) = self.next_cursor.as_ref().map(|cursor| next_link(uri, cursor).parse()) {
            headers.insert(header::LINK, link);
        }
        (headers, Json(self)).into_response()
    }
}

fn next_link(uri: &Uri, cursor: &str) -> String {
    let before = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(before.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", cursor)
        .finish();
    format!("<{}?{query}>; rel=\"next\"", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_keeps_everything_but_the_cursor() {
        let uri = Uri::from_static("/api/v1/jobs?label=team%3Abilling&cursor=old&limit=2&q=%22%3E");
        insta::assert_snapshot!(
            next_link(&uri, "new"),
            @r#"</api/v1/jobs?label=team%3Abilling&limit=2&q=%22%3E&cursor=new>; rel="next""#
        );
    }
}
