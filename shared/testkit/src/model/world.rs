//! What a sequence knows: the time, and snapshots of everything the oracle has ever held.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{SubsecRound, TimeDelta};
use domain::schedule::{At, Date, Interval};
use domain::{
    HumanDuration, Instant, Job, JobDraft, JobId, JobState, Misfire, Run, RunId, RunKind, RunStatus, Schedule,
};

use super::op::{Op, Shape};
use crate::MemoryStore;
use crate::conformance::support::facts;
use crate::fixtures::{START, at, duration, job};

const NAMES: [&str; 5] = ["alpha", "Beta", "alphabet_1", "a%", "ze-BETA"];
const PROJECTS: [&str; 2] = ["default", "other"];
const KEYS: [&str; 3] = ["k", "K", "key-3"];

/// See the module.
pub(super) struct World {
    oracle: MemoryStore,
    sequence: u32,
    /// Operations so far. Sets instants and ids apart.
    step: u32,
    now: Instant,
    /// Snapshots of each job, the latest last; deleted jobs included.
    jobs: Vec<(JobId, Vec<Job>)>,
    /// Snapshots of each run, the latest last.
    runs: BTreeMap<RunId, Vec<Run>>,
    /// Which runs are due, since when: as it was before the operation that is carried out on both stores.
    due_runs: Vec<(Instant, RunId)>,
    /// Which keys are answered, likewise.
    answered: BTreeSet<(&'static str, &'static str)>,
}

impl World {
    pub(super) fn new(oracle: MemoryStore, sequence: u32) -> Self {
        Self {
            oracle,
            sequence,
            step: 0,
            now: at(START),
            jobs: Vec::new(),
            runs: BTreeMap::new(),
            due_runs: Vec::new(),
            answered: BTreeSet::new(),
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn after(&self, seconds: u32) -> Instant {
        self.now + TimeDelta::seconds(i64::from(seconds))
    }

    /// Within the second after next, on a millisecond of its own: no two jobs are ever due at the same instant, so
    /// the order in which they fire is not left to the store.
    fn apart(&self) -> Instant {
        self.now.trunc_subsecs(0) + TimeDelta::milliseconds(1_001 + i64::from(self.step))
    }

    /// The job an insertion adds.
    pub(super) fn new_job(&self, shape: &Shape) -> Option<Job> {
        let created = self.apart();
        let id = JobId::new(created, (u128::from(self.sequence) << 32) | u128::from(self.step));
        let zone = domain::time::Zone::default();
        Job::create(self.draft(shape), project(shape.project), id, &zone, created).ok()
    }

    pub(super) fn draft(&self, shape: &Shape) -> JobDraft {
        let anchor = self.apart();
        let draft = job(name(shape.name)).overlap(shape.overlap).attempts(shape.attempts, "3s").draft();
        let schedule = if shape.every == 0 {
            Schedule::Date(Date { at: At::Instant(anchor + TimeDelta::seconds(10)), timezone: None })
        } else {
            let every = HumanDuration::from_secs(u64::from(shape.every));
            Schedule::Interval(Interval { every, anchor: Some(anchor), timezone: None })
        };
        let misfire =
            Misfire { policy: shape.misfire, tolerance: duration("2s"), window: duration("1m"), max: 3 };
        let end_at = shape.ends.then(|| anchor + TimeDelta::seconds(30));
        let labels = label(shape.label).into_iter().collect();
        let max_runs = (shape.max_runs > 0).then_some(shape.max_runs);
        JobDraft { schedule, misfire, end_at, labels, max_runs, ..draft }
    }

    /// A job as it is, or, one time in four, as it was.
    pub(super) fn job(&self, pick: u8) -> Option<&Job> {
        let pick = usize::from(pick);
        let (_, history) = self.jobs.get(pick % self.jobs.len().max(1))?;
        snapshot(history, pick / self.jobs.len())
    }

    /// A run as it is, or, one time in four, as it was. The newest runs are picked most.
    pub(super) fn run(&self, pick: u8) -> Option<&Run> {
        let pick = usize::from(pick);
        let recent = self.runs.len().min(12);
        let history = self.runs.values().rev().nth(pick % recent.max(1))?;
        snapshot(history, pick / recent)
    }

    /// The latest snapshot of a run under that token.
    pub(super) fn snapshot_of(&self, id: RunId, token: u64) -> Option<&Run> {
        self.runs.get(&id)?.iter().rev().find(|run| run.token == token)
    }

    /// A manual run of a picked job, due after a while.
    pub(super) fn manual(&self, pick: u8, delay: u32) -> Option<Run> {
        let mut run =
            Run::pending(self.job(pick)?, RunKind::Manual, self.apart(), self.now, u64::from(self.step));
        run.due_at = Some(self.after(delay));
        Some(run)
    }

    /// The run of a picked job's next occurrence.
    pub(super) fn occurrence(&self, pick: u8) -> Option<Run> {
        let job = self.job(pick)?;
        Some(Run::pending(job, RunKind::Schedule, job.next_fire_at?, self.now, 0))
    }

    /// Which runs are due, since when.
    pub(super) fn due_runs(&self) -> &[(Instant, RunId)] {
        &self.due_runs
    }

    /// `limit`, or a little more so that it does not fall between runs due at the same instant: which of those come
    /// first is the store's choice.
    pub(super) fn between_ties(&self, limit: u32) -> u32 {
        let due = self.due_runs();
        let fits = |limit: &usize| {
            *limit == 0 || due.get(limit - 1).map(|it| it.0) != due.get(*limit).map(|it| it.0)
        };
        let limit = (limit as usize..due.len()).find(fits).unwrap_or(due.len().max(limit as usize));
        u32::try_from(limit).unwrap_or(u32::MAX)
    }

    /// Whether the key has been answered: what a second answer or a release means then is not in the contract.
    pub(super) fn is_answered(&self, key_pick: u8, project_pick: u8) -> bool {
        self.answered.contains(&(project(project_pick), key(key_pick)))
    }

    /// Takes snapshots of what an operation has changed.
    pub(super) fn learn(&mut self, op: &Op) {
        if let Op::InsertJob { shape } = op
            && let Some(id) =
                self.new_job(shape).map(|job| job.id).filter(|id| self.oracle.peek(*id).is_some())
        {
            self.jobs.push((id, Vec::new()));
        }
        for (id, history) in &mut self.jobs {
            let Some(job) = self.oracle.peek(*id) else { continue };
            if history.last().is_none_or(|last| facts(last) != facts(&job)) {
                history.push(job);
            }
        }
        for run in self.oracle.all_runs() {
            let history = self.runs.entry(run.id).or_default();
            if history.last() != Some(&run) {
                history.push(run);
            }
        }
        match op {
            Op::Wait { seconds } => self.now = self.after(*seconds),
            Op::WaitForIt { early } => {
                let next = self.oracle.next_due_after(self.now).unwrap_or(self.now);
                self.now = (next - TimeDelta::milliseconds((*early).into())).max(self.now);
            }
            _ => {}
        }
        self.due_runs = self.oracle.due_runs(self.now);
        let keys = PROJECTS.into_iter().flat_map(|project| KEYS.map(|key| (project, key)));
        self.answered = keys.filter(|(project, key)| self.oracle.is_answered(project, key)).collect();
        self.step += 1;
    }
}

/// The last of a history, or one time in four one before it.
fn snapshot<T>(history: &[T], pick: usize) -> Option<&T> {
    let back = if pick % 4 == 3 { 1 + pick / 4 % 3 } else { 0 };
    history.get(history.len().saturating_sub(1 + back)).or_else(|| history.last())
}

pub(super) fn name(pick: u8) -> &'static str {
    NAMES[usize::from(pick) % NAMES.len()]
}

/// Mostly the first.
pub(super) fn project(pick: u8) -> &'static str {
    PROJECTS[usize::from(pick.is_multiple_of(4))]
}

pub(super) fn key(pick: u8) -> &'static str {
    KEYS[usize::from(pick) % KEYS.len()]
}

pub(super) fn label(pick: u8) -> Option<(String, String)> {
    let pair = |value: &str| Some(("team".to_owned(), value.to_owned()));
    match pick % 3 {
        0 => None,
        1 => pair("billing"),
        _ => pair("it's"),
    }
}

/// A piece of some of the names.
pub(super) fn text(pick: u8) -> Option<String> {
    [None, Some("beta"), Some("ALPHA"), Some("%"), Some("_"), Some("")]
        .get(usize::from(pick) % 16)
        .copied()
        .flatten()
        .map(str::to_owned)
}

/// A subset, by bits; often empty.
pub(super) fn subset<T: Copy>(all: &[T], bits: u8) -> Vec<T> {
    let bits = if bits.is_multiple_of(2) { 0 } else { bits >> 1 };
    all.iter().enumerate().filter(|(index, _)| bits & (1_u8 << (index % 8)) != 0).map(|(_, it)| *it).collect()
}

pub(super) fn states(bits: u8) -> Vec<JobState> {
    subset(&JobState::ALL, bits)
}

pub(super) fn statuses(bits: u8) -> Vec<RunStatus> {
    subset(&RunStatus::ALL, bits)
}

pub(super) fn kinds(bits: u8) -> Vec<RunKind> {
    subset(&RunKind::ALL, bits)
}
