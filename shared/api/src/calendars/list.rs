//! `GET /calendars`

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use engine::CalendarQuery;

use crate::cursor::{CalendarCursor, decode, encode};
use crate::extract::Project;
use crate::extract::query::QueryString;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::{CalendarView, Page};

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct ListCalendarsParams {
    /// At most so many rows.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List calendars
///
/// By name, page by page; the `Link` header holds the address of the next one.
#[utoipa::path(
    get,
    path = "/calendars",
    operation_id = "listCalendars",
    tag = "calendars",
    params(ListCalendarsParams),
    responses((
        status = 200, description = "One page of calendars", body = Page<CalendarView>,
        headers(("Link", description = "`rel=\"next\"`, where there is a next page"))
    ))
)]
pub async fn list_calendars(
    State(state): State<Shared>,
    Project(project): Project,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let mut query = QueryString::parse(uri.query());
    let limit = query.limit();
    let cursor = query.one("cursor", |text| Ok(text.to_owned()));
    query.finish()?;
    let after = cursor.map(|text| decode::<CalendarCursor>(&text, |_| true)).transpose()?.map(|at| at.name);
    let found = state.scheduler.calendars(&CalendarQuery { project, after, limit }).await?;
    let cursor = |last: &domain::Calendar| encode(CalendarCursor { name: last.name.clone() });
    Ok(Page::<CalendarView>::new(found, cursor).answer(&uri))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn pages_join_in_the_order_of_names() {
        let app = TestApp::new();
        for name in ["beta", "alpha", "gamma"] {
            let put = app.json("PUT", &format!("/api/v1/calendars/{name}"), &json!({})).await;
            assert_eq!(put.status, 201);
        }
        let mut names = Vec::new();
        let mut next = "/api/v1/calendars?limit=2".to_owned();
        loop {
            let answer = app.get(&next).await;
            let page = answer.value();
            let data = page["data"].as_array().unwrap();
            names.extend(data.iter().map(|it| it["name"].as_str().unwrap().to_owned()));
            let Some(link) = answer.header("link").strip_suffix(">; rel=\"next\"") else { break };
            link.trim_start_matches('<').clone_into(&mut next);
        }
        assert_eq!(names, ["alpha", "beta", "gamma"]);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_query_is_named() {
        let app = TestApp::new();
        let cases = [
            ("limit=0", "422 invalid_query [limit invalid_value]"),
            ("sort=name", "422 invalid_query [sort unknown_parameter]"),
            ("cursor=x", "422 invalid_cursor [cursor invalid_cursor]"),
        ];
        for (query, gist) in cases {
            assert_eq!(app.get(&format!("/api/v1/calendars?{query}")).await.gist(), gist, "{query}");
        }
    }
}
