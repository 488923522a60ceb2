//! `POST /jobs/bulk`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::invalid::Findings;
use domain::{Instant, Invalid, JobState};
use engine::query::{JobCursor, JobSort, JobSortKey};
use engine::scheduler::JobAction;
use engine::{JobKey, JobQuery, StoredJob};
use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::{label, searched};
use super::pause::check_pause;
use crate::bulk::{BulkAnswer, MOST, check_selection};
use crate::cursor::{decode, encode};
use crate::extract::{JsonBody, Project};
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;

const OLDEST_FIRST: JobSort = JobSort { by: JobSortKey::CreatedAt, descending: false };

/// What is to become of which jobs.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkJobsRequest {
    /// What to do.
    action: JobsAction,
    /// Ids or names of jobs, up to 1 000.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 1000, example = json!(["nightly-report"]))]
    ids: Option<Vec<String>>,
    /// Or all jobs that a list with this filter would show, oldest first, up to 1 000 a request; `{}` matches every job.
    #[serde(default)]
    filter: Option<JobsFilter>,
    /// `next_cursor` of the request before, where the filter matches more.
    #[serde(default)]
    cursor: Option<String>,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Why, for `pause`.
    #[serde(default)]
    #[schema(max_length = 1024)]
    reason: Option<String>,
    /// When they are resumed by themselves, for `pause`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// Labels to add or replace, for `label`; `null` removes one.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Option<String>>>, example = json!({"team": "billing"}))]
    labels: Option<BTreeMap<String, Option<String>>>,
}

/// What is done to many jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobsAction {
    /// Stop them from firing.
    Pause,
    /// Let them fire again.
    Resume,
    /// Remove them.
    Delete,
    /// Make them run now.
    Run,
    /// Add, replace and remove labels.
    Label,
}

/// Which jobs: what lists are filtered by.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobsFilter {
    /// In one of these states.
    #[serde(default)]
    state: Vec<JobState>,
    /// With all of these labels, each `key:value`.
    #[serde(default)]
    #[schema(example = json!(["team:billing"]))]
    label: Vec<String>,
    /// Whose name contains this, letter case aside.
    #[serde(default)]
    #[schema(max_length = 128)]
    q: Option<String>,
}

/// Change many jobs
///
/// Each is changed as it would be by a request of its own; what goes wrong with one stops none of the others. A job
/// that is so already is `unchanged`.
#[utoipa::path(
    post,
    path = "/jobs/bulk",
    operation_id = "changeJobs",
    tag = "jobs",
    params(IdempotencyKeyHeader),
    request_body(content = BulkJobsRequest, examples(
        ("pause" = (summary = "Pause all jobs of a team", value = json!({
            "action": "pause", "filter": {"label": ["team:billing"]}, "reason": "the database is being moved"
        }))),
        ("label" = (summary = "What labelling two jobs would do", value = json!({
            "action": "label", "ids": ["nightly-report", "weekly-report"], "labels": {"team": "ops", "old": null},
            "dry_run": true
        })))
    )),
    responses((status = 200, description = "What has become of each", body = BulkAnswer))
)]
pub async fn change_jobs(
    State(state): State<Shared>,
    Project(project): Project,
    JsonBody(request): JsonBody<BulkJobsRequest>,
) -> Result<Json<BulkAnswer>, Problem> {
    let until = request.until.map(domain::whole_millis);
    check(&request, until, state.scheduler.now())?;
    let (keys, next_cursor) = match (&request.ids, &request.filter) {
        (Some(ids), _) => (ids.iter().map(|id| JobKey::from(id.as_str())).collect(), None),
        (None, filter) => {
            let query = query(&project, filter.as_ref(), request.cursor.as_deref())?;
            let page = state.scheduler.jobs(&query).await?;
            let last = page.items.last().filter(|_| page.has_more);
            let next = last.map(|last| encode(last.cursor(OLDEST_FIRST)));
            (page.items.iter().map(|stored| StoredJob::id(stored).into()).collect::<Vec<_>>(), next)
        }
    };
    let patch = json!({"labels": request.labels});
    let action = match request.action {
        JobsAction::Pause => JobAction::Pause(request.reason.as_deref(), until),
        JobsAction::Resume => JobAction::Resume,
        JobsAction::Delete => JobAction::Delete,
        JobsAction::Run => JobAction::Run,
        JobsAction::Label => JobAction::Patch(&patch),
    };
    let acted = state.scheduler.act_on_jobs(&project, &keys, action, request.dry_run).await;
    Ok(Json(BulkAnswer::new(request.dry_run, &keys, acted, next_cursor)))
}

fn check(request: &BulkJobsRequest, until: Option<Instant>, now: Instant) -> Result<(), Invalid> {
    let mut findings = Findings::default();
    let ids = request.ids.as_ref().map(Vec::len);
    findings.nest("", check_selection(ids, request.filter.is_some(), request.cursor.is_some()));
    findings.nest("", check_pause(request.reason.as_deref(), until, now));
    let only = |with: JobsAction| {
        let detail = format!("goes with the action {} only", Value::from(format!("{with:?}").to_lowercase()));
        (request.action == with, detail)
    };
    for (pointer, given, with) in [
        ("/reason", request.reason.is_some(), JobsAction::Pause),
        ("/until", request.until.is_some(), JobsAction::Pause),
        ("/labels", request.labels.is_some(), JobsAction::Label),
    ] {
        let (fits, detail) = only(with);
        findings.require(!given || fits, pointer, "invalid_value", || detail);
    }
    let labelled = request.action != JobsAction::Label || request.labels.is_some();
    findings.require(labelled, "/labels", "missing_field", || "say which labels".to_owned());
    // No store can be asked for texts with control characters, and nothing has such a name.
    for (index, id) in request.ids.iter().flatten().enumerate() {
        let plain = !id.chars().any(char::is_control);
        findings.require(plain, &format!("/ids/{index}"), "invalid_value", || {
            "holds a control character".to_owned()
        });
    }
    findings.finish()
}

fn query(project: &str, filter: Option<&JobsFilter>, cursor: Option<&str>) -> Result<JobQuery, Problem> {
    let mut findings = Findings::default();
    let (mut states, mut labels, mut text) = (Vec::new(), Vec::new(), None);
    if let Some(filter) = filter {
        states.clone_from(&filter.state);
        for (index, written) in filter.label.iter().enumerate() {
            let pointer = format!("/filter/label/{index}");
            labels.extend(keep(&mut findings, &pointer, plain(written).and_then(label)));
        }
        let searched = plain(filter.q.as_deref().unwrap_or_default()).and_then(searched);
        text = keep(&mut findings, "/filter/q", searched).flatten();
    }
    findings.finish()?;
    let after = cursor.map(|text| decode::<JobCursor>(text, |at| at.sort == OLDEST_FIRST)).transpose()?;
    Ok(JobQuery { project: project.to_owned(), states, labels, text, sort: OLDEST_FIRST, after, limit: MOST })
}

fn plain(text: &str) -> Result<&str, String> {
    if text.chars().any(char::is_control) { Err("holds a control character".to_owned()) } else { Ok(text) }
}

fn keep<T>(findings: &mut Findings, pointer: &str, parsed: Result<T, String>) -> Option<T> {
    findings.nest(pointer, parsed.map_err(|detail| Invalid::one("", "invalid_value", detail)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{TestApp, draft};

    async fn three() -> TestApp {
        let app = TestApp::new();
        for (name, team) in [("alpha", "ops"), ("beta", "billing"), ("gamma", "ops")] {
            let mut job = draft(name);
            job["labels"] = json!({"team": team});
            assert_eq!(app.json("POST", "/api/v1/jobs", &job).await.status, 201);
            app.clock.advance(chrono::TimeDelta::milliseconds(1));
        }
        app
    }

    async fn change(app: &TestApp, request: Value) -> Value {
        let answer = app.json("POST", "/api/v1/jobs/bulk", &request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()
    }

    fn outcomes(answer: &Value) -> Vec<&str> {
        answer["results"].as_array().unwrap().iter().map(|it| it["outcome"].as_str().unwrap()).collect()
    }

    async fn states(app: &TestApp) -> Vec<Value> {
        let page = app.get("/api/v1/jobs?sort=name").await.value();
        page["data"].as_array().unwrap().iter().map(|job| job["state"].clone()).collect()
    }

    #[tokio::test]
    async fn a_filter_is_that_of_the_list() {
        let app = three().await;
        let request = json!({"action": "pause", "filter": {"label": ["team:ops"]}, "reason": "moving"});
        let mut tried = request.clone();
        tried["dry_run"] = json!(true);
        let would = change(&app, tried).await;
        assert_eq!((outcomes(&would), would["changed"].clone()), (vec!["changed", "changed"], json!(2)));
        assert_eq!(states(&app).await, ["active"; 3], "nothing has been changed");
        let answer = change(&app, request).await;
        assert_eq!((outcomes(&answer), &answer["has_more"]), (vec!["changed", "changed"], &json!(false)));
        assert_eq!(states(&app).await, ["paused", "active", "paused"]);
        assert_eq!(app.get("/api/v1/jobs/alpha").await.value()["pause_reason"], "moving");
        let resumed = change(&app, json!({"action": "resume", "filter": {}})).await;
        assert_eq!(outcomes(&resumed), ["changed", "unchanged", "changed"]);
        let tried = change(&app, json!({"action": "resume", "filter": {"q": "A"}, "dry_run": true})).await;
        assert_eq!(outcomes(&tried), ["unchanged"; 3]);
    }

    #[tokio::test]
    async fn one_that_cannot_be_changed_stops_none_of_the_others() {
        let app = three().await;
        let ids = json!(["alpha", "nobody", "job_01kc0000000000000000000000", "gamma"]);
        for dry_run in [true, false] {
            let answer = change(&app, json!({"action": "delete", "ids": ids, "dry_run": dry_run})).await;
            assert_eq!(outcomes(&answer), ["changed", "failed", "failed", "changed"]);
            let problem = &answer["results"][1]["problem"];
            assert_eq!((&problem["code"], &problem["status"]), (&json!("not_found"), &json!(404)));
            assert_eq!((&answer["changed"], &answer["failed"]), (&json!(2), &json!(2)));
        }
        assert_eq!(states(&app).await.len(), 1);
    }

    #[tokio::test]
    async fn jobs_run_and_are_labelled() {
        let app = three().await;
        let answer = change(&app, json!({"action": "run", "ids": ["alpha", "beta"]})).await;
        let run = answer["results"][1]["run_id"].as_str().unwrap();
        assert_eq!(app.get(&format!("/api/v1/runs/{run}")).await.value()["job_name"], "beta");
        let labels = json!({"team": null, "tier": "1"});
        let request = json!({"action": "label", "ids": ["alpha"], "labels": labels});
        assert_eq!(outcomes(&change(&app, request.clone()).await), ["changed"]);
        assert_eq!(app.get("/api/v1/jobs/alpha").await.value()["labels"], json!({"tier": "1"}));
        for dry_run in [true, false] {
            let bad = json!({"action": "label", "ids": ["beta"], "labels": {"a b": "x"}, "dry_run": dry_run});
            let answer = change(&app, bad).await;
            assert_eq!(answer["results"][0]["problem"]["errors"][0]["pointer"], "/labels/a b");
        }
    }

    #[tokio::test]
    async fn a_repeated_request_is_carried_out_once() {
        let app = three().await;
        let request = json!({"action": "run", "ids": ["alpha"]});
        let first =
            app.json_with("POST", "/api/v1/jobs/bulk", ("idempotency-key", "k"), &request).await.value();
        let second =
            app.json_with("POST", "/api/v1/jobs/bulk", ("idempotency-key", "k"), &request).await.value();
        assert_eq!(first, second);
        assert_eq!(app.get("/api/v1/runs").await.value()["data"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_wrong_is_pointed_at_and_nothing_changes() {
        let app = three().await;
        let many: Vec<String> = (0..1_001).map(|index| format!("job-{index}")).collect();
        for (request, gist) in [
            (json!({"action": "pause"}), "[ missing_field]"),
            (json!({"action": "pause", "ids": []}), "[/ids too_short]"),
            (json!({"action": "pause", "ids": many}), "[/ids too_long]"),
            (json!({"action": "pause", "ids": ["a"], "filter": {}}), "[/filter invalid_value]"),
            (json!({"action": "pause", "ids": ["a"], "cursor": "x"}), "[/cursor invalid_value]"),
            (json!({"action": "pause", "ids": [7]}), "[/ids/0 invalid_type]"),
            (json!({"action": "pause", "ids": ["a\u{1}"]}), "[/ids/0 invalid_value]"),
            (json!({"action": "explode", "filter": {}}), "[/action invalid_value]"),
            (json!({"filter": {}}), "[/action missing_field]"),
            (json!({"action": "pause", "filter": {"state": ["asleep"]}}), "[/filter/state/0 invalid_value]"),
            (json!({"action": "pause", "filter": {"label": ["team"]}}), "[/filter/label/0 invalid_value]"),
            (json!({"action": "pause", "filter": {"q": "x\u{7}"}}), "[/filter/q invalid_value]"),
            (json!({"action": "pause", "filter": {"name": "x"}}), "[/filter/name unknown_field]"),
            (
                json!({"action": "pause", "filter": {}, "until": "2020-01-01T00:00:00Z"}),
                "[/until out_of_range]",
            ),
            (json!({"action": "resume", "filter": {}, "reason": "x"}), "[/reason invalid_value]"),
            (json!({"action": "pause", "filter": {}, "labels": {}}), "[/labels invalid_value]"),
            (json!({"action": "label", "filter": {}}), "[/labels missing_field]"),
            (json!({"action": "label", "filter": {}, "labels": {"a": 1}}), "[/labels/a invalid_type]"),
        ] {
            let answer = app.json("POST", "/api/v1/jobs/bulk", &request).await;
            assert_eq!(answer.gist(), format!("422 invalid_request {gist}"), "{request}");
        }
        let foreign = json!({"action": "pause", "filter": {}, "cursor": "e30"});
        let answer = app.json("POST", "/api/v1/jobs/bulk", &foreign).await;
        assert_eq!(answer.gist(), "422 invalid_cursor [cursor invalid_cursor]");
        assert_eq!(states(&app).await, ["active"; 3]);
    }

    /// A name that is also an address could not be told from it.
    #[tokio::test]
    async fn no_job_is_named_like_the_address() {
        let app = TestApp::new();
        let refused = "422 invalid_request [/name reserved]";
        assert_eq!(app.json("POST", "/api/v1/jobs", &draft("bulk")).await.gist(), refused);
        app.create("nightly").await;
        assert_eq!(app.json("PUT", "/api/v1/jobs/nightly", &draft("bulk")).await.gist(), refused);
        assert_eq!(app.json("PATCH", "/api/v1/jobs/nightly", &json!({"name": "bulk"})).await.gist(), refused);
        assert_eq!(app.get("/api/v1/jobs/bulk").await.gist(), "405 method_not_allowed");
    }
}
