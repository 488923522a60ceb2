//! `POST /schedules/preview`

use axum::Json;
use axum::extract::State;
use domain::calendar::CalendarUse;
use domain::invalid::Findings;
use domain::job::check_max_runs;
use domain::plan::Timing;
use domain::{HumanDuration, Instant, Invalid, JobId, Schedule, is_in_range};
use engine::{JobKey, Scheduler, SchedulerError, StoredJob};
use serde::Deserialize;

use super::meaning::{Jitter, SchedulePreview};
use crate::extract::{JsonBody, Project};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::Timestamp;

/// The schedule to be tried out.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// When something would be due.
    schedule: Schedule,
    /// Up to how much later than its time an occurrence is due.
    #[serde(default)]
    #[schema(value_type = String, default = "0s", example = "30s")]
    jitter: HumanDuration,
    /// Which calendars to leave out or keep to.
    #[serde(default)]
    calendars: Vec<CalendarUse>,
    /// No occurrence before this instant.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    start_at: Option<Instant>,
    /// No occurrence after this instant.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    end_at: Option<Instant>,
    /// How many runs the schedule may start in all.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    max_runs: Option<u32>,
    /// The id or name of a job: jitter is different for every job, and is shown as it is for this one; of `max_runs` those
    /// it has started already are taken off.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "nightly-report")]
    job: Option<String>,
    /// Occurrences after this instant; now where not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// At most so many.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 1000, default = 10)]
    count: usize,
}

fn ten() -> usize {
    10
}

/// Try a schedule out
///
/// Stores nothing. Says when a job with this schedule would be due, on its own wall clock too.
#[utoipa::path(
    post,
    path = "/schedules/preview",
    operation_id = "previewSchedule",
    tag = "schedules",
    request_body(content = PreviewRequest, examples(
        ("cron" = (summary = "Weekdays at 02:00 in Paris", value = json!({
            "schedule": {"type": "cron", "expression": "0 2 * * 1-5", "timezone": "Europe/Paris"}, "count": 5
        }))),
        ("calendar-interval" = (summary = "The last day of every month at 09:00 in Paris", value = json!({
            "schedule": {
                "type": "calendar_interval", "every": {"months": 1}, "time": "09:00",
                "start_date": "2026-12-31", "timezone": "Europe/Paris"
            }
        }))),
        ("interval" = (summary = "Every 90 minutes from midnight", value = json!({
            "schedule": {"type": "interval", "every": "1h30m", "anchor": "2026-11-24T00:00:00Z"}
        })))
    )),
    responses((status = 200, description = "What it means", body = SchedulePreview))
)]
pub async fn preview_schedule(
    State(state): State<Shared>,
    Project(project): Project,
    JsonBody(request): JsonBody<PreviewRequest>,
) -> Result<Json<SchedulePreview>, Problem> {
    let scheduler = &state.scheduler;
    let from = request.from.map_or_else(|| scheduler.now(), domain::whole_millis);
    let mut findings = Findings::default();
    findings.require((1..=1_000).contains(&request.count), "/count", "out_of_range", || {
        format!("{} is outside 1–1000", request.count)
    });
    findings.nest("", check_max_runs(request.max_runs));
    findings.require(is_in_range(from), "/from", "out_of_range", || "lies outside 1970–2100".to_owned());
    findings.finish()?;
    let job = match &request.job {
        Some(key) => Some(known_job(scheduler, &project, key).await?),
        None => None,
    };
    let timing = Timing {
        schedule: &request.schedule,
        start_at: request.start_at.map(domain::whole_millis),
        end_at: request.end_at.map(domain::whole_millis),
        calendars: &request.calendars,
        jitter: request.jitter,
    };
    let id = job.as_ref().map_or(JobId::NIL, identity);
    let (schedule, plan) = scheduler.preview(&project, id, timing, from).await?;
    let started = job.as_ref().and_then(|it| it.job.as_ref().ok()).map_or(0, |job| job.runs_started);
    let left = request.max_runs.map(|most| u64::from(most).saturating_sub(started));
    let jitter = match &job {
        _ if request.jitter == HumanDuration::ZERO => Jitter::None,
        Some(_) => Jitter::Drawn,
        None => Jitter::Unknown,
    };
    let mut preview = SchedulePreview::new(&schedule, &plan, jitter, from, request.count, left);
    if let (Jitter::None, Some(first)) = (jitter, preview.next.first()) {
        let others = scheduler.count_due(first.at.0, first.at.0, MOST_COUNTED).await?;
        preview.warnings.extend(collision(first.at, others));
    }
    Ok(Json(preview))
}

async fn known_job(scheduler: &Scheduler, project: &str, key: &str) -> Result<StoredJob, Problem> {
    match scheduler.job(project, &JobKey::from(key)).await {
        Err(SchedulerError::NotFound { .. }) => {
            Err(Invalid::one("/job", "unknown_job", "there is no such job").into())
        }
        found => Ok(found?),
    }
}

fn identity(stored: &StoredJob) -> JobId {
    stored.job.as_ref().map_or_else(|broken| broken.id, |job| job.id)
}

const MANY: u64 = 100;
const MOST_COUNTED: u32 = 10_000;

/// Jobs that all begin at one instant wait for each other: for workers here, and at their targets.
fn collision(at: Timestamp, others: u64) -> Option<String> {
    (others >= MANY).then(|| {
        let least = if others >= MOST_COUNTED.into() { "at least " } else { "" };
        format!("{least}{others} other jobs are due at {at} as well; another minute or some jitter spreads the load")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn shows_the_wall_clock_through_a_change() {
        let app = TestApp::new();
        let answer = app
            .json(
                "POST",
                "/api/v1/schedules/preview",
                &json!({
                    "schedule": {"type": "cron", "expression": "30 9 * * *", "timezone": "Europe/Paris"},
                    "from": "2027-03-26T12:00:00+01:00",
                    "count": 3
                }),
            )
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        insta::assert_json_snapshot!(answer.value(), @r#"
        {
          "description": "At 09:30 every day, Europe/Paris",
          "dialect": "unix",
          "left_out": [],
          "next": [
            {
              "at": "2027-03-27T08:30:00.000Z",
              "local": "2027-03-27T09:30:00",
              "offset": "+01:00"
            },
            {
              "at": "2027-03-28T07:30:00.000Z",
              "local": "2027-03-28T09:30:00",
              "note": "the first since the clocks changed from +01:00 to +02:00",
              "offset": "+02:00"
            },
            {
              "at": "2027-03-29T07:30:00.000Z",
              "local": "2027-03-29T09:30:00",
              "offset": "+02:00"
            }
          ],
          "normalized": "30 9 * * *",
          "runs_per_day": 1.0,
          "warnings": []
        }
        "#);
    }

    #[tokio::test]
    async fn says_how_often_and_whether_at_all() {
        let app = TestApp::new();
        let cases = [
            (json!({"type": "interval", "every": "5m"}), json!(288.0), 10),
            (json!({"type": "cron", "expression": "0 2 * * 1-5"}), json!(0.715), 10),
            (json!({"type": "date", "at": "2026-12-01T09:00:00Z"}), json!(null), 1),
            (json!({"type": "date", "at": "2020-12-01T09:00:00Z"}), json!(null), 0),
        ];
        for (schedule, per_day, count) in cases {
            let preview =
                app.json("POST", "/api/v1/schedules/preview", &json!({"schedule": schedule})).await.value();
            assert_eq!(preview["runs_per_day"], per_day, "{schedule}");
            assert_eq!(preview["next"].as_array().unwrap().len(), count, "{schedule}");
            assert_eq!(preview["warnings"].as_array().unwrap().is_empty(), count > 0, "{schedule}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_pointed_at() {
        let app = TestApp::new();
        let every = json!({"type": "interval", "every": "5m"});
        let cases = [
            (json!({"schedule": every, "count": 0}), "422 invalid_request [/count out_of_range]"),
            (json!({"schedule": every, "count": 1001}), "422 invalid_request [/count out_of_range]"),
            (json!({"schedule": every, "count": -1}), "422 invalid_request [/count invalid_value]"),
            (
                json!({"schedule": every, "from": "2101-01-01T00:00:00Z"}),
                "422 invalid_request [/from out_of_range]",
            ),
            (
                json!({"schedule": every, "from": "+262142-12-31T23:59:59Z"}),
                "422 invalid_request [/from out_of_range]",
            ),
            (
                json!({"schedule": {"type": "cron", "expression": "0 0 30 2 *"}}),
                "422 invalid_request [/schedule/expression never_fires]",
            ),
            (json!({"schedule": every, "zone": "UTC"}), "422 invalid_request [/zone unknown_field]"),
            (json!({}), "422 invalid_request [/schedule missing_field]"),
        ];
        for (request, gist) in cases {
            assert_eq!(
                app.json("POST", "/api/v1/schedules/preview", &request).await.gist(),
                gist,
                "{request}"
            );
        }
    }

    async fn preview(app: &TestApp, request: serde_json::Value) -> serde_json::Value {
        let answer = app.json("POST", "/api/v1/schedules/preview", &request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()
    }

    #[tokio::test]
    async fn shows_what_calendars_leave_out_and_move() {
        let app = TestApp::new();
        app.json("PUT", "/api/v1/calendars/holidays", &json!({"dates": ["12-25", "12-26"]})).await;
        let mut request = json!({
            "schedule": {"type": "cron", "expression": "0 9 * * *"},
            "calendars": [{"name": "holidays"}],
            "from": "2026-12-24T00:00:00Z",
            "count": 2
        });
        let skipped = preview(&app, request.clone()).await;
        let at = |it: &serde_json::Value| it["at"].as_str().unwrap().to_owned();
        let next: Vec<_> = skipped["next"].as_array().unwrap().iter().map(at).collect();
        assert_eq!(next, ["2026-12-24T09:00:00.000Z", "2026-12-27T09:00:00.000Z"]);
        assert_eq!(
            skipped["left_out"],
            json!([
                {"at": "2026-12-25T09:00:00.000Z", "local": "2026-12-25T09:00:00", "calendar": "holidays"},
                {"at": "2026-12-26T09:00:00.000Z", "local": "2026-12-26T09:00:00", "calendar": "holidays"}
            ])
        );
        request["calendars"][0]["roll"] = json!("previous");
        request["schedule"]["expression"] = json!("0 9 26 * *");
        let moved = preview(&app, request).await;
        assert_eq!(moved["next"][0]["at"], "2026-12-24T09:00:00.000Z");
        assert_eq!(moved["next"][0]["note"], "moved here from 2026-12-26");
        assert_eq!(moved["left_out"], json!([]));
    }

    /// Jitter differs from job to job, so before there is one only its bounds can be shown.
    #[tokio::test]
    async fn shows_jitter_as_far_as_it_is_known() {
        let app = TestApp::new();
        let mut job = crate::testing::draft("nightly");
        job["jitter"] = json!("10m");
        let job = app.json("POST", "/api/v1/jobs", &job).await.value();
        let mut request = json!({
            "schedule": {"type": "cron", "expression": "0 1 * * *"}, "jitter": "10m", "count": 1
        });
        let unknown = preview(&app, request.clone()).await["next"][0].clone();
        assert_eq!(unknown["at"], "2026-11-24T01:00:00.000Z");
        assert_eq!(
            (&unknown["due_at"], &unknown["due_by"]),
            (&json!(null), &json!("2026-11-24T01:09:59.999Z"))
        );
        request["job"] = json!("nightly");
        let known = preview(&app, request.clone()).await["next"][0].clone();
        assert_eq!((&known["due_at"], &known["due_by"]), (&job["next_fire_at"], &json!(null)));
        assert_ne!(known["due_at"], known["at"]);
        request["job"] = json!("weekly");
        let answer = app.json("POST", "/api/v1/schedules/preview", &request).await;
        assert_eq!(answer.gist(), "422 invalid_request [/job unknown_job]");
    }

    #[tokio::test]
    async fn shows_no_more_than_may_run() {
        let app = TestApp::new();
        app.create("nightly").await;
        let mut request = json!({"schedule": {"type": "cron", "expression": "0 1 * * *"}, "max_runs": 3});
        let limited = preview(&app, request.clone()).await;
        assert_eq!((limited["next"].as_array().unwrap().len(), &limited["warnings"]), (3, &json!([])));
        app.fire("2026-11-24T01:00:00Z").await;
        request["job"] = json!("nightly");
        assert_eq!(preview(&app, request.clone()).await["next"].as_array().unwrap().len(), 2);
        request["max_runs"] = json!(1);
        let none = preview(&app, request.clone()).await;
        assert_eq!(none["next"], json!([]));
        assert_eq!(none["warnings"], json!(["the job has started as many runs as max_runs allows"]));
        request["max_runs"] = json!(0);
        let answer = app.json("POST", "/api/v1/schedules/preview", &request).await;
        assert_eq!(answer.gist(), "422 invalid_request [/max_runs out_of_range]");
    }

    #[tokio::test]
    async fn warns_where_many_jobs_are_due_at_once() {
        let app = TestApp::new();
        for index in 0..100 {
            app.create(&format!("nightly-{index}")).await;
        }
        let warnings = |expression: &str| {
            let request = json!({"schedule": {"type": "cron", "expression": expression}});
            let app = &app;
            async move { preview(app, request).await["warnings"].clone() }
        };
        let warned = warnings("0 1 * * *").await;
        assert!(
            warned[0].as_str().unwrap().starts_with("100 other jobs are due at 2026-11-24T01:00"),
            "{warned}"
        );
        assert_eq!(warnings("1 1 * * *").await, json!([]));
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_rest_is_pointed_at() {
        let app = TestApp::new();
        let request = |extra: serde_json::Value| {
            let mut request = json!({"schedule": {"type": "interval", "every": "5m"}});
            request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            request
        };
        app.json("PUT", "/api/v1/calendars/off", &json!({})).await;
        let roll = json!({"calendars": [{"name": "off", "roll": "next"}]});
        let cases = [
            (json!({"jitter": "2d"}), "/jitter out_of_range"),
            (json!({"jitter": 5}), "/jitter invalid_type"),
            (json!({"calendars": [{"name": "on"}]}), "/calendars/0/name unknown_calendar"),
            (json!({"calendars": ["off"]}), "/calendars/0 invalid_type"),
            (json!({"calendars": [{"name": "off"}, {"name": "off"}]}), "/calendars/1/name invalid_value"),
            (roll, "/calendars/0/roll invalid_value"),
            (
                json!({"start_at": "2027-01-02T00:00:00Z", "end_at": "2027-01-01T00:00:00Z"}),
                "/end_at out_of_range",
            ),
        ];
        for (extra, part) in cases {
            let answer = app.json("POST", "/api/v1/schedules/preview", &request(extra.clone())).await;
            assert_eq!(answer.gist(), format!("422 invalid_request [{part}]"), "{extra}");
        }
    }
}
