//! `GET /calendars/{name}`

use axum::extract::State;

use crate::extract::path::CalendarNameParam;
use crate::extract::{CalendarPath, Project};
use crate::problem::Problem;
use crate::state::Shared;
use crate::views::CalendarView;

/// Get a calendar
#[utoipa::path(
    get,
    path = "/calendars/{name}",
    operation_id = "getCalendar",
    tag = "calendars",
    params(CalendarNameParam),
    responses((
        status = 200, description = "The calendar", body = CalendarView,
        headers(("ETag", description = "Its version, for `If-Match`"))
    ))
)]
pub async fn get_calendar(
    State(state): State<Shared>,
    Project(project): Project,
    CalendarPath(name): CalendarPath,
) -> Result<CalendarView, Problem> {
    Ok(state.scheduler.calendar(&project, &name).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn shows_what_was_put() {
        let app = TestApp::new();
        let calendar = json!({"timezone": "Europe/Berlin", "dates": ["12-25"]});
        app.json("PUT", "/api/v1/calendars/feiertage%20%2F%20DE", &calendar).await;
        let answer = app.get("/api/v1/calendars/feiertage%20%2F%20DE").await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"v1\""));
        insta::assert_json_snapshot!(answer.value(), @r#"
        {
          "created_at": "2026-11-24T00:00:00.000Z",
          "dates": [
            "12-25"
          ],
          "description": "",
          "name": "feiertage / DE",
          "project": "default",
          "ranges": [],
          "timezone": "Europe/Berlin",
          "updated_at": "2026-11-24T00:00:00.000Z",
          "version": 1,
          "weekly": []
        }
        "#);
    }

    #[tokio::test]
    async fn names_that_name_nothing_are_not_found() {
        let app = TestApp::new();
        for name in ["none", "%00", "%0A", &"x".repeat(2_000)] {
            assert_eq!(
                app.get(&format!("/api/v1/calendars/{name}")).await.gist(),
                "404 not_found",
                "{name:.9}"
            );
        }
    }
}
