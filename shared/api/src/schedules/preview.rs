//! `POST /schedules/preview`

use axum::Json;
use axum::extract::State;
use chrono::TimeDelta;
use domain::invalid::Findings;
use domain::schedule::Dialect;
use domain::time::{Explanation, Timetable, Zone};
use domain::{Instant, Invalid, Schedule};
use serde::{Deserialize, Serialize};

use crate::extract::JsonBody;
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::Timestamp;

/// The schedule to be tried out.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// When something would be due.
    schedule: Schedule,
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

/// What a schedule means.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SchedulePreview {
    /// In words.
    #[schema(example = "At 02:00 on weekdays, Europe/Paris")]
    pub description: String,
    /// A cron expression written the standard way.
    #[schema(required, example = "0 2 * * MON-FRI")]
    pub normalized: Option<String>,
    /// How a cron expression was read.
    #[schema(required)]
    pub dialect: Option<Dialect>,
    /// Its first occurrences.
    pub next: Vec<PreviewedOccurrence>,
    /// How often a day it is due, averaged over the coming year; `null` where it does not repeat.
    #[schema(required)]
    pub runs_per_day: Option<f64>,
    /// What its author may not have meant.
    pub warnings: Vec<String>,
}

/// One occurrence of a schedule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PreviewedOccurrence {
    /// The instant.
    pub at: Timestamp,
    /// The wall clock of the schedule's zone at that instant.
    #[schema(example = "2026-11-24T02:00:00")]
    pub local: String,
    /// The zone's offset from UTC at that instant.
    #[schema(example = "+01:00")]
    pub offset: String,
    /// What is special about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
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
        ("interval" = (summary = "Every 90 minutes from midnight", value = json!({
            "schedule": {"type": "interval", "every": "1h30m", "anchor": "2026-11-24T00:00:00Z"}
        })))
    )),
    responses((status = 200, description = "What it means", body = SchedulePreview))
)]
pub async fn preview_schedule(
    State(state): State<Shared>,
    JsonBody(request): JsonBody<PreviewRequest>,
) -> Result<Json<SchedulePreview>, Problem> {
    let from = request.from.map_or_else(|| state.scheduler.now(), domain::whole_millis);
    let mut findings = Findings::default();
    findings.require((1..=1_000).contains(&request.count), "/count", "out_of_range", || {
        format!("{} is outside 1–1000", request.count)
    });
    let served = Instant::UNIX_EPOCH..END_OF_2100;
    findings.require(served.contains(&from), "/from", "out_of_range", || "lies outside 1970–2100".to_owned());
    findings.finish()?;
    let mut findings = Findings::default();
    let meant = findings.nest("/schedule", state.scheduler.preview(request.schedule, from));
    findings.finish()?;
    let (schedule, timetable) = meant.ok_or_else(|| Invalid(Vec::new()))?;

    Ok(Json(SchedulePreview::new(&schedule, &timetable, from, request.count)))
}

impl SchedulePreview {
    /// What `schedule`, compiled to `timetable`, means after `from`, with at most `count` occurrences.
    pub fn new(schedule: &Schedule, timetable: &Timetable, from: Instant, count: usize) -> Self {
        let next = occurrences(timetable, &schedule.zone(), from, count);
        let Explanation { description, normalized, dialect, mut warnings } = timetable.explain(schedule);
        if next.is_empty() {
            warnings.push(format!("never due after {}", Timestamp(from)));
        }
        let repeats = !matches!(schedule, Schedule::Date(_));
        let runs_per_day = repeats.then(|| runs_per_day(timetable, from));
        Self { description, normalized, dialect, next, runs_per_day, warnings }
    }
}

/// No schedule reaches further.
const END_OF_2100: Instant = match Instant::from_timestamp(4_133_980_800, 0) {
    Some(instant) => instant,
    None => Instant::MAX_UTC,
};

fn occurrences(timetable: &Timetable, zone: &Zone, from: Instant, count: usize) -> Vec<PreviewedOccurrence> {
    let mut before = zone.offset_seconds(from);
    let occurrence = |at| {
        let seconds = zone.offset_seconds(at);
        let local = zone.local(at).format("%Y-%m-%dT%H:%M:%S").to_string();
        let skipped = timetable.stands_for(at).map(|skipped| {
            format!(
                "{} does not exist on {}, runs at {}",
                skipped.format("%H:%M"),
                skipped.format("%Y-%m-%d"),
                zone.local(at).format("%H:%M")
            )
        });
        let changed = (seconds != before).then(|| {
            format!("the first since the clocks changed from {} to {}", offset(before), offset(seconds))
        });
        let note = skipped.or(changed);
        before = seconds;
        PreviewedOccurrence { at: Timestamp(at), local, offset: offset(seconds), note }
    };
    timetable.after(from).take(count).map(occurrence).collect()
}

/// Averaged over a year, because a day or a week may hold none or, of all, the busiest.
fn runs_per_day(timetable: &Timetable, from: Instant) -> f64 {
    const DAYS: i64 = 365;
    let until = (from + TimeDelta::days(DAYS)).min(END_OF_2100);
    let count = timetable.count(from + TimeDelta::milliseconds(1), until);
    #[expect(clippy::cast_precision_loss, reason = "at most 31 million a year")]
    let average = count as f64 / DAYS as f64;
    (average * 1_000.0).round() / 1_000.0
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = (seconds.abs() / 3_600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    if rest == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::offset;
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
            (json!({}), "422 invalid_request [ missing_field]"),
        ];
        for (request, gist) in cases {
            assert_eq!(
                app.json("POST", "/api/v1/schedules/preview", &request).await.gist(),
                gist,
                "{request}"
            );
        }
    }

    #[test]
    fn offsets_are_signed() {
        assert_eq!([0, 3_600, -12_600, 1_172].map(offset), ["+00:00", "+01:00", "-03:30", "+00:19:32"]);
    }
}
