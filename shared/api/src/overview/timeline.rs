//! `GET /timeline`

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use domain::upcoming::{Occurrence, Upcoming};
use domain::{Instant, JobState};
use engine::insights::JobPart;
use engine::overview::{Past, TimelineQuery, TimelineRow};
use engine::query::{JobCursor, JobSort, JobSortKey};
use engine::{JobQuery, StoredJob};
use serde::Serialize;

use super::stats::StatusCounts;
use crate::cursor::{decode, encode};
use crate::extract::Project;
use crate::extract::query::{QueryString, instant};
use crate::jobs::filter::{label, searched};
use crate::problem::{Code, PartProblem, Problem};
use crate::state::Shared;
use crate::views::{GistView, Timestamp};

const BY_NAME: JobSort = JobSort { by: JobSortKey::Name, descending: false };
const HALF_A_DAY: TimeDelta = TimeDelta::hours(12);
const LONGEST: TimeDelta = TimeDelta::days(31);

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct TimelineParams {
    /// The first instant shown; half a day ago where not given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// The first instant not shown any more, at most 31 days later; a day after `from` where not given.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// At most so many jobs.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Of jobs in one of these states; repeated, or joined by commas.
    #[param(explode = false)]
    state: Option<Vec<JobState>>,
    /// Of jobs with all of these labels, each `key:value`.
    #[param(example = json!(["team:billing"]))]
    label: Option<Vec<String>>,
    /// Of jobs whose name contains this, letter case aside.
    #[param(max_length = 128)]
    q: Option<String>,
}

/// Jobs side by side, by name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Timeline)]
pub struct TimelineView {
    /// The first instant shown.
    pub from: Timestamp,
    /// The first instant not shown any more.
    pub to: Timestamp,
    /// The time of the answer: runs lie before it, what is to come after it.
    pub now: Timestamp,
    /// How long each part of the range is by which many runs are counted, in milliseconds; parts begin at `from`.
    pub bucket_ms: u64,
    /// A page of jobs.
    pub data: Vec<TimelineRowView>,
    /// Ask for the next page with this; `null` on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

/// What one job did and is about to do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TimelineRow)]
pub struct TimelineRowView {
    /// The job's id.
    #[schema(example = "job_01kc0000000000000000000000")]
    pub job_id: String,
    /// Its name.
    #[schema(example = "nightly-report")]
    pub job_name: String,
    /// Where it stands.
    pub state: JobState,
    /// How long its runs take, the median of its latest: as wide an occurrence to come may be drawn.
    #[schema(required)]
    pub typical_ms: Option<u64>,
    /// Its runs by nominal time, oldest first; empty where there are more than 100, see `run_counts`.
    pub runs: Vec<GistView>,
    /// How many runs there are in each part of the range, where there are more than 100; parts without any are left out.
    #[schema(required)]
    pub run_counts: Option<Vec<RunCount>>,
    /// Whether all runs are shown or counted; otherwise the newest are.
    pub runs_complete: bool,
    /// The occurrences to come, in order; empty where there are more than 100, see `upcoming_counts`.
    pub upcoming: Vec<OccurrenceView>,
    /// How many occurrences are to come in each part of the range, where there are more than 100; parts without any are
    /// left out.
    #[schema(required)]
    pub upcoming_counts: Option<Vec<OccurrenceCount>>,
}

/// Runs in a part of the range.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RunCount {
    /// When the part begins.
    pub from: Timestamp,
    /// Its runs by status.
    pub by_status: StatusCounts,
}

/// An occurrence to come.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Occurrence)]
pub struct OccurrenceView {
    /// Its nominal time.
    pub scheduled_for: Timestamp,
    /// When it is due, jitter included.
    pub due_at: Timestamp,
}

/// Occurrences to come in a part of the range.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OccurrenceCount {
    /// When the part begins.
    pub from: Timestamp,
    /// How many.
    pub count: u64,
}

/// Get what jobs did and are about to do
///
/// The runs of many jobs in a range of time and the occurrences that are to come in it, side by side.
#[utoipa::path(
    get,
    path = "/timeline",
    operation_id = "getTimeline",
    tag = "overview",
    params(TimelineParams),
    responses((status = 200, description = "A page of jobs", body = TimelineView))
)]
pub async fn get_timeline(
    State(state): State<Shared>,
    Project(project): Project,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let now = state.overview.now();
    let query = parse(project, uri.query(), now)?;
    let timeline = state.overview.timeline(&query).await?;
    let last = timeline.rows.items.last().filter(|_| timeline.rows.has_more);
    let next_cursor = last.map(|row| encode(row.job.cursor(BY_NAME)));
    let view = TimelineView {
        from: query.from.into(),
        to: query.until.into(),
        now: now.into(),
        bucket_ms: timeline.part,
        has_more: next_cursor.is_some(),
        next_cursor,
        data: timeline.rows.items.into_iter().map(TimelineRowView::from).collect(),
    };
    Ok(Json(view).into_response())
}

fn parse(project: String, query: Option<&str>, now: Instant) -> Result<TimelineQuery, Problem> {
    let mut query = QueryString::parse(query);
    let from = query.one("from", instant).unwrap_or(now - HALF_A_DAY);
    let until = query.one("to", instant).unwrap_or(from + HALF_A_DAY * 2);
    let limit = query.limit();
    let states = query.words("state", &JobState::ALL.map(|state| (state.as_str(), state)));
    let labels = query.many("label", label);
    let text = query.one("q", searched).flatten();
    let cursor = query.one("cursor", |text| Ok(text.to_owned()));
    query.finish()?;
    if until <= from || until - from > LONGEST {
        let part = PartProblem::parameter("to", "out_of_range", "lies after `from`, at most 31 days");
        return Err(Problem::with_parts(Code::InvalidQuery, vec![part]));
    }
    let after = cursor.map(|text| decode::<JobCursor>(&text, |at| at.sort == BY_NAME)).transpose()?;
    let jobs = JobQuery { project, states, labels, text, sort: BY_NAME, after, limit };
    Ok(TimelineQuery { jobs, from, until })
}

impl From<TimelineRow> for TimelineRowView {
    fn from(TimelineRow { job, past, typical, upcoming }: TimelineRow) -> Self {
        let id = job.id();
        let (job_name, state) = named(job);
        let (runs, run_counts, runs_complete) = match past {
            Past::Each(runs) => (runs.iter().map(GistView::from).collect(), None, true),
            Past::Parts { counted, complete } => (Vec::new(), Some(run_counts(&counted)), complete),
        };
        let (upcoming, upcoming_counts) = match upcoming {
            Upcoming::Each(each) => (each.into_iter().map(OccurrenceView::from).collect(), None),
            Upcoming::Parts(parts) => {
                let count = |(from, count): (Instant, u64)| OccurrenceCount { from: from.into(), count };
                (Vec::new(), Some(parts.into_iter().map(count).collect()))
            }
        };
        Self {
            job_id: id.to_string(),
            job_name,
            state,
            typical_ms: typical.map(domain::HumanDuration::as_millis),
            runs,
            run_counts,
            runs_complete,
            upcoming,
            upcoming_counts,
        }
    }
}

fn named(job: StoredJob) -> (String, JobState) {
    match job.job {
        Ok(job) => (job.draft.name, job.state),
        Err(broken) => (broken.name, JobState::Invalid),
    }
}

/// `counted` is in the order of its parts.
fn run_counts(counted: &[JobPart]) -> Vec<RunCount> {
    let parts = counted.chunk_by(|one, other| one.from == other.from);
    let count = |part: &[JobPart]| {
        let by_status = StatusCounts::of(part.iter().map(|it| (it.status, it.runs)));
        part.first().map(|first| RunCount { from: first.from.into(), by_status })
    };
    parts.filter_map(count).collect()
}

impl From<Occurrence> for OccurrenceView {
    fn from(Occurrence { scheduled_for, due_at }: Occurrence) -> Self {
        Self { scheduled_for: scheduled_for.into(), due_at: due_at.into() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn runs_and_what_is_to_come_side_by_side() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.create("paused").await;
        app.post("/api/v1/jobs/paused/pause").await;
        let run = app.run("nightly").await;
        let timeline =
            app.get("/api/v1/timeline?to=2026-11-26T00:00:00Z&from=2026-11-24T00:00:00Z").await.value();
        let rows = timeline["data"].as_array().unwrap();
        assert_eq!(rows[0]["runs"][0]["id"], run["id"]);
        let due: Vec<_> =
            rows[0]["upcoming"].as_array().unwrap().iter().map(|it| it["due_at"].clone()).collect();
        assert_eq!(due, ["2026-11-24T01:00:00.000Z", "2026-11-25T01:00:00.000Z"]);
        assert_eq!((&rows[1]["state"], &rows[1]["upcoming"]), (&json!("paused"), &json!([])));
        assert_eq!(timeline["now"], "2026-11-24T00:00:00.000Z");
        let day = app.get("/api/v1/timeline").await.value();
        assert_eq!(
            (&day["from"], &day["to"]),
            (&json!("2026-11-23T12:00:00.000Z"), &json!("2026-11-24T12:00:00.000Z"))
        );
    }

    #[tokio::test]
    async fn very_many_are_counted() {
        let app = TestApp::new();
        let mut busy = draft("busy");
        busy["schedule"] = json!({"type": "interval", "every": "1m"});
        app.json("POST", "/api/v1/jobs", &busy).await;
        for _ in 0..101 {
            app.run("busy").await;
        }
        let query = "from=2026-11-24T00:00:00Z&to=2026-11-24T03:00:00Z";
        let row = app.get(&format!("/api/v1/timeline?{query}")).await.value()["data"][0].clone();
        assert_eq!((&row["runs"], &row["upcoming"]), (&json!([]), &json!([])));
        assert_eq!(row["run_counts"][0]["by_status"]["pending"], 101);
        let upcoming = row["upcoming_counts"].as_array().unwrap();
        assert_eq!(upcoming.iter().map(|it| it["count"].as_u64().unwrap()).sum::<u64>(), 179);
        assert_eq!(row["runs_complete"], true);
    }

    #[tokio::test]
    async fn pages_of_jobs_join() {
        let app = TestApp::new();
        for name in ["c", "a", "b"] {
            app.create(name).await;
        }
        let names = |page: &Value| -> Vec<String> {
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["job_name"].as_str().unwrap().to_owned())
                .collect()
        };
        let first = app.get("/api/v1/timeline?limit=2").await.value();
        assert_eq!(names(&first), ["a", "b"]);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = app.get(&format!("/api/v1/timeline?limit=2&cursor={cursor}")).await.value();
        assert_eq!((names(&second), &second["has_more"]), (vec!["c".to_owned()], &json!(false)));
        assert_eq!(names(&app.get("/api/v1/timeline?q=C").await.value()), ["c"]);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_query_is_named() {
        let app = TestApp::new();
        for (query, gist) in [
            ("from=x", "422 invalid_query [from invalid_value]"),
            ("from=2026-11-24T00:00:00Z&to=2026-11-24T00:00:00Z", "422 invalid_query [to out_of_range]"),
            ("from=2026-11-24T00:00:00Z&to=2026-12-25T00:00:01Z", "422 invalid_query [to out_of_range]"),
            ("state=asleep", "422 invalid_query [state invalid_value]"),
            ("limit=0", "422 invalid_query [limit invalid_value]"),
            ("label=x", "422 invalid_query [label invalid_value]"),
            ("cursor=e30", "422 invalid_cursor [cursor invalid_cursor]"),
        ] {
            assert_eq!(app.get(&format!("/api/v1/timeline?{query}")).await.gist(), gist, "{query}");
        }
        let first = "from=1970-01-01T00:00:00Z&to=1970-01-02T00:00:00Z";
        assert_eq!(app.get(&format!("/api/v1/timeline?{first}")).await.status, 200);
        let last = "from=2100-12-31T00:00:00Z&to=2100-12-31T23:59:59Z";
        assert_eq!(app.get(&format!("/api/v1/timeline?{last}")).await.status, 200);
        assert_eq!(app.get("/api/v1/timeline?from=2100-12-31T23:59:59Z").await.status, 200);
    }
}
