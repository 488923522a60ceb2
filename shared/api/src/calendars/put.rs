//! `PUT /calendars/{name}`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::CalendarDraft;
use serde::Serialize;

use crate::extract::if_match::{IfMatchHeader, etag};
use crate::extract::path::CalendarNameParam;
use crate::extract::{CalendarBody, CalendarPath, IfMatch, Project};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::CalendarView;

/// A calendar, and what putting it has done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PutCalendarAnswer {
    /// The calendar, as it is stored.
    #[serde(flatten)]
    pub calendar: CalendarView,
    /// How many jobs that use it were rescheduled.
    pub jobs_changed: u64,
}

/// Create or replace a calendar
///
/// Every job that uses it is rescheduled, from now on. The body is JSON, or an iCalendar file (`text/calendar`), such
/// as those published for public holidays: its events become dates and ranges.
#[utoipa::path(
    put,
    path = "/calendars/{name}",
    operation_id = "putCalendar",
    tag = "calendars",
    params(CalendarNameParam, IfMatchHeader),
    request_body(content(
        (CalendarDraft = "application/json", examples(
            ("holidays" = (summary = "Days without work", value = json!({
                "timezone": "Europe/Berlin",
                "dates": ["01-01", "05-01", "12-25", "12-26", "2027-03-26"],
                "ranges": [{"from": "2026-12-24T12:00", "until": "2027-01-03"}]
            }))),
            ("office-hours" = (summary = "Hours with somebody at work", value = json!({
                "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:30"}]
            })))
        )),
        (String = "text/calendar", example = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n\
            DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christmas Day\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    )),
    responses(
        (
            status = 200, description = "There was one, and it is replaced", body = PutCalendarAnswer,
            headers(("ETag", description = "Its new version"))
        ),
        (
            status = 201, description = "There was none, and now there is", body = PutCalendarAnswer,
            headers(("ETag", description = "Its version"))
        )
    )
)]
pub async fn put_calendar(
    State(state): State<Shared>,
    Project(project): Project,
    CalendarPath(name): CalendarPath,
    if_match: IfMatch,
    CalendarBody(draft): CalendarBody,
) -> Result<Response, Problem> {
    let current = async { Ok(state.scheduler.calendar(&project, &name).await?.version) };
    let expected = if_match.expected_of(current).await?;
    let put = state.scheduler.put_calendar(&project, &name, &draft, expected).await?;
    let status = if put.created { StatusCode::CREATED } else { StatusCode::OK };
    let tag = [(header::ETAG, etag(put.calendar.version))];
    let answer = PutCalendarAnswer { calendar: put.calendar.into(), jobs_changed: put.jobs_changed };
    Ok((status, tag, Json(answer)).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn jobs_that_use_it_are_rescheduled() {
        let app = TestApp::new();
        let put = app.json("PUT", "/api/v1/calendars/off", &json!({"dates": ["12-25"]})).await;
        assert_eq!((put.status.as_u16(), put.header("etag")), (201, "\"v1\""));
        let mut job = draft("nightly");
        job["calendars"] = json!([{"name": "off"}]);
        let job = app.json("POST", "/api/v1/jobs", &job).await.value();
        assert_eq!(job["calendars"], json!([{"name": "off", "mode": "exclude", "roll": "none"}]));
        assert_eq!(job["next_fire_at"], "2026-11-24T01:00:00.000Z");

        let off = json!({"ranges": [{"from": "2026-11-24", "until": "2026-11-30"}]});
        let put = app.json("PUT", "/api/v1/calendars/off", &off).await;
        assert_eq!((put.status.as_u16(), put.header("etag")), (200, "\"v2\""));
        assert_eq!(put.value()["jobs_changed"], 1);
        let job = app.get("/api/v1/jobs/nightly").await;
        assert_eq!(job.value()["next_fire_at"], "2026-12-01T01:00:00.000Z");
        let again = app.json("PUT", "/api/v1/calendars/off", &off).await;
        assert_eq!((again.header("etag"), &again.value()["jobs_changed"]), ("\"v2\"", &json!(0)));
    }

    #[tokio::test]
    async fn takes_icalendar_text() {
        let app = TestApp::new();
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n\
            DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christmas Day\r\nEND:VEVENT\r\n\
            END:VCALENDAR\r\n";
        let put = app.send("PUT", "/api/v1/calendars/off", &[("content-type", "text/calendar")], text).await;
        assert_eq!((put.status.as_u16(), &put.value()["dates"]), (201, &json!(["2026-12-25"])));
        let bad =
            app.send("PUT", "/api/v1/calendars/off", &[("content-type", "text/calendar")], "hello").await;
        assert_eq!(bad.status, 422, "{bad:?}");
    }

    #[tokio::test]
    async fn nobody_overwrites_a_change_they_have_not_seen() {
        let app = TestApp::new();
        let put = |tag| {
            let app = &app;
            async move {
                app.json_with("PUT", "/api/v1/calendars/off", ("if-match", tag), &json!({})).await.gist()
            }
        };
        assert_eq!(put("\"v1\"").await, "412 stale");
        assert_eq!(put("\"v1\", \"v2\"").await, "404 not_found");
        app.json("PUT", "/api/v1/calendars/off", &json!({"dates": ["12-25"]})).await;
        assert_eq!(put("\"v7\"").await, "412 stale");
        let right = app.json_with("PUT", "/api/v1/calendars/off", ("if-match", "\"v1\""), &json!({})).await;
        assert_eq!(right.header("etag"), "\"v2\"");
    }

    #[tokio::test]
    async fn what_is_wrong_is_pointed_at() {
        let app = TestApp::new();
        let cases = [
            (json!({"dates": ["2026-13-01"]}), "/dates/0 invalid_value"),
            (json!({"dates": ["2026-12-25T00:00"]}), "/dates/0 invalid_value"),
            (json!({"ranges": [{"from": "2026-12-25"}]}), "/ranges/0/until missing_field"),
            (
                json!({"ranges": [{"from": "2026-12-25", "until": "2026-12-24"}]}),
                "/ranges/0/until out_of_range",
            ),
            (json!({"weekly": [{"days": []}]}), "/weekly/0/days too_short"),
            (json!({"weekly": [{"days": ["monday"]}]}), "/weekly/0/days/0 invalid_value"),
            (
                json!({"weekly": [{"days": ["mon"], "from": "9:00", "until": "17:00"}]}),
                "/weekly/0/from invalid_value",
            ),
            (json!({"timezone": "Mars/Olympus"}), "/timezone invalid_value"),
            (json!({"holidays": []}), "/holidays unknown_field"),
        ];
        for (calendar, part) in cases {
            let answer = app.json("PUT", "/api/v1/calendars/off", &calendar).await;
            assert_eq!(answer.gist(), format!("422 invalid_request [{part}]"), "{calendar}");
        }
        let name = app.json("PUT", "/api/v1/calendars/%20off", &json!({})).await;
        assert_eq!(name.gist(), "422 invalid_request [/name invalid_value]");
    }

    #[tokio::test]
    async fn one_that_cannot_be_read_is_replaced_or_deleted() {
        let app = TestApp::new();
        let path = "/api/v1/calendars/holidays";
        let days = json!({"dates": ["2026-12-25"]});
        app.json("PUT", path, &days).await;
        app.store.corrupt_calendar("default", "holidays");
        let stale = app.json_with("PUT", path, ("if-match", "\"v1\""), &days).await;
        assert_eq!((stale.gist().as_str(), stale.header("etag")), ("412 stale", "\"v2\""));
        let answer = app.json("PUT", path, &days).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"v3\""), "{answer:?}");
        assert_eq!(app.get(path).await.value()["dates"], days["dates"]);
        app.store.corrupt_calendar("default", "holidays");
        assert_eq!(app.send("DELETE", path, &[], "").await.status, 204);
        assert_eq!(app.get(path).await.gist(), "404 not_found");
    }
}
