//! A backfill: the occurrences of a stretch of the past, carried out a few at a time.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::asked::Asked;
use crate::calendar::{CalendarCopy, CalendarUse};
use crate::ids::BackfillId;
use crate::invalid::{Findings, Invalid};
use crate::job::Job;
use crate::plan::{Plan, Timing};
use crate::policy::Overlap;
use crate::run::{Reason, Run, RunKind};
use crate::schedule::Schedule;
use crate::{HumanDuration, Instant, JobId, is_in_range, whole_millis};

/// What is asked for: the occurrences in `[from, to)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillOrder {
    /// The first instant whose occurrence is carried out.
    #[schema(value_type = String, format = DateTime, example = "2026-11-01T00:00:00Z")]
    pub from: Instant,
    /// The first instant whose occurrence is not; at the latest now.
    #[schema(value_type = String, format = DateTime, example = "2026-11-08T00:00:00Z")]
    pub to: Instant,
    /// `buffer_all`: one after the other, oldest first. `allow_all`: up to 16 side by side. Other policies make no sense
    /// here and are refused.
    #[serde(default = "one_after_the_other")]
    #[schema(default = "buffer_all")]
    pub overlap: Overlap,
    /// Refuses the request where there are more occurrences than this.
    #[serde(default = "thousand")]
    #[schema(minimum = 1, maximum = 10_000, default = 1_000)]
    pub max: u32,
    /// Sent by every run in place of the job's body, as with a manual run.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
}

fn one_after_the_other() -> Overlap {
    Overlap::BufferAll
}

fn thousand() -> u32 {
    1_000
}

/// What an order comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// How many occurrences there are.
    pub total: u64,
    /// The first of them.
    pub first: Option<Instant>,
    /// The last.
    pub last: Option<Instant>,
}

/// Where a backfill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackfillState {
    /// Runs are being created, or are under way.
    Running,
    /// All runs have ended, however they did.
    Completed,
    /// It was stopped before that.
    Cancelled,
}

/// When the occurrences are: the job's timing at the time of the order, so that editing the job changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Timetabled {
    schedule: Schedule,
    start_at: Option<Instant>,
    end_at: Option<Instant>,
    uses: Vec<CalendarUse>,
    calendars: Vec<CalendarCopy>,
}

/// A backfill.
#[derive(Clone, Debug, PartialEq)]
pub struct Backfill {
    /// Its id.
    pub id: BackfillId,
    /// The project it belongs to.
    pub project: String,
    /// The job that is carried out.
    pub job_id: JobId,
    /// What is left in its document.
    pub details: BackfillDetails,
    /// When somebody must look at it next; `None` once it has ended.
    pub due_at: Option<Instant>,
    /// Grows with every change; compared when it is replaced.
    pub version: u64,
    /// When it was asked for.
    pub created_at: Instant,
}

/// What of a backfill nobody looks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackfillDetails {
    /// What was asked for.
    pub order: BackfillOrder,
    /// The job's name at the time.
    pub job_name: String,
    /// Where it stands.
    pub state: BackfillState,
    /// Why it was stopped.
    pub reason: Option<Reason>,
    /// How many runs there will be.
    pub total: u64,
    /// How many there are.
    pub created: u64,
    /// The occurrence of the last of them.
    pub last: Option<Instant>,
    /// When it ended.
    pub finished_at: Option<Instant>,
    timing: Timetabled,
}

const MILLI: TimeDelta = TimeDelta::milliseconds(1);
/// More in one request are refused.
const MOST: u32 = 10_000;
/// So many run side by side.
const SIDE_BY_SIDE: usize = 16;
/// How often a backfill looks for itself whether its runs have ended; whoever ends one looks at once.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(5);
/// The same where its job cannot be read.
const JOB_UNREADABLE: TimeDelta = TimeDelta::minutes(1);

impl BackfillOrder {
    /// The order, cut to whole milliseconds.
    ///
    /// # Errors
    /// Everything wrong with it by itself, and a payload that the job's target does not take.
    fn checked(mut self, job: &Job, now: Instant) -> Result<Self, Invalid> {
        self.from = whole_millis(self.from);
        self.to = whole_millis(self.to);
        let mut findings = Findings::default();
        for (pointer, at) in [("/from", self.from), ("/to", self.to)] {
            findings
                .require(is_in_range(at), pointer, "out_of_range", || "lies outside 1970–2100".to_owned());
        }
        findings.require(self.from < self.to, "/to", "out_of_range", || "must lie after from".to_owned());
        findings.require(self.to <= now || !is_in_range(self.to), "/to", "out_of_range", || {
            "lies in the future, which the schedule will see to".to_owned()
        });
        let known = matches!(self.overlap, Overlap::BufferAll | Overlap::AllowAll);
        findings.require(known, "/overlap", "invalid_value", || "is buffer_all or allow_all".to_owned());
        findings.require((1..=MOST).contains(&self.max), "/max", "out_of_range", || {
            format!("{} is outside 1–{MOST}", self.max)
        });
        if let Some(payload) = &self.payload {
            findings.nest("", job.draft.target.with_payload(payload));
        }
        findings.finish()?;
        Ok(self)
    }

    /// What it comes to for `job`, without a limit.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn survey(&self, job: &Job, now: Instant) -> Result<Survey, Invalid> {
        let order = self.clone().checked(job, now)?;
        let (before, until) = (order.from - MILLI, order.to - MILLI);
        let first = job.plan.next_after(before).filter(|first| *first <= until);
        let last = first.and_then(|first| job.plan.last_until(until).map(|last| last.max(first)));
        let total = first.map_or(0, |first| job.plan.count(first, until));
        Ok(Survey { total, first, last })
    }

    /// How many of its runs may be unfinished at a time.
    fn side_by_side(&self) -> usize {
        if self.overlap == Overlap::AllowAll { SIDE_BY_SIDE } else { 1 }
    }
}

impl Backfill {
    /// A new backfill of `job`, whose first runs are created by whoever looks at it.
    ///
    /// # Errors
    /// Everything wrong with `order`; also where it comes to nothing, or to more than it allows.
    pub fn create(job: &Job, order: BackfillOrder, id: BackfillId, now: Instant) -> Result<Self, Invalid> {
        let order = order.checked(job, now)?;
        let Survey { total, .. } = order.survey(job, now)?;
        if total == 0 {
            let detail = "the job has no occurrence from `from` up to `to`";
            return Err(Invalid::one("/from", "never_fires", detail));
        }
        if u64::from(order.max) < total {
            let detail = format!(
                "the job has {total} occurrences from `from` up to `to`, which is more than {}; take a shorter stretch, or another max (up to {MOST})",
                order.max
            );
            return Err(Invalid::one("/max", "too_many", detail));
        }
        let timing = job.draft.timing();
        let timing = Timetabled {
            schedule: timing.schedule.clone(),
            start_at: timing.start_at,
            end_at: timing.end_at,
            uses: timing.calendars.to_vec(),
            calendars: job.calendars.clone(),
        };
        let details = BackfillDetails {
            order,
            job_name: job.draft.name.clone(),
            state: BackfillState::Running,
            reason: None,
            total,
            created: 0,
            last: None,
            finished_at: None,
            timing,
        };
        let (project, job_id) = (job.project.clone(), job.id);
        Ok(Self { id, project, job_id, details, due_at: Some(now), version: 1, created_at: now })
    }

    /// The backfill after a look at `now`, while `unfinished` of its runs have not ended, and the runs that there is room
    /// for, oldest first. `None` where it has ended.
    ///
    /// Neither a pause nor `max_runs` of the job matters, nor how late it is.
    pub fn advanced(&self, job: &Job, unfinished: usize, now: Instant) -> Option<(Self, Vec<Run>)> {
        if self.details.state != BackfillState::Running {
            return None;
        }
        let order = &self.details.order;
        let room = order.side_by_side().saturating_sub(unfinished);
        // What was sound when it was stored may be more than an older program understands.
        let Ok(plan) = self.details.timing.plan(job.id) else {
            return self.postponed(now).map(|next| (next, Vec::new()));
        };
        let after = self.details.last.unwrap_or(order.from - MILLI);
        let occurrences = plan.after(after).take_while(|at| *at < order.to).take(room);
        let runs: Vec<Run> = occurrences.map(|at| self.run(job, at, now)).collect();
        let mut next = self.changed(Some(now + LOOK_AGAIN));
        next.details.created += runs.len() as u64;
        next.details.last = runs.last().map(|run| run.scheduled_for).or(self.details.last);
        if runs.is_empty() && unfinished == 0 {
            next = next.ended(BackfillState::Completed, None, now);
        }
        Some((next, runs))
    }

    /// The backfill, stopped: no more runs are created. `None` where it has ended.
    pub fn cancelled(&self, reason: Reason, now: Instant) -> Option<Self> {
        let runs = self.details.state == BackfillState::Running;
        runs.then(|| self.changed(None).ended(BackfillState::Cancelled, Some(reason), now))
    }

    /// The backfill, whose job cannot be read now; somebody may mend it. `None` where it has ended.
    pub fn postponed(&self, now: Instant) -> Option<Self> {
        (self.details.state == BackfillState::Running).then(|| self.changed(Some(now + JOB_UNREADABLE)))
    }

    fn changed(&self, due_at: Option<Instant>) -> Self {
        Self { version: self.version + 1, due_at, ..self.clone() }
    }

    fn ended(mut self, state: BackfillState, reason: Option<Reason>, now: Instant) -> Self {
        (self.details.state, self.details.reason) = (state, reason);
        (self.details.finished_at, self.due_at) = (Some(now), None);
        self
    }

    fn run(&self, job: &Job, at: Instant, now: Instant) -> Run {
        #[expect(clippy::cast_possible_truncation, reason = "the low half of an id is random enough")]
        let nonce = self.id.0.as_u128() as u64;
        let payload = self.details.order.payload.clone();
        let asked = Asked { payload, backfill: Some(self.id), ..Asked::default() };
        Run { asked: asked.boxed(), ..Run::pending(job, RunKind::Backfill, at, now, nonce) }
    }
}

impl Timetabled {
    fn plan(&self, job: JobId) -> Result<Plan, Invalid> {
        let timing = Timing {
            schedule: &self.schedule,
            start_at: self.start_at,
            end_at: self.end_at,
            calendars: &self.uses,
            jitter: HumanDuration::ZERO,
        };
        Plan::compile(job, &timing, &self.calendars)
    }
}
