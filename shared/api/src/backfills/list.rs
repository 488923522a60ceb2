//! `GET /jobs/{id}/backfills`

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use engine::BackfillProgress;

use crate::cursor::{BackfillCursor, decode, encode};
use crate::extract::path::JobIdParam;
use crate::extract::query::QueryString;
use crate::extract::{JobPath, Project};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::{BackfillView, Page};

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct ListBackfillsParams {
    /// At most so many rows.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List a job's backfills
///
/// Page by page, newest first.
#[utoipa::path(
    get,
    path = "/jobs/{id}/backfills",
    operation_id = "listJobBackfills",
    tag = "backfills",
    params(JobIdParam, ListBackfillsParams),
    responses((
        status = 200, description = "One page of backfills", body = Page<BackfillView>,
        headers(("Link", description = "`rel=\"next\"`, where there is a next page"))
    ))
)]
pub async fn list_backfills(
    State(state): State<Shared>,
    Project(project): Project,
    JobPath(key): JobPath,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let mut query = QueryString::parse(uri.query());
    let limit = query.limit();
    let cursor = query.one("cursor", |text| Ok(text.to_owned()));
    query.finish()?;
    let after = cursor.map(|text| decode::<BackfillCursor>(&text, |_| true)).transpose()?;
    let after = after.map(|cursor| cursor.backfill);
    let found = state.scheduler.backfills(&project, &key, after, limit).await?;
    let cursor = |last: &BackfillProgress| encode(BackfillCursor { backfill: last.backfill.id });
    Ok(Page::<BackfillView>::new(found, cursor).answer(&uri))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn newest_first_and_page_by_page() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.create("weekly").await;
        app.clock.advance(TimeDelta::days(30));
        let mut made = Vec::new();
        for day in 1..4 {
            app.clock.advance(TimeDelta::seconds(1));
            let order = json!({"from": "2026-11-24T00:00:00Z", "to": format!("2026-12-0{day}T00:00:00Z")});
            let answer = app.json("POST", "/api/v1/jobs/nightly/backfill", &order).await;
            made.push(answer.value()["id"].clone());
        }
        let first = app.get("/api/v1/jobs/nightly/backfills?limit=2").await;
        let page = first.value();
        assert_eq!((&page["data"][0]["id"], &page["data"][1]["id"]), (&made[2], &made[1]));
        let link =
            first.header("link").trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
        let rest = app.get(&link).await.value();
        assert_eq!((&rest["data"][0]["id"], &rest["has_more"]), (&made[0], &json!(false)));
        assert_eq!(app.get("/api/v1/jobs/weekly/backfills").await.value()["data"], json!([]));
        assert_eq!(app.get("/api/v1/jobs/daily/backfills").await.gist(), "404 not_found");
        let cases = [
            ("sort=x", "422 invalid_query [sort unknown_parameter]"),
            ("cursor=x", "422 invalid_cursor [cursor invalid_cursor]"),
        ];
        for (query, gist) in cases {
            let answer = app.get(&format!("/api/v1/jobs/nightly/backfills?{query}")).await;
            assert_eq!(answer.gist(), gist, "{query}");
        }
    }
}
