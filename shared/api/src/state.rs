//! What the router is given by the binary it runs in.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use bytes::Bytes;
use domain::Instant;
use engine::{Access, Callbacks, Feed, Idempotency, Logs, Overview, Scheduler, Store};
use tokio_util::sync::CancellationToken;

/// The state every handler shares.
pub type Shared = Arc<ApiState>;

/// Tells when this process last looked for due jobs with success.
pub type LastLook = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Renders the metrics of this process in Prometheus' text format.
pub type MetricsRenderer = Arc<dyn Fn() -> String + Send + Sync>;

/// Finds a file of the UI by its path (`assets/index-1a2b.js`); `PATH.br` is the same file, packed with Brotli.
pub type Assets = Arc<dyn Fn(&str) -> Option<Bytes> + Send + Sync>;

/// Everything the API needs.
pub struct ApiState {
    /// Knows who asks.
    pub access: Access,
    /// Keeps jobs.
    pub scheduler: Scheduler,
    /// Answers for the whole of a project.
    pub overview: Overview,
    /// Remembers answers.
    pub idempotency: Arc<dyn Idempotency>,
    /// Takes reports of targets.
    pub callbacks: Callbacks,
    /// Reads the logs of runs.
    pub logs: Logs,
    /// Tells what happens; `None` where the store does not.
    pub feed: Option<Feed>,
    /// For the readiness check only; all else goes through `scheduler`.
    pub store: Arc<dyn Store>,
    /// `None` where this process does not look for due jobs, only serves the API.
    pub last_look: Option<LastLook>,
    /// What `/metrics` answers.
    pub metrics: MetricsRenderer,
    /// The web UI, where the binary brings it.
    pub ui: Option<Assets>,
    /// What `/version` answers.
    pub build: BuildInfo,
    /// Ends streams when the process is about to end.
    pub closing: CancellationToken,
    /// What operators may choose.
    pub options: Options,
}

/// Which program this is.
#[derive(Clone, Debug)]
pub struct BuildInfo {
    /// Its version.
    pub version: &'static str,
    /// The commit it was built from, where known.
    pub git_sha: Option<&'static str>,
}

/// What operators may choose about the API.
#[derive(Clone, Debug)]
pub struct Options {
    /// Origins (`https://ui.example.com`) whose pages may call the API; none by default.
    pub cors_origins: Vec<HeaderValue>,
    /// Whether `/api/v1` exists; a process that only works answers for its health and metrics alone.
    pub api: bool,
    /// Whether `POST /echo` exists.
    pub echo: bool,
    /// Whether jobs may have commands for targets; nobody is to find out only when one is due.
    pub commands: bool,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How long a read waits for a store that does not answer, before it says so.
    pub read_patience: Duration,
    /// How long ago the last look for due jobs may be before this process counts as not ready.
    pub stale_look: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            api: true,
            echo: true,
            commands: false,
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(25),
            read_patience: Duration::ZERO,
            stale_look: Duration::from_secs(20),
        }
    }
}
