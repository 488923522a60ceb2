//! `GET /stats`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{OriginalUri, State};
use chrono::{SubsecRound, TimeDelta};
use domain::{HumanDuration, JobState, Reason, RunKind, RunStatus};
use engine::insights::{Tally, Window};
use engine::overview::{NotExecuted, Spread, Stats, StatsQuery};
use serde::Serialize;

use super::attention::AttentionView;
use crate::extract::Project;
use crate::extract::query::{QueryString, instant};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::Timestamp;

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct StatsParams {
    /// How far back: runs with nominal times from so long before `to`. From `1m` to `31d`.
    #[param(value_type = Option<String>, default = "24h", example = "7d")]
    window: Option<String>,
    /// The end of the window; that of the present second where not given. Two requests, one a window earlier, tell how things have changed.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// In how many parts of equal length the window is shown.
    #[param(minimum = 1, maximum = 500, default = 24)]
    buckets: Option<u32>,
}

/// How a project has been doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Stats)]
pub struct StatsView {
    /// When the window begins. Later than asked for where there were more than 250 000 runs: the newest count.
    pub from: Timestamp,
    /// The first instant after the window.
    pub to: Timestamp,
    /// Whether all runs of the window that was asked for have been counted.
    pub complete: bool,
    /// How many jobs there are.
    pub jobs: JobCounts,
    /// How many runs there are.
    pub runs: RunCounts,
    /// Which part of the runs that succeeded, failed or timed out succeeded; `null` where there were none.
    #[schema(required, minimum = 0, maximum = 1, example = 0.9975)]
    pub success_rate: Option<f64>,
    /// How late runs started, of a sample; `null` where none did.
    #[schema(required)]
    pub lateness: Option<SpreadView>,
    /// How long runs took from their first attempt to their end, of a sample; `null` where none did.
    #[schema(required)]
    pub duration: Option<SpreadView>,
    /// What was not executed, by reason, the most first.
    pub not_executed: Vec<NotExecutedView>,
    /// Whether `not_executed` is of all records: at most the newest 10 000 are read.
    pub not_executed_complete: bool,
    /// The window in parts of equal length, oldest first.
    pub buckets: Vec<Bucket>,
    /// Jobs that somebody should look at, the most urgent first, 50 at most.
    pub attention: Vec<AttentionView>,
    /// Whether those are all.
    pub attention_complete: bool,
}

/// How many jobs there are by state.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JobCounts {
    /// In any state.
    pub total: u64,
    /// Whether all have been counted: 200 000 are, at most.
    pub complete: bool,
    /// Those that fire.
    pub active: u64,
    /// Those that do not until resumed.
    pub paused: u64,
    /// Those without an occurrence left.
    pub completed: u64,
    /// Those whose stored form cannot be read.
    pub invalid: u64,
}

/// How many runs there are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RunCounts {
    /// All of them.
    pub total: u64,
    /// By where they stand.
    pub by_status: StatusCounts,
    /// By what made them: `schedule`, `manual`, `backfill`.
    pub by_kind: BTreeMap<&'static str, u64>,
}

/// How many runs there are by status.
#[derive(Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "each is a status")]
pub struct StatusCounts {
    pub pending: u64,
    pub running: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub cancelled: u64,
    pub skipped: u64,
    pub missed: u64,
}

/// Percentiles, in milliseconds, by nearest rank.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Spread)]
pub struct SpreadView {
    /// Half took no longer.
    pub p50_ms: u64,
    /// 95 % took no longer.
    pub p95_ms: u64,
    /// 99 % took no longer.
    pub p99_ms: u64,
    /// The longest.
    pub max_ms: u64,
    /// Of how many runs: of all up to 5 000, of an even sample where there are more.
    pub of: usize,
}

/// Occurrences that were not executed for one reason.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NotExecuted)]
pub struct NotExecutedView {
    /// `skipped` or `missed`.
    pub status: RunStatus,
    /// Why.
    #[schema(required)]
    pub reason: Option<Reason>,
    /// How many records say so.
    pub records: u64,
    /// How many occurrences they stand for.
    pub occurrences: u64,
}

/// A part of the window.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Bucket {
    /// When it begins; it ends where the next one begins.
    pub from: Timestamp,
    /// Whether its runs have been counted; `false` where there were too many.
    pub complete: bool,
    /// Its runs by status.
    pub by_status: StatusCounts,
}

/// Get numbers over a window of time
///
/// Runs by status, kind and part of the window, how late they started and how long they took, what was not executed and
/// why, and which jobs need attention.
#[utoipa::path(
    get,
    path = "/stats",
    operation_id = "getStats",
    tag = "overview",
    params(StatsParams),
    responses((status = 200, description = "The numbers", body = StatsView))
)]
pub async fn get_stats(
    State(state): State<Shared>,
    Project(project): Project,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<StatsView>, Problem> {
    let now = state.overview.now();
    let mut query = QueryString::parse(uri.query());
    let window = query.one("window", length).unwrap_or(HumanDuration::from_secs(24 * 3_600));
    // What is due at this very moment is in the window, and its parts begin with whole seconds.
    let until = query.one("to", instant).unwrap_or(now.trunc_subsecs(0) + TimeDelta::seconds(1));
    let parts = query.one("buckets", |text| match text.parse() {
        Ok(parts @ 1..=500) => Ok(parts),
        _ => Err("is a whole number from 1 to 500".to_owned()),
    });
    query.finish()?;
    let window = Window { project, from: until - window.to_delta(), until };
    let asked = window.clone();
    let found = state.overview.stats(&StatsQuery { window, parts: parts.unwrap_or(24) }).await?;
    Ok(Json(StatsView::new(found, &asked)))
}

fn length(text: &str) -> Result<HumanDuration, String> {
    const LONGEST: HumanDuration = HumanDuration::from_secs(31 * 86_400);
    let window: HumanDuration = text.parse()?;
    if (HumanDuration::from_secs(60)..=LONGEST).contains(&window) {
        Ok(window)
    } else {
        Err("is a duration from 1m to 31d".to_owned())
    }
}

impl StatsView {
    fn new(stats: Stats, asked: &Window) -> Self {
        let of = |status: RunStatus| stats.runs(status);
        let left_out = of(RunStatus::Skipped) + of(RunStatus::Missed);
        let counted = |tally: &Tally| (tally.status, tally.runs);
        let buckets = stats.parts.iter().map(|from| Bucket {
            from: (*from).into(),
            complete: stats.window.from <= *from,
            by_status: StatusCounts::of(
                stats.tallies.iter().filter(|tally| tally.from == *from).map(counted),
            ),
        });
        let by_kind = RunKind::ALL.map(|kind| {
            let runs = stats.tallies.iter().filter(|tally| tally.kind == kind).map(|tally| tally.runs);
            (kind.as_str(), runs.sum())
        });
        Self {
            from: stats.window.from.into(),
            to: stats.window.until.into(),
            complete: stats.window.from == asked.from,
            jobs: JobCounts::new(&stats.jobs, stats.all_jobs),
            runs: RunCounts {
                total: stats.tallies.iter().map(|tally| tally.runs).sum(),
                by_status: StatusCounts::of(stats.tallies.iter().map(counted)),
                by_kind: by_kind.into_iter().collect(),
            },
            success_rate: stats.success_rate(),
            lateness: stats.lateness.map(SpreadView::from),
            duration: stats.duration.map(SpreadView::from),
            not_executed_complete: stats.not_executed_read == left_out,
            buckets: buckets.collect(),
            not_executed: stats.not_executed.into_iter().map(NotExecutedView::from).collect(),
            attention: stats.attention.into_iter().map(AttentionView::from).collect(),
            attention_complete: stats.all_attention,
        }
    }
}

impl JobCounts {
    fn new(counted: &[(JobState, u64)], complete: bool) -> Self {
        let of = |state| counted.iter().find(|(it, _)| *it == state).map_or(0, |(_, count)| *count);
        Self {
            total: counted.iter().map(|(_, count)| count).sum(),
            complete,
            active: of(JobState::Active),
            paused: of(JobState::Paused),
            completed: of(JobState::Completed),
            invalid: of(JobState::Invalid),
        }
    }
}

impl StatusCounts {
    /// The sum of what has been counted.
    pub fn of(counted: impl IntoIterator<Item = (RunStatus, u64)>) -> Self {
        let mut counts = Self::default();
        for (status, runs) in counted {
            *match status {
                RunStatus::Pending => &mut counts.pending,
                RunStatus::Running => &mut counts.running,
                RunStatus::Succeeded => &mut counts.succeeded,
                RunStatus::Failed => &mut counts.failed,
                RunStatus::TimedOut => &mut counts.timed_out,
                RunStatus::Cancelled => &mut counts.cancelled,
                RunStatus::Skipped => &mut counts.skipped,
                RunStatus::Missed => &mut counts.missed,
            } += runs;
        }
        counts
    }
}

impl From<Spread> for SpreadView {
    fn from(Spread { p50, p95, p99, max, of }: Spread) -> Self {
        Self {
            p50_ms: p50.as_millis(),
            p95_ms: p95.as_millis(),
            p99_ms: p99.as_millis(),
            max_ms: max.as_millis(),
            of,
        }
    }
}

impl From<NotExecuted> for NotExecutedView {
    fn from(NotExecuted { status, reason, records, occurrences }: NotExecuted) -> Self {
        Self { status, reason, records, occurrences }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn a_new_project_has_nothing_to_show() {
        let app = TestApp::new();
        let stats = app.get("/api/v1/stats?buckets=2").await.value();
        insta::assert_json_snapshot!(stats, @r#"
        {
          "attention": [],
          "attention_complete": true,
          "buckets": [
            {
              "by_status": {
                "cancelled": 0,
                "failed": 0,
                "missed": 0,
                "pending": 0,
                "running": 0,
                "skipped": 0,
                "succeeded": 0,
                "timed_out": 0
              },
              "complete": true,
              "from": "2026-11-23T00:00:01.000Z"
            },
            {
              "by_status": {
                "cancelled": 0,
                "failed": 0,
                "missed": 0,
                "pending": 0,
                "running": 0,
                "skipped": 0,
                "succeeded": 0,
                "timed_out": 0
              },
              "complete": true,
              "from": "2026-11-23T12:00:01.000Z"
            }
          ],
          "complete": true,
          "duration": null,
          "from": "2026-11-23T00:00:01.000Z",
          "jobs": {
            "active": 0,
            "complete": true,
            "completed": 0,
            "invalid": 0,
            "paused": 0,
            "total": 0
          },
          "lateness": null,
          "not_executed": [],
          "not_executed_complete": true,
          "runs": {
            "by_kind": {
              "backfill": 0,
              "manual": 0,
              "schedule": 0
            },
            "by_status": {
              "cancelled": 0,
              "failed": 0,
              "missed": 0,
              "pending": 0,
              "running": 0,
              "skipped": 0,
              "succeeded": 0,
              "timed_out": 0
            },
            "total": 0
          },
          "success_rate": null,
          "to": "2026-11-24T00:00:01.000Z"
        }
        "#);
    }

    #[tokio::test]
    async fn runs_are_counted_where_they_fall() {
        let app = TestApp::new();
        app.create("nightly").await;
        app.run("nightly").await;
        app.clock.advance(chrono::TimeDelta::hours(13));
        let run = app.run("nightly").await;
        app.post(&format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap())).await;
        let stats = app.get("/api/v1/stats?buckets=2").await.value();
        assert_eq!(stats["runs"]["total"], 2);
        assert_eq!(stats["runs"]["by_kind"], json!({"backfill": 0, "manual": 2, "schedule": 0}));
        let parts: Vec<_> =
            stats["buckets"].as_array().unwrap().iter().map(|it| it["by_status"].clone()).collect();
        assert_eq!((&parts[0]["pending"], &parts[0]["cancelled"]), (&json!(1), &json!(0)));
        assert_eq!((&parts[1]["pending"], &parts[1]["cancelled"]), (&json!(0), &json!(1)));
        let earlier = app.get("/api/v1/stats?window=1h&to=2026-11-24T00:00:00.001Z").await.value();
        assert_eq!(earlier["runs"]["by_status"]["pending"], 1);
        let before = app.get("/api/v1/stats?window=1h&to=2026-11-24T00:00:00Z").await.value();
        assert_eq!((&before["runs"]["total"], &before["success_rate"]), (&json!(0), &json!(null)));
    }

    /// The job is overdue, and so is a run of it that nobody takes up; whoever paused a job knows how it is.
    #[tokio::test]
    async fn jobs_that_need_attention_say_why() {
        let app = TestApp::new();
        let job = app.create("nightly").await;
        app.create("paused").await;
        app.post("/api/v1/jobs/paused/pause").await;
        let broken = app.create("broken").await;
        app.store.corrupt(broken["id"].as_str().unwrap().parse().unwrap());
        let attention = async || app.get("/api/v1/stats").await.value()["attention"].clone();
        assert_eq!(attention().await, json!([]));
        app.clock.advance(chrono::TimeDelta::minutes(61));
        let attention = attention().await;
        let causes: Vec<_> = attention
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["job_name"].clone(), it["causes"].clone()))
            .collect();
        assert_eq!(causes, [(json!("broken"), json!(["invalid"])), (json!("nightly"), json!(["late"]))]);
        assert_eq!(attention[1]["late_since"], job["next_fire_at"]);
        assert!(attention[0]["error"].as_str().is_some());
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_query_is_named() {
        let app = TestApp::new();
        for (query, gist) in [
            ("window=59s", "422 invalid_query [window invalid_value]"),
            ("window=32d", "422 invalid_query [window invalid_value]"),
            ("window=day", "422 invalid_query [window invalid_value]"),
            ("window=99999999999999999999d", "422 invalid_query [window invalid_value]"),
            ("buckets=0", "422 invalid_query [buckets invalid_value]"),
            ("buckets=501", "422 invalid_query [buckets invalid_value]"),
            ("to=yesterday", "422 invalid_query [to invalid_value]"),
            ("to=2101-01-01T00:00:00Z", "422 invalid_query [to invalid_value]"),
            ("to=-262143-01-01T00:00:00Z", "422 invalid_query [to invalid_value]"),
            ("from=2026-01-01T00:00:00Z", "422 invalid_query [from unknown_parameter]"),
        ] {
            assert_eq!(app.get(&format!("/api/v1/stats?{query}")).await.gist(), gist, "{query}");
        }
        assert_eq!(app.get("/api/v1/stats?window=31d&to=1970-01-01T00:00:00Z").await.status, 200);
    }
}
