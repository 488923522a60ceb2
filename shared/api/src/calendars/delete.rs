//! `DELETE /calendars/{name}`

use axum::extract::State;
use axum::http::StatusCode;

use crate::extract::if_match::IfMatchHeader;
use crate::extract::path::CalendarNameParam;
use crate::extract::{CalendarPath, IfMatch, Project};
use crate::problem::Problem;
use crate::state::Shared;

/// Delete a calendar
///
/// One that a job uses stays: take it out of the job's `calendars` first.
#[utoipa::path(
    delete,
    path = "/calendars/{name}",
    operation_id = "deleteCalendar",
    tag = "calendars",
    params(CalendarNameParam, IfMatchHeader),
    responses((status = 204, description = "It is gone"))
)]
pub async fn delete_calendar(
    State(state): State<Shared>,
    Project(project): Project,
    CalendarPath(name): CalendarPath,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let current = async { Ok(state.scheduler.calendar(&project, &name).await?.version) };
    let expected = if_match.expected_of(current).await?;
    state.scheduler.delete_calendar(&project, &name, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn one_in_use_stays() {
        let app = TestApp::new();
        app.json("PUT", "/api/v1/calendars/off", &json!({})).await;
        let mut job = draft("nightly");
        job["calendars"] = json!([{"name": "off"}]);
        assert_eq!(app.json("POST", "/api/v1/jobs", &job).await.status, 201);
        let used = app.send("DELETE", "/api/v1/calendars/off", &[], "").await;
        assert_eq!(used.gist(), "409 conflict");
        assert!(used.problem()["detail"].as_str().unwrap().contains("nightly"));

        app.json("PUT", "/api/v1/jobs/nightly", &draft("nightly")).await;
        let stale = app.send("DELETE", "/api/v1/calendars/off", &[("if-match", "\"v2\"")], "").await;
        assert_eq!(stale.gist(), "412 stale");
        assert_eq!(app.send("DELETE", "/api/v1/calendars/off", &[], "").await.status, 204);
        assert_eq!(app.send("DELETE", "/api/v1/calendars/off", &[], "").await.gist(), "404 not_found");
    }
}
