//! `GET /jobs`

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use domain::{JobId, JobState};
use engine::query::{JobCursor, JobSort, JobSortKey};
use engine::{JobQuery, StoredJob};

use crate::cursor::{decode, encode};
use crate::extract::Project;
use crate::extract::query::{QueryString, one_of};
use crate::jobs::filter::{label, searched};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::{JobView, Page};

const SORTS: [(&str, JobSort); 6] = [
    ("created_at", JobSort { by: JobSortKey::CreatedAt, descending: false }),
    ("-created_at", NEWEST_FIRST),
    ("name", JobSort { by: JobSortKey::Name, descending: false }),
    ("-name", JobSort { by: JobSortKey::Name, descending: true }),
    ("next_fire_at", JobSort { by: JobSortKey::NextFireAt, descending: false }),
    ("-next_fire_at", JobSort { by: JobSortKey::NextFireAt, descending: true }),
];
const NEWEST_FIRST: JobSort = JobSort { by: JobSortKey::CreatedAt, descending: true };

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct ListJobsParams {
    /// At most so many rows.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// By what, `-` for descending. Jobs without a next occurrence come last in either direction.
    #[param(inline)]
    sort: Option<ListJobsSort>,
    /// In one of these states; repeated, or joined by commas.
    #[param(explode = false, example = json!(["active", "paused"]))]
    state: Option<Vec<JobState>>,
    /// With all of these labels, each `key:value`.
    #[param(example = json!(["team:billing"]))]
    label: Option<Vec<String>>,
    /// Whose name contains this, letter case aside.
    #[param(max_length = 128)]
    q: Option<String>,
    /// `history`: each job with its latest 30 runs.
    #[param(inline, explode = false)]
    include: Option<Vec<ListJobsInclude>>,
}

/// What a job may come with.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes a parameter")]
enum ListJobsInclude {
    #[schema(rename = "history")]
    History,
}

/// The orders there are.
#[derive(utoipa::ToSchema)]
#[schema(default = "-created_at")]
#[expect(dead_code, reason = "describes a parameter")]
enum ListJobsSort {
    #[schema(rename = "created_at")]
    CreatedAt,
    #[schema(rename = "-created_at")]
    CreatedAtDescending,
    #[schema(rename = "name")]
    Name,
    #[schema(rename = "-name")]
    NameDescending,
    #[schema(rename = "next_fire_at")]
    NextFireAt,
    #[schema(rename = "-next_fire_at")]
    NextFireAtDescending,
}

/// List jobs
///
/// Page by page; the `Link` header holds the address of the next one.
#[utoipa::path(
    get,
    path = "/jobs",
    operation_id = "listJobs",
    tag = "jobs",
    params(ListJobsParams),
    responses((
        status = 200, description = "One page of jobs", body = Page<JobView>,
        headers(("Link", description = "`rel=\"next\"`, where there is a next page"))
    ))
)]
pub async fn list_jobs(
    State(state): State<Shared>,
    Project(project): Project,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let (query, with_history) = parse(project, uri.query())?;
    let sort = query.sort;
    let found = state.scheduler.jobs(&query).await?;
    let ids: Vec<JobId> = found.items.iter().map(StoredJob::id).collect();
    let mut page = Page::<JobView>::new(found, |last| encode(last.cursor(sort)));
    if with_history {
        let mut histories = state.overview.histories(&ids, HISTORY).await?;
        for (id, job) in ids.iter().zip(&mut page.data) {
            job.add_history(&histories.remove(id).unwrap_or_default());
        }
    }
    Ok(page.answer(&uri))
}

/// As many runs as a strip of bars shows.
const HISTORY: u32 = 30;

fn parse(project: String, query: Option<&str>) -> Result<(JobQuery, bool), Problem> {
    let mut query = QueryString::parse(query);
    let limit = query.limit();
    let sort = query.one("sort", |text| one_of(&SORTS, text)).unwrap_or(NEWEST_FIRST);
    let states = query.words("state", &JobState::ALL.map(|state| (state.as_str(), state)));
    let labels = query.many("label", label);
    let text = query.one("q", searched);
    let cursor = query.one("cursor", |text| Ok(text.to_owned()));
    let with_history = query.words("include", &[("history", true)]).contains(&true);
    query.finish()?;
    let after = cursor.map(|text| decode::<JobCursor>(&text, |at| at.sort == sort)).transpose()?;
    Ok((JobQuery { project, states, labels, text: text.flatten(), sort, after, limit }, with_history))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Answer, TestApp, draft};

    fn names(answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.value();
        page["data"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn three() -> TestApp {
        let app = TestApp::new();
        for (name, team) in [("beta", "ops"), ("alpha", "billing"), ("gamma", "ops")] {
            let mut job = draft(name);
            job["labels"] = json!({"team": team, "tier": "1"});
            assert_eq!(app.json("POST", "/api/v1/jobs", &job).await.status, 201);
            app.clock.advance(chrono::TimeDelta::seconds(1));
        }
        app.post("/api/v1/jobs/alpha/pause").await;
        app
    }

    #[tokio::test]
    async fn filters_and_orders() {
        let app = three().await;
        let cases = [
            ("", "gamma alpha beta"),
            ("?sort=created_at", "beta alpha gamma"),
            ("?sort=name", "alpha beta gamma"),
            ("?sort=-name", "gamma beta alpha"),
            ("?sort=next_fire_at", "beta gamma alpha"),
            ("?state=paused", "alpha"),
            ("?state=paused,active&sort=name", "alpha beta gamma"),
            ("?state=paused&state=completed", "alpha"),
            ("?label=team:ops", "gamma beta"),
            ("?label=team:ops&label=tier:1&q=BET", "beta"),
            ("?q=nothing", ""),
            ("?limit=1", "gamma"),
        ];
        for (query, expected) in cases {
            assert_eq!(names(&app.get(&format!("/api/v1/jobs{query}")).await).join(" "), expected, "{query}");
        }
    }

    #[tokio::test]
    async fn pages_join_without_gap_or_overlap() {
        let app = three().await;
        for sort in ["name", "-name", "created_at", "-created_at", "next_fire_at", "-next_fire_at"] {
            let whole = names(&app.get(&format!("/api/v1/jobs?sort={sort}")).await);
            let mut joined = Vec::new();
            let mut next = format!("/api/v1/jobs?sort={sort}&limit=2");
            loop {
                let answer = app.get(&next).await;
                joined.extend(names(&answer));
                let page = answer.value();
                assert_eq!(page["has_more"], !page["next_cursor"].is_null());
                let Some(link) = answer.header("link").strip_suffix(">; rel=\"next\"") else { break };
                assert!(link.contains(page["next_cursor"].as_str().unwrap()));
                link.trim_start_matches('<').clone_into(&mut next);
            }
            assert_eq!(joined, whole, "{sort}");
        }
    }

    /// Oldest first, the newest thirty; without being asked for there is none.
    #[tokio::test]
    async fn each_job_may_come_with_its_history() {
        let app = three().await;
        let mut runs = Vec::new();
        for _ in 0..31 {
            app.clock.advance(chrono::TimeDelta::seconds(1));
            runs.push(app.run("beta").await["id"].clone());
        }
        let page = app.get("/api/v1/jobs?include=history&sort=name").await.value();
        let history = |index: usize| {
            let runs = page["data"][index]["history"].as_array().unwrap();
            runs.iter().map(|run| run["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((history(0), history(1)), (vec![], runs[1..].to_vec()));
        assert_eq!(page["data"][1]["history"][0]["status"], "pending");
        assert_eq!(app.get("/api/v1/jobs").await.value()["data"][0].get("history"), None);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_query_is_named() {
        let app = three().await;
        let cursor = app.get("/api/v1/jobs?limit=1&sort=name").await.value()["next_cursor"].clone();
        let cursor = Value::as_str(&cursor).unwrap();
        let runs = "eyJ2IjoxLCJsaXN0IjoicnVucyIsImF0Ijp7fX0";
        let cases = [
            ("limit=0", "422 invalid_query [limit invalid_value]"),
            ("limit=201", "422 invalid_query [limit invalid_value]"),
            ("limit=ten", "422 invalid_query [limit invalid_value]"),
            ("limit=1&limit=2", "422 invalid_query [limit duplicate]"),
            ("sort=age", "422 invalid_query [sort invalid_value]"),
            ("state=asleep", "422 invalid_query [state invalid_value]"),
            ("state=", "422 invalid_query [state invalid_value]"),
            ("label=team", "422 invalid_query [label invalid_value]"),
            ("q=%00", "422 invalid_query [q invalid_value]"),
            ("include=runs", "422 invalid_query [include invalid_value]"),
            ("lable=team:ops", "422 invalid_query [lable unknown_parameter]"),
            ("cursor=x", "422 invalid_cursor [cursor invalid_cursor]"),
            (&format!("cursor={runs}"), "422 invalid_cursor [cursor invalid_cursor]"),
            (&format!("cursor={cursor}&sort=-name"), "422 invalid_cursor [cursor invalid_cursor]"),
        ];
        for (query, gist) in cases {
            assert_eq!(app.get(&format!("/api/v1/jobs?{query}")).await.gist(), gist, "{query}");
        }
    }
}
