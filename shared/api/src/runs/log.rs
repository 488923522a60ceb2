//! `GET /runs/{id}/log`: page by page, or as a stream that goes on while the run does.

mod stream;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{LogLevel, LogStream};
use engine::{LogEntry, LogPage};
use serde::Serialize;

use self::stream::Resume;
use crate::extract::path::RunIdParam;
use crate::extract::query::QueryString;
use crate::extract::{Project, RunPath};
use crate::problem::Problem;
use crate::sse::LastEventId;
use crate::state::Shared;
use crate::views::Timestamp;

/// A part of a run's log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RunLog)]
pub struct LogPageView {
    /// The lines, oldest first.
    pub data: Vec<LogLineView>,
    /// Where the next page begins: send it as `after`. Also where more is still to be written.
    pub next_after: u64,
    /// Whether more follow already.
    pub has_more: bool,
}

/// One line of a run's log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RunLogLine)]
pub struct LogLineView {
    /// Its number: from 1, in the order of writing, over all attempts.
    pub seq: u64,
    /// When the service heard of it.
    pub at: Timestamp,
    /// The attempt that wrote it.
    pub attempt: u32,
    /// Where it was written. What the service says of lines left out is its own.
    pub stream: LogStream,
    /// How much it matters, where its writer said so.
    #[schema(required)]
    pub level: Option<LogLevel>,
    /// The line, 8 KiB at most.
    pub text: String,
    /// Whether it was longer.
    pub truncated: bool,
}

/// How the query is described.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct LogParams {
    /// Only lines after the one of this number.
    #[param(minimum = 0, default = 0)]
    after: Option<u64>,
    /// At most so many lines a page; a stream has no pages.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    limit: Option<u32>,
}

/// Read a run's log
///
/// What its attempts wrote while they went on: a command's output, what a target sent to `/runs/{id}/log`. Of a long log
/// the beginning and the end are kept, 1 MiB in all, and a line of the stream `service` says how many are missing.
///
/// With `Accept: text/event-stream` the answer is a stream: all lines so far, then each new one as it is written, as
/// events `line` whose `id` is the line's number; `end`, with the run's status, when the run is finished and there will be
/// no more. A client that is cut off asks again with `Last-Event-ID`; after `end` that brings 204, at which an
/// `EventSource` gives up.
#[utoipa::path(
    get,
    path = "/runs/{id}/log",
    operation_id = "getRunLog",
    tag = "runs",
    params(RunIdParam, LogParams, LastEventId),
    responses(
        (status = 200, description = "A page, or a stream", content(
            (LogPageView = "application/json"), (String = "text/event-stream")
        )),
        (status = 204, description = "The stream has ended before")
    )
)]
pub async fn run_log(
    State(state): State<Shared>,
    Project(project): Project,
    RunPath(id): RunPath,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    const LONGEST: usize = 1_000;
    const USUAL: usize = 200;
    let mut query = QueryString::parse(uri.query());
    let number = |text: &str| text.parse::<u64>().map_err(|_| "is the number of a line".to_owned());
    let after = query.one("after", number);
    let limit = query.one("limit", |text| match text.parse() {
        Ok(limit @ 1..=LONGEST) => Ok(limit),
        _ => Err(format!("is a whole number from 1 to {LONGEST}")),
    });
    query.finish()?;
    let after = after.unwrap_or(0);
    let run = state.scheduler.run(&project, id).await?;
    if !wants_stream(&headers) {
        let page = state.logs.page(run.id, after, limit.unwrap_or(USUAL)).await?;
        return Ok(Json(LogPageView::new(page, after)).into_response());
    }
    match stream::last_event(&headers)? {
        Some(Resume::Ended) => Ok(StatusCode::NO_CONTENT.into_response()),
        Some(Resume::After(seen)) => Ok(stream::answer(state, run, seen)),
        None => Ok(stream::answer(state, run, after)),
    }
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/event-stream")
    })
}

impl LogPageView {
    fn new(page: LogPage, after: u64) -> Self {
        let next_after = page.entries.last().map_or(after, |last| last.seq);
        let data = page.entries.into_iter().map(LogLineView::from).collect();
        Self { data, next_after, has_more: page.has_more }
    }
}

impl From<LogEntry> for LogLineView {
    fn from(LogEntry { seq, line }: LogEntry) -> Self {
        Self {
            seq,
            at: line.at.into(),
            attempt: line.attempt,
            stream: line.stream,
            level: line.level,
            text: line.text,
            truncated: line.truncated,
        }
    }
}

#[cfg(test)]
mod tests;
