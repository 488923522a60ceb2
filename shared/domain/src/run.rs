//! A run: one occurrence, or one manual request, being carried out; and the complete record of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::asked::Asked;
use crate::details::Details;
use crate::job::Job;
use crate::settle::Accepted;
use crate::{BackfillId, HumanDuration, Instant, JobId, RunId};

/// One occurrence (or one manual request) being carried out, or the record that it was not.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Derived from job, nominal time and kind, see [`RunId::derive`].
    pub id: RunId,
    /// The project it belongs to.
    pub project: String,
    /// Its job, which may have been deleted since.
    pub job_id: JobId,
    /// The job's name at the time.
    pub job_name: String,
    /// What made it.
    pub kind: RunKind,
    /// Where it stands.
    pub status: RunStatus,
    /// Why it did not run, or was cancelled.
    pub reason: Option<Reason>,
    /// The nominal time; never changes.
    pub scheduled_for: Instant,
    /// The last of the occurrences this record stands for, where it stands for several.
    pub scheduled_until: Option<Instant>,
    /// How many occurrences this record stands for.
    pub count: u64,
    /// How much later than its nominal time it was due, by the job's jitter.
    pub jitter: HumanDuration,
    /// When a worker must look at it next: to start it, to retry it, or because its lease ran out.
    /// `None` once it is finished.
    pub due_at: Option<Instant>,
    /// The fencing token: grows with every lease, and only the holder of the newest may write.
    pub token: u64,
    /// Who holds the lease, or held it last.
    pub worker: Option<String>,
    /// Somebody asked for it to be cancelled.
    pub cancel_requested: bool,
    /// When it was recorded.
    pub created_at: Instant,
    /// When its first attempt started.
    pub started_at: Option<Instant>,
    /// When its last attempt ended, or it was decided that there will be none.
    pub finished_at: Option<Instant>,
    /// When somebody last asked for it to be retried after it had ended.
    pub reopened_at: Option<Instant>,
    /// The attempt that goes on after its call: its target has taken the work and reports.
    pub accepted: Option<Accepted>,
    /// Every try so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// What was asked for of it beyond what the job says.
    pub asked: Option<Box<Asked>>,
}

/// What made a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RunKind {
    /// The job's schedule.
    Schedule = 0,
    /// A request to run now.
    Manual = 1,
    /// A backfill.
    Backfill = 2,
}

/// Where a run stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RunStatus {
    /// Waiting to start or to be retried.
    Pending = 0,
    /// A worker holds its lease.
    Running = 1,
    /// An attempt succeeded.
    Succeeded = 2,
    /// The last attempt failed.
    Failed = 3,
    /// The last attempt ran out of time.
    TimedOut = 4,
    /// Stopped on request.
    Cancelled = 5,
    /// Not executed, by the job's own rules.
    Skipped = 6,
    /// Not executed, because it was noticed too late.
    Missed = 7,
}

impl RunStatus {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelled,
        Self::Skipped,
        Self::Missed,
    ];

    /// Whether nothing will happen to such a run any more.
    pub fn is_finished(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// The word used in JSON, metrics and URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
        }
    }
}

impl RunKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Schedule, Self::Manual, Self::Backfill];

    /// The word used in JSON, metrics and URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
            Self::Backfill => "backfill",
        }
    }
}

/// Why a run was not executed, or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An earlier run of the job was not finished.
    Overlap,
    /// An earlier run of the job was not finished, and as many waited for it already as may.
    BufferFull,
    /// Noticed later than the job's misfire window.
    Window,
    /// Noticed late, and the misfire policy chose not to run it.
    Downtime,
    /// A calendar of the job does not admit it.
    Calendar,
    /// The job was paused.
    Paused,
    /// The job was edited before anybody noticed it.
    Edited,
    /// The job was deleted.
    Deleted,
    /// A person or a program asked for it.
    Requested,
    /// The job's deadline for a run passed.
    Deadline,
}

/// One try of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When the worker began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Instant,
    /// When the worker ended, or its loss was noticed.
    #[schema(value_type = String, format = DateTime)]
    pub finished_at: Instant,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// What was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestRecord>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseRecord>,
    /// What there is to know where the target speaks no HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The target did its work.
    Succeeded,
    /// The target refused, failed or could not be reached.
    Failed,
    /// It took longer than the job's timeout.
    TimedOut,
    /// It was stopped on request.
    Cancelled,
    /// The worker disappeared: its lease ran out.
    Abandoned,
    /// The worker shut down and handed the run back; does not count against `max_attempts`.
    Interrupted,
}

impl AttemptOutcome {
    /// The word used in JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What went wrong in a try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AttemptError {
    /// A stable word for programs, such as `connect`, `timeout`, `http_status`, `target_forbidden`.
    #[schema(example = "http_status")]
    pub code: String,
    /// A sentence for people.
    #[schema(example = "the target answered 503 Service Unavailable")]
    pub message: String,
}

/// What was sent to a target. Values of sensitive headers are masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RequestRecord {
    /// HTTP method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as text, cut where it was long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether `body` was cut.
    #[serde(default)]
    pub body_truncated: bool,
}

/// What a target answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ResponseRecord {
    /// HTTP status code.
    pub status: u16,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as text, cut where it was long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether `body` was cut.
    #[serde(default)]
    pub body_truncated: bool,
}

impl Run {
    /// A run of `job` that waits to be started at once.
    pub fn pending(job: &Job, kind: RunKind, scheduled_for: Instant, now: Instant, nonce: u64) -> Self {
        Self {
            id: RunId::derive(job.id, scheduled_for, kind, nonce),
            project: job.project.clone(),
            job_id: job.id,
            job_name: job.draft.name.clone(),
            kind,
            status: RunStatus::Pending,
            reason: None,
            scheduled_for,
            scheduled_until: None,
            count: 1,
            jitter: match kind {
                RunKind::Schedule => HumanDuration::between(scheduled_for, job.plan.due_at(scheduled_for)),
                RunKind::Manual | RunKind::Backfill => HumanDuration::ZERO,
            },
            due_at: Some(now),
            token: 0,
            worker: None,
            cancel_requested: false,
            created_at: now,
            started_at: None,
            finished_at: None,
            reopened_at: None,
            accepted: None,
            attempts: Vec::new(),
            asked: None,
        }
    }

    /// The record of an occurrence that is not executed.
    pub fn not_executed(
        job: &Job,
        status: RunStatus,
        reason: Reason,
        scheduled_for: Instant,
        now: Instant,
    ) -> Self {
        Self {
            status,
            reason: Some(reason),
            due_at: None,
            finished_at: Some(now),
            jitter: HumanDuration::ZERO,
            ..Self::pending(job, RunKind::Schedule, scheduled_for, now, 0)
        }
    }

    /// The same run, leased to `lease` from the start.
    #[must_use]
    pub fn leased(mut self, lease: &Lease) -> Self {
        self.status = RunStatus::Running;
        self.token += 1;
        self.due_at = Some(lease.until);
        self.worker = Some(lease.worker.clone());
        self
    }

    /// Tries that count against `max_attempts`.
    pub fn tries(&self) -> u32 {
        let counted = self.attempts.iter().filter(|it| it.outcome != AttemptOutcome::Interrupted).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    /// When it was due: its nominal time, and its jitter later. A backfill's runs are due when they are made.
    pub fn due_for(&self) -> Instant {
        match self.kind {
            RunKind::Schedule | RunKind::Manual => self.scheduled_for + self.jitter.to_delta(),
            RunKind::Backfill => self.created_at,
        }
    }

    /// Where it stands among runs of its job that wait for the same place: by nominal time, and a backfill's, which would
    /// all come first, by when they were made.
    pub fn rank(&self) -> (Instant, RunId) {
        match self.kind {
            RunKind::Schedule | RunKind::Manual => (self.scheduled_for, self.id),
            RunKind::Backfill => (self.created_at, self.id),
        }
    }

    /// The backfill it is part of.
    pub fn backfill(&self) -> Option<BackfillId> {
        self.asked.as_ref()?.backfill
    }

    /// How long after it was due it started.
    pub fn lag(&self) -> Option<HumanDuration> {
        Some(HumanDuration::between(self.due_for(), self.started_at?))
    }
}

/// The right to work on runs until an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who works.
    pub worker: String,
    /// Until when.
    pub until: Instant,
}
