//! `POST /runs/bulk`

use axum::Json;
use axum::extract::State;
use domain::invalid::Findings;
use domain::{Instant, Invalid, RunId, RunKind, RunStatus, is_in_range, whole_millis};
use engine::RunQuery;
use engine::scheduler::RunAction;
use serde::Deserialize;

use super::list::job_of;
use crate::bulk::{BulkAnswer, MOST, check_selection};
use crate::cursor::{RunCursor, decode, encode};
use crate::extract::{JsonBody, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;

/// What is to become of which runs.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRunsRequest {
    /// What to do.
    action: RunsAction,
    /// Ids of runs, up to 1 000.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 1000, value_type = Option<Vec<String>>, example = json!(["run_01kc0000000000000000000000"]))]
    ids: Option<Vec<RunId>>,
    /// Or all runs that a list with this filter would show, newest first, up to 1 000 a request; `{}` matches every run.
    #[serde(default)]
    filter: Option<RunsFilter>,
    /// `next_cursor` of the request before, where the filter matches more.
    #[serde(default)]
    cursor: Option<String>,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What is done to many runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunsAction {
    /// Stop them.
    Cancel,
    /// Give each one more attempt.
    Retry,
}

/// Which runs: what lists are filtered by.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsFilter {
    /// Of this job: its id or name.
    #[serde(default)]
    #[schema(example = "nightly-report")]
    job: Option<String>,
    /// In one of these statuses.
    #[serde(default)]
    status: Vec<RunStatus>,
    /// Made by one of these.
    #[serde(default)]
    kind: Vec<RunKind>,
    /// With nominal times from this instant on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// With nominal times before this instant.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
}

/// Cancel or retry many runs
///
/// Each as by a request of its own; what goes wrong with one stops none of the others. Without `status` a filter to
/// cancel matches unfinished runs, and one to retry those that failed or timed out.
#[utoipa::path(
    post,
    path = "/runs/bulk",
    operation_id = "changeRuns",
    tag = "runs",
    params(IdempotencyKeyHeader),
    request_body(content = BulkRunsRequest, examples(
        ("retry" = (summary = "Retry what failed last night", value = json!({
            "action": "retry",
            "filter": {"job": "nightly-report", "status": ["failed", "timed_out"], "from": "2026-11-24T00:00:00Z"}
        }))),
        ("cancel" = (summary = "What cancelling all that waits would do", value = json!({
            "action": "cancel", "filter": {"status": ["pending"]}, "dry_run": true
        })))
    )),
    responses((status = 200, description = "What has become of each", body = BulkAnswer))
)]
pub async fn change_runs(
    State(state): State<Shared>,
    Project(project): Project,
    JsonBody(request): JsonBody<BulkRunsRequest>,
) -> Result<Json<BulkAnswer>, Problem> {
    let BulkRunsRequest { action, ids, filter, cursor, dry_run } = request;
    check_selection(ids.as_ref().map(Vec::len), filter.is_some(), cursor.is_some())?;
    let (ids, next_cursor) = match ids {
        Some(ids) => (ids, None),
        None => {
            let filter = filter.unwrap_or_default();
            let job = match &filter.job {
                Some(key) => Some(job_of(&state, &project, key).await.map_err(|problem| match problem {
                    None => Invalid::one("/filter/job", "unknown_job", "there is no such job").into(),
                    Some(problem) => problem,
                })?),
                None => None,
            };
            let query = RunQuery { job, ..query(project.clone(), filter, action, cursor.as_deref())? };
            let page = state.scheduler.runs(&query).await?;
            let last = page.items.last().filter(|_| page.has_more);
            let next = last.map(|last| encode(RunCursor { ascending: false, run: last.id }));
            (page.items.iter().map(|run| run.id).collect(), next)
        }
    };
    let action = match action {
        RunsAction::Cancel => RunAction::Cancel,
        RunsAction::Retry => RunAction::Retry,
    };
    let acted = state.scheduler.act_on_runs(&project, &ids, action, dry_run).await;
    Ok(Json(BulkAnswer::new(dry_run, &ids, acted, next_cursor)))
}

fn query(
    project: String,
    filter: RunsFilter,
    action: RunsAction,
    cursor: Option<&str>,
) -> Result<RunQuery, Problem> {
    let mut findings = Findings::default();
    for (pointer, at) in [("/filter/from", filter.from), ("/filter/to", filter.to)] {
        findings.require(at.is_none_or(is_in_range), pointer, "out_of_range", || {
            "lies outside 1970–2100".to_owned()
        });
    }
    findings.finish()?;
    let after = cursor.map(|text| decode::<RunCursor>(text, |at| !at.ascending)).transpose()?;
    let statuses = match action {
        _ if !filter.status.is_empty() => filter.status,
        RunsAction::Cancel => vec![RunStatus::Pending, RunStatus::Running],
        RunsAction::Retry => vec![RunStatus::Failed, RunStatus::TimedOut],
    };
    Ok(RunQuery {
        project,
        job: None,
        statuses,
        kinds: filter.kind,
        from: filter.from.map(whole_millis),
        until: filter.to.map(whole_millis),
        ascending: false,
        after: after.map(|at| at.run),
        limit: MOST,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    async fn change(app: &TestApp, request: Value) -> Value {
        let answer = app.json("POST", "/api/v1/runs/bulk", &request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()
    }

    fn outcomes(answer: &Value) -> Vec<&str> {
        answer["results"].as_array().unwrap().iter().map(|it| it["outcome"].as_str().unwrap()).collect()
    }

    async fn statuses(app: &TestApp) -> Vec<Value> {
        let page = app.get("/api/v1/runs?sort=scheduled_for").await.value();
        page["data"].as_array().unwrap().iter().map(|run| run["status"].clone()).collect()
    }

    #[tokio::test]
    async fn runs_are_cancelled_and_retried_by_a_filter() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.create("weekly").await;
        for name in ["nightly", "weekly", "nightly"] {
            app.run(name).await;
            app.clock.advance(chrono::TimeDelta::seconds(1));
        }
        let cancel = json!({"action": "cancel", "filter": {"job": "nightly", "to": "2026-11-24T00:00:02Z"}});
        let mut tried = cancel.clone();
        tried["dry_run"] = json!(true);
        assert_eq!(outcomes(&change(&app, tried).await), ["changed"]);
        assert_eq!(statuses(&app).await, ["pending"; 3]);
        assert_eq!(outcomes(&change(&app, cancel).await), ["changed"]);
        assert_eq!(statuses(&app).await, ["cancelled", "pending", "pending"]);
        let all = change(&app, json!({"action": "cancel", "filter": {}})).await;
        assert_eq!(outcomes(&all), ["changed", "changed"], "finished runs are not asked");
        let none = change(&app, json!({"action": "retry", "filter": {}})).await;
        assert_eq!(outcomes(&none), [""; 0], "what was cancelled did not fail");
        let retried = change(&app, json!({"action": "retry", "filter": {"status": ["cancelled"]}})).await;
        assert_eq!(outcomes(&retried), ["changed"; 3]);
        assert_eq!(statuses(&app).await, ["pending"; 3]);
    }

    #[tokio::test]
    async fn each_one_says_why_it_could_not_be_changed() {
        let app = TestApp::new();
        app.create("nightly").await;
        let run = app.run("nightly").await["id"].clone();
        let ids = json!([run, "run_01kc0000000000000000000000"]);
        for dry_run in [true, false] {
            let answer = change(&app, json!({"action": "retry", "ids": ids, "dry_run": dry_run})).await;
            let codes: Vec<_> = answer["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["problem"]["code"].clone())
                .collect();
            assert_eq!(codes, ["conflict", "not_found"]);
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_pointed_at() {
        let app = TestApp::new();
        for (request, gist) in [
            (json!({"action": "cancel"}), "[ missing_field]"),
            (json!({"action": "cancel", "ids": ["nightly"]}), "[/ids/0 invalid_value]"),
            (json!({"action": "cancel", "filter": {"status": ["lost"]}}), "[/filter/status/0 invalid_value]"),
            (json!({"action": "cancel", "filter": {"job": "nobody"}}), "[/filter/job unknown_job]"),
            (json!({"action": "cancel", "filter": {"job": "a\u{1}"}}), "[/filter/job unknown_job]"),
            (
                json!({"action": "cancel", "filter": {"from": "2101-01-01T00:00:00Z"}}),
                "[/filter/from out_of_range]",
            ),
            (json!({"action": "explode", "filter": {}}), "[/action invalid_value]"),
        ] {
            let answer = app.json("POST", "/api/v1/runs/bulk", &request).await;
            assert_eq!(answer.gist(), format!("422 invalid_request {gist}"), "{request}");
        }
    }
}
