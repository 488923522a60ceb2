//! What each operation takes: the one place where it is said. An operation that is not listed is refused to everybody.

use domain::Role;

use self::Least::{Everywhere, In, Open, RunToken};

/// The least that an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// Nothing.
    Open,
    /// The token of the run in its path, which the handler looks at.
    RunToken,
    /// A role in the project it is about.
    In(Role),
    /// A role in all projects: it is about the service as a whole.
    Everywhere(Role),
}

/// Every operation of the OpenAPI document, by its id.
pub const OPERATIONS: [(&str, Least); 45] = [
    ("getHealth", Open),
    ("getReadiness", Open),
    ("getVersion", Open),
    ("echo", Open),
    ("createSession", Open),
    ("deleteSession", Open),
    ("getMetrics", Everywhere(Role::Viewer)),
    ("heartbeatRun", RunToken),
    ("appendRunLog", RunToken),
    ("completeRun", RunToken),
    ("getSession", In(Role::Viewer)),
    ("listProjects", In(Role::Viewer)),
    ("listJobs", In(Role::Viewer)),
    ("getJob", In(Role::Viewer)),
    ("listJobRuns", In(Role::Viewer)),
    ("listJobBackfills", In(Role::Viewer)),
    ("listRuns", In(Role::Viewer)),
    ("getRun", In(Role::Viewer)),
    ("getRunLog", In(Role::Viewer)),
    ("getBackfill", In(Role::Viewer)),
    ("listCalendars", In(Role::Viewer)),
    ("getCalendar", In(Role::Viewer)),
    ("getStats", In(Role::Viewer)),
    ("getTimeline", In(Role::Viewer)),
    ("streamEvents", In(Role::Viewer)),
    ("previewSchedule", In(Role::Viewer)),
    ("runJob", In(Role::Operator)),
    ("pauseJob", In(Role::Operator)),
    ("resumeJob", In(Role::Operator)),
    ("backfillJob", In(Role::Operator)),
    ("cancelBackfill", In(Role::Operator)),
    ("cancelRun", In(Role::Operator)),
    ("retryRun", In(Role::Operator)),
    ("changeRuns", In(Role::Operator)),
    ("createJob", In(Role::Editor)),
    ("replaceJob", In(Role::Editor)),
    ("updateJob", In(Role::Editor)),
    ("deleteJob", In(Role::Editor)),
    ("changeJobs", In(Role::Editor)),
    ("putCalendar", In(Role::Editor)),
    ("deleteCalendar", In(Role::Editor)),
    ("listKeys", In(Role::Admin)),
    ("createKey", In(Role::Admin)),
    ("revokeKey", In(Role::Admin)),
    ("createProject", Everywhere(Role::Admin)),
];

/// What the operation of this id takes.
pub fn least(operation: &str) -> Option<Least> {
    OPERATIONS.iter().find(|(id, _)| *id == operation).map(|(_, least)| *least)
}
