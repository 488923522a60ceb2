//! `GET /runs`, and what every list of runs has in common.

use axum::extract::{OriginalUri, State};
use axum::http::Uri;
use axum::response::Response;
use domain::{JobId, Run, RunKind, RunStatus};
use engine::{JobKey, RunQuery, SchedulerError};

use crate::cursor::{RunCursor, decode, encode};
use crate::extract::Project;
use crate::extract::query::{QueryString, instant, one_of};
use crate::problem::{Code, PartProblem, Problem};
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
    /// With nominal times from this instant on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// With nominal times before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
}

/// How the job is described, in lists of the runs of all.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct OfJobParam {
    /// Of this job only: its id or name.
    #[param(example = "nightly-report")]
    job: Option<String>,
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
    params(ListRunsParams, OfJobParam),
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
    let mut query = QueryString::parse(uri.query());
    let key = query.one("job", |text| Ok(text.to_owned()));
    let mut asked = parse(project, query)?;
    if let Some(key) = key {
        asked.job = Some(required_job_of(&state, &asked.project, &key).await?);
    }
    answer(&state, &asked, &uri).await
}

/// The id of the job that the parameter `job` names.
pub(crate) async fn required_job_of(state: &ApiState, project: &str, key: &str) -> Result<JobId, Problem> {
    job_of(state, project, key).await.map_err(|problem| {
        let unknown = PartProblem::parameter("job", "unknown_job", "there is no such job");
        problem.unwrap_or_else(|| Problem::with_parts(Code::InvalidQuery, vec![unknown]))
    })
}

/// The id of the job that has this id or name. `None` where there is no such job; the runs of one that has been deleted
/// are still found by its id.
pub(super) async fn job_of(state: &ApiState, project: &str, key: &str) -> Result<JobId, Option<Problem>> {
    match JobKey::from(key) {
        JobKey::Id(id) => Ok(id),
        JobKey::Name(name) if name.chars().any(char::is_control) => Err(None),
        name @ JobKey::Name(_) => match state.scheduler.job(project, &name).await {
            Ok(stored) => Ok(stored.id()),
            Err(SchedulerError::NotFound { .. }) => Err(None),
            Err(error) => Err(Some(error.into())),
        },
    }
}

/// Answers with a page of one job's runs.
pub(crate) async fn page_of_job(
    state: &ApiState,
    project: String,
    job: JobId,
    uri: &Uri,
) -> Result<Response, Problem> {
    let query = RunQuery { job: Some(job), ..parse(project, QueryString::parse(uri.query()))? };
    answer(state, &query, uri).await
}

async fn answer(state: &ApiState, query: &RunQuery, uri: &Uri) -> Result<Response, Problem> {
    let found = state.scheduler.runs(query).await?;
    let cursor = |last: &Run| encode(RunCursor { ascending: query.ascending, run: last.id });
    Ok(Page::<RunView>::new(found, cursor).answer(uri))
}

/// Reads what is left of a query, which must be all of it.
fn parse(project: String, mut query: QueryString) -> Result<RunQuery, Problem> {
    let limit = query.limit();
    let sorts = [("scheduled_for", true), ("-scheduled_for", false)];
    let ascending = query.one("sort", |text| one_of(&sorts, text)).unwrap_or(false);
    let statuses = query.words("status", &RunStatus::ALL.map(|status| (status.as_str(), status)));
    let kinds = query.words("kind", &RunKind::ALL.map(|kind| (kind.as_str(), kind)));
    let (from, until) = (query.one("from", instant), query.one("to", instant));
    let cursor = query.one("cursor", |text| Ok(text.to_owned()));
    query.finish()?;
    let after = cursor.map(|text| decode::<RunCursor>(&text, |at| at.ascending == ascending)).transpose()?;
    let after = after.map(|at| at.run);
    Ok(RunQuery { project, job: None, statuses, kinds, from, until, ascending, after, limit })
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
        assert_eq!(listed("from=2026-11-24T00:00:01Z&to=2026-11-24T00:00:02Z").await.0, ids[1..2]);
        assert_eq!(listed("from=2026-11-24T01:00:01%2B01:00").await.0, ids[..2], "an offset is one");
        app.create("weekly").await;
        assert_eq!(listed("job=nightly").await.0, ids);
        assert_eq!(listed("job=weekly").await.0, Vec::<serde_json::Value>::new());
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_query_is_named() {
        let app = TestApp::new();
        for (query, gist) in [
            ("status=lost", "422 invalid_query [status invalid_value]"),
            ("kind=cron", "422 invalid_query [kind invalid_value]"),
            ("sort=name", "422 invalid_query [sort invalid_value]"),
            ("state=active", "422 invalid_query [state unknown_parameter]"),
            ("from=noon", "422 invalid_query [from invalid_value]"),
            ("to=2101-01-01T00:00:00Z", "422 invalid_query [to invalid_value]"),
            ("job=nobody", "422 invalid_query [job unknown_job]"),
            ("cursor=e30", "422 invalid_cursor [cursor invalid_cursor]"),
        ] {
            assert_eq!(app.get(&format!("/api/v1/runs?{query}")).await.gist(), gist, "{query}");
        }
    }
}
