//! `GET /events`: what happens to jobs and runs, as it happens.

mod stream;
#[cfg(test)]
mod tests;

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::{JobId, JobState, RunId, RunStatus};
use engine::{Cursor, Event, EventKind, Standing};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::stream::Filter;
use crate::extract::Project;
use crate::extract::query::QueryString;
use crate::problem::{Code, Problem};
use crate::runs::list::OfJobParam;
use crate::sse::{LastEventId, last_event_id};
use crate::state::Shared;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default().routes(routes!(stream_events))
}

/// What an event brings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// What has happened; also the event's own type.
    #[serde(rename = "type")]
    #[schema(value_type = EventType)]
    pub kind: &'static str,
    /// The job, or the run's job.
    #[schema(value_type = String, example = "job_01kc0000000000000000000000")]
    pub job_id: JobId,
    /// The run, in events of runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "run_01kc0000000000000000000000")]
    pub run_id: Option<RunId>,
    /// Where the run stood then, in events of runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<RunStatus>,
    /// Where the job stood then, in events of jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<JobState>,
}

/// What can happen.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes a word")]
pub(crate) enum EventType {
    #[schema(rename = "job.created")]
    JobCreated,
    #[schema(rename = "job.updated")]
    JobUpdated,
    #[schema(rename = "job.deleted")]
    JobDeleted,
    #[schema(rename = "run.created")]
    RunCreated,
    #[schema(rename = "run.started")]
    RunStarted,
    #[schema(rename = "run.finished")]
    RunFinished,
    #[schema(rename = "run.changed")]
    RunChanged,
}

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct EventParams {
    /// Of these types only: names, or `job.*` and `run.*`; repeated, or joined by commas.
    #[param(explode = false, example = json!(["run.finished", "job.*"]))]
    types: Option<Vec<String>>,
}

/// Follow what happens
///
/// A stream of server-sent events that goes on until the client ends it: one for each change of a job or a run of the
/// project, whichever replica made it, within about a second. An event says what has changed and where it stands, not what it looks
/// like: read that where it matters. Its `data` is JSON.
///
/// - `job.created`, `job.updated` (edited, paused, resumed, completed: see `state`), `job.deleted`
/// - `run.created` (it waits), `run.started` (a worker has taken it up; runs that start at once begin with this),
///   `run.finished` (also for occurrences that were skipped or missed), `run.changed` (anything else: it waits for
///   another attempt, is to be cancelled, waits again)
///
/// Every event has an `id`, and so has the stream's beginning and every heartbeat (each 15 s). A client that is cut off
/// sends the last one as `Last-Event-ID`, to any replica, and misses nothing. What was told is kept for an hour: after
/// that, or where the client was too slow to keep up, or sends an id that nobody gave out, it gets one event `reset`, must
/// look at everything anew, and the stream goes on from there.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "streamEvents",
    tag = "overview",
    params(OfJobParam, EventParams, LastEventId),
    responses((
        status = 200, description = "A stream", content((String = "text/event-stream", example = json!(EXAMPLE)))
    ))
)]
pub async fn stream_events(
    State(state): State<Shared>,
    Project(project): Project,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = QueryString::parse(uri.query());
    let key = query.one("job", |text| Ok(text.to_owned()));
    let kinds = query.words("types", &words()).concat();
    query.finish()?;
    let Some(feed) = &state.feed else {
        return Err(Problem::new(
            Code::StreamingUnavailable,
            "the store behind this service tells nothing as it happens; ask for lists again instead",
        ));
    };
    let job = match key {
        Some(key) => Some(crate::runs::list::required_job_of(&state, &project, &key).await?),
        None => None,
    };
    feed.available().await?;
    let follower = match last_event_id(&headers) {
        None => feed.follow(),
        Some(id) => feed.resume(id.parse::<Cursor>().ok()),
    };
    Ok(stream::answer(state.closing.clone(), follower, Filter { project, job, kinds }))
}

const EXAMPLE: &str = "id: 745-12\nretry: 2000\n\nid: 745-13-1\nevent: run.finished\n\
    data: {\"type\":\"run.finished\",\"job_id\":\"job_01kc0000000000000000000000\",\
    \"run_id\":\"run_01kc0000000000000000000000\",\"status\":\"succeeded\"}\n\n";

/// What may be asked for: each type, and all of a kind.
fn words() -> Vec<(&'static str, &'static [EventKind])> {
    const ALL: &[EventKind] = &EventKind::ALL;
    let (jobs, runs) = ALL.split_at(ALL.partition_point(|kind| kind.as_str().starts_with("job.")));
    ALL.iter()
        .map(|kind| (kind.as_str(), std::slice::from_ref(kind)))
        .chain([("job.*", jobs), ("run.*", runs)])
        .collect()
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        let (status, state) = match event.standing {
            Some(Standing::Run(status)) => (Some(status), None),
            Some(Standing::Job(state)) => (None, Some(state)),
            None => (None, None),
        };
        Self { kind: event.kind.as_str(), job_id: event.job, run_id: event.run, status, state }
    }
}
