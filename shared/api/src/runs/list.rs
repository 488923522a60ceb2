//! `GET /runs`, and what every list of runs has in common.

use axum::extract::{OriginalUri, State};
use axum::http::Uri;
use axum::response::Response;
use domain::{JobId, Run, RunKind, RunStatus};
use engine::RunQuery;

use crate::cursor::{RunCursor, decode, encode};
use crate::extract::Project;
use crate::extract::query::{QueryString, one_of};
use crate::problem::Problem;
use crate::state::{ApiState, Shared};
use crate::views::{Page, RunView};

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct ListRunsParams {
    /// At most so many rows.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// By nominal time; `-` for newest first.
    #[param(inline)]
    sort: Option<ListRunsSort>,
    /// In one of these statuses; repeated, or joined by commas.
    #[param(explode = false, example = json!(["failed", "timed_out"]))]
    status: Option<Vec<RunStatus>>,
    /// Made by one of these; repeated, or joined by commas.
    #[param(explode = false)]
    kind: Option<Vec<RunKind>>,
}

/// The orders there are.
#[derive(utoipa::ToSchema)]
#[schema(default = "-scheduled_for")]
#[expect(dead_code, reason = "describes a parameter")]
enum ListRunsSort {
    #[schema(rename = "scheduled_for")]
    ScheduledFor,
    #[schema(rename = "-scheduled_for")]
    ScheduledForDescending,
}

/// List runs of all jobs
///
/// Page by page, newest nominal time first; runs of deleted jobs are among them.
#[utoipa::path(
    get,
    path = "/runs",
    operation_id = "listRuns",
    tag = "runs",
    params(ListRunsParams),
    responses((
        status = 200, description = "One page of runs", body = Page<RunView>,
        headers(("Link", description = "`rel=\"next\"`, where there is a next page"))
    ))
)]
pub async fn list_runs(
    State(state): State<Shared>,
    Project(project): Project,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    page(&state, project, None, &uri).await
}

/// Answers with a page of runs, of all jobs or of one.
pub(crate) async fn page(
    state: &ApiState,
    project: String,
    job: Option<JobId>,
    uri: &Uri,
) -> Result<Response, Problem> {
    let query = parse(project, job, uri.query())?;
    let ascending = query.ascending;
    let found = state.scheduler.runs(&query).await?;
    let cursor = |last: &Run| encode(RunCursor { ascending, run: last.id });
    Ok(Page::<RunView>::new(found, cursor).answer(uri))
}

fn parse(project: String, job: Option<JobId>, query: Option<&str>) -> Result<RunQuery, Problem> {
    let mut query = QueryString::parse(query);
    let limit = query.limit();
    let sorts = [("scheduled_for", true), ("-scheduled_for", false)];
    let ascending = query.one("sort", |text| one_of(&sorts, text)).unwrap_or(false);
    let statuses = query.words("status", &RunStatus::ALL.map(|status| (status.as_str(), status)));
    let kinds = query.words("kind", &RunKind::ALL.map(|kind| (kind.as_str(), kind)));
    let cursor = query.one("cursor", |text| Ok(text.to_owned()));
    query.finish()?;
    let after = cursor.map(|text| decode::<RunCursor>(&text, |at| at.ascending == ascending)).transpose()?;
    let after = after.map(|at| at.run);
    Ok(RunQuery { project, job, statuses, kinds, ascending, after, limit })
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn filters_orders_and_pages() {
        let app = TestApp::new();
        app.create("nightly").await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(app.run("nightly").await["id"].clone());
            app.clock.advance(chrono::TimeDelta::seconds(1));
        }
        let listed = async |query: &str| {
            let answer = app.get(&format!("/api/v1/runs?{query}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let page = answer.value();
            let ids: Vec<_> = page["data"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect();
            (ids, page["next_cursor"].as_str().map(str::to_owned))
        };
        assert_eq!(listed("sort=scheduled_for").await.0, ids);
        let (first, cursor) = listed("sort=scheduled_for&limit=2").await;
        let (second, end) = listed(&format!("sort=scheduled_for&limit=2&cursor={}", cursor.unwrap())).await;
        assert_eq!(([first, second].concat(), end), (ids.clone(), None));
        ids.reverse();
        assert_eq!(listed("").await.0, ids);
        assert_eq!(listed("status=pending,running&kind=manual").await.0, ids);
        assert_eq!(listed("status=failed").await.0, Vec::<serde_json::Value>::new());
        assert_eq!(listed("kind=schedule").await.0, Vec::<serde_json::Value>::new());
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_query_is_named() {
        let app = TestApp::new();
        for (query, gist) in [
            ("status=lost", "422 invalid_query [status invalid_value]"),
            ("kind=cron", "422 invalid_query [kind invalid_value]"),
            ("sort=name", "422 invalid_query [sort invalid_value]"),
            ("state=active", "422 invalid_query [state unknown_parameter]"),
            ("cursor=e30", "422 invalid_cursor [cursor invalid_cursor]"),
        ] {
            assert_eq!(app.get(&format!("/api/v1/runs?{query}")).await.gist(), gist, "{query}");
        }
    }
}
