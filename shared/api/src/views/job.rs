//! A job as the API shows it: what its author chose, and where it stands.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Job, JobDraft, JobState, RunStatus};
use engine::insights::RunGist;
use engine::{InvalidJob, LastRun, StoredJob};
use serde::Serialize;

use crate::extract::if_match::etag;
use crate::views::{GistView, Timestamp};

/// A job, or what is left of one that cannot be read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = Job)]
pub enum JobView {
    /// A job.
    Readable(Box<ReadableJob>),
    /// A job whose stored form cannot be read: replace or delete it.
    Invalid(UnreadableJob),
}

/// A job.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReadableJob {
    /// Its id.
    #[schema(example = "job_01kc0000000000000000000000")]
    pub id: String,
    /// The project it belongs to.
    #[schema(example = "default")]
    pub project: String,
    /// What its author chose, with all defaults filled in.
    #[serde(flatten)]
    pub draft: JobDraft,
    /// Where it stands.
    pub state: JobState,
    /// Why it is paused, in the words of whoever paused it.
    #[schema(required)]
    pub pause_reason: Option<String>,
    /// When it is resumed by itself, where it is paused until then.
    #[schema(required)]
    pub paused_until: Option<Timestamp>,
    /// When its next occurrence is due, jitter included; `null` unless active.
    #[schema(required)]
    pub next_fire_at: Option<Timestamp>,
    /// How many runs of its schedule have been started since it was created: what `max_runs` counts.
    pub runs_started: u64,
    /// Its latest finished run.
    #[schema(required)]
    pub last_run: Option<LastRunView>,
    /// Grows with every change of its definition or state; the `ETag` is this number.
    #[schema(minimum = 1)]
    pub version: u64,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When its definition or state was last changed.
    pub updated_at: Timestamp,
    /// Its latest runs, oldest first, in lists that were asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<GistView>>,
}

/// What is known of a job whose stored form cannot be read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UnreadableJob {
    /// Its id.
    #[schema(example = "job_01kc0000000000000000000000")]
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// Its name.
    pub name: String,
    /// Always `invalid`.
    pub state: JobState,
    /// What is wrong with its stored form.
    pub error: String,
    /// Its latest finished run.
    #[schema(required)]
    pub last_run: Option<LastRunView>,
    /// The `ETag` is this number.
    #[schema(minimum = 1)]
    pub version: u64,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When its definition or state was last changed.
    pub updated_at: Timestamp,
    /// Its latest runs, oldest first, in lists that were asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<GistView>>,
}

/// The gist of a job's latest finished run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LastRun)]
pub struct LastRunView {
    /// Its id.
    #[schema(example = "run_01kc0000000000000000000000")]
    pub id: String,
    /// How it ended.
    pub status: RunStatus,
    /// When it ended.
    pub finished_at: Timestamp,
}

impl From<StoredJob> for JobView {
    fn from(StoredJob { job, last_run }: StoredJob) -> Self {
        let last_run = last_run.map(LastRunView::from);
        match job {
            Ok(job) => Self::Readable(Box::new(readable(job, last_run))),
            Err(broken) => Self::Invalid(unreadable(broken, last_run)),
        }
    }
}

fn readable(job: Job, last_run: Option<LastRunView>) -> ReadableJob {
    ReadableJob {
        id: job.id.to_string(),
        project: job.project,
        draft: job.draft,
        state: job.state,
        paused_until: job.pause.as_ref().and_then(|pause| pause.until).map(Timestamp),
        pause_reason: job.pause.and_then(|pause| pause.reason),
        next_fire_at: job.next_fire_at.filter(|_| job.state == JobState::Active).map(Timestamp),
        runs_started: job.runs_started,
        last_run,
        version: job.version,
        created_at: job.created_at.into(),
        updated_at: job.updated_at.into(),
        history: None,
    }
}

fn unreadable(job: InvalidJob, last_run: Option<LastRunView>) -> UnreadableJob {
    UnreadableJob {
        id: job.id.to_string(),
        project: job.project,
        name: job.name,
        state: JobState::Invalid,
        error: job.error,
        last_run,
        version: job.version,
        created_at: job.created_at.into(),
        updated_at: job.updated_at.into(),
        history: None,
    }
}

impl From<LastRun> for LastRunView {
    fn from(LastRun { id, status, finished_at }: LastRun) -> Self {
        Self { id: id.to_string(), status, finished_at: finished_at.into() }
    }
}

impl JobView {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Readable(job) => &job.id,
            Self::Invalid(job) => &job.id,
        }
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        match self {
            Self::Readable(job) => job.version,
            Self::Invalid(job) => job.version,
        }
    }

    /// Adds its latest runs.
    pub fn add_history(&mut self, runs: &[RunGist]) {
        let history = Some(runs.iter().map(GistView::from).collect());
        match self {
            Self::Readable(job) => job.history = history,
            Self::Invalid(job) => job.history = history,
        }
    }

    /// The answer to a request that has created it.
    pub fn created(self) -> Response {
        let mut headers = HeaderMap::new();
        if let Ok(location) = format!("/api/v1/jobs/{}", self.id()).parse() {
            headers.insert(header::LOCATION, location);
        }
        (StatusCode::CREATED, headers, self).into_response()
    }
}

impl IntoResponse for JobView {
    fn into_response(self) -> Response {
        ([(header::ETAG, etag(self.version()))], Json(self)).into_response()
    }
}
