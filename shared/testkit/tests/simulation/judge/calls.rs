//! Targets are called under a lease, once for each attempt, and never too early.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{Instant, JobId, Run, RunId, RunStatus};
use engine::Renewal;

use super::super::event::{Event, Fate, Who};
use super::super::history::History;
use super::{Judgement, Violation};

/// An attempt whose lease is over by the clock of its own node is stopped, which takes three seconds where it is deaf.
const GIVEN_UP: TimeDelta = TimeDelta::seconds(4);

/// The right to make one attempt.
struct Grant {
    worker: String,
    token: u64,
    attempt: u32,
    at: Instant,
    until: Instant,
    due_for: Instant,
    /// Why it must not be used, where it is given only for the run to be closed.
    void: Option<&'static str>,
    used: bool,
}

/// The calls that are under way at one node.
#[derive(Default)]
struct Busy {
    concurrency: usize,
    hosts: BTreeMap<(RunId, u32), String>,
}

impl Busy {
    /// A host gets a quarter of the attempts, and at least one.
    fn begin(&mut self, run: RunId, attempt: u32, host: &str) -> Result<(), String> {
        self.hosts.insert((run, attempt), host.to_owned());
        let (all, here) = (self.hosts.len(), self.hosts.values().filter(|it| *it == host).count());
        if all > self.concurrency || here > (self.concurrency / 4).max(1) {
            return Err(format!(
                "{all} attempts at a time, {here} at {host}; {} is the limit",
                self.concurrency
            ));
        }
        Ok(())
    }
}

/// What has been granted so far.
#[derive(Default)]
struct Grants {
    of: BTreeMap<RunId, Vec<Grant>>,
    cancelled: BTreeSet<RunId>,
    deleted: BTreeSet<JobId>,
    called: BTreeSet<(RunId, u32)>,
    /// When each process that was stopped went on.
    went_on: BTreeMap<Who, Instant>,
    /// When each process last learned that it was later than it thought.
    surprised: BTreeMap<Who, Instant>,
    /// How long it may take until it then looks at its leases.
    looks: TimeDelta,
}

pub(super) fn check(history: &History) -> Judgement {
    let mut grants = Grants { looks: history.lease.to_delta() / 3, ..Grants::default() };
    let mut busy: BTreeMap<Who, Busy> = BTreeMap::new();
    for entry in &history.entries {
        match &entry.event {
            Event::Fired { firing, .. } => {
                let leased = firing.runs.iter().filter(|run| run.status == RunStatus::Running);
                leased.for_each(|run| grants.grant(run, entry.at));
            }
            Event::Leased { run, .. } => grants.grant(run, entry.at),
            Event::Renewed { run, token, until, renewal: Renewal::Kept | Renewal::CancelRequested } => {
                let grants = grants.of.entry(*run).or_default();
                grants
                    .iter_mut()
                    .filter(|grant| grant.token == *token)
                    .for_each(|grant| grant.until = grant.until.max(*until));
            }
            Event::CancelRequested(run) => drop(grants.cancelled.insert(*run)),
            Event::Reopened(run) => drop(grants.cancelled.remove(&run.id)),
            Event::JobDeleted(job) => drop(grants.deleted.insert(*job)),
            Event::Node(Fate::WentOn) => {
                grants.went_on.insert(entry.by, entry.at);
                grants.surprised.insert(entry.by, entry.at);
            }
            Event::Node(Fate::Lags(_)) => drop(grants.surprised.insert(entry.by, entry.at)),
            Event::Called { run, attempt, clock, host } => {
                grants.call(entry.by, *run, *attempt, entry.at, *clock).map_err(|what| {
                    Violation::new("calls are made under a lease", what).at(entry.at).of_run(*run)
                })?;
                let begun = match host {
                    Some(host) => busy.entry(entry.by).or_default().begin(*run, *attempt, host),
                    None => Ok(()),
                };
                begun
                    .map_err(|what| Violation::new("attempts are limited", what).at(entry.at).of_run(*run))?;
            }
            Event::Ended { run, attempt, clock, .. } => {
                grants.end(entry.by, *run, *attempt, *clock).map_err(|what| {
                    Violation::new("calls are made under a lease", what).at(entry.at).of_run(*run)
                })?;
                busy.entry(entry.by).or_default().hosts.remove(&(*run, *attempt));
            }
            Event::Node(Fate::Started { concurrency }) => {
                busy.entry(entry.by).or_default().concurrency = *concurrency;
            }
            _ => {}
        }
    }
    Ok(())
}

impl Grants {
    fn grant(&mut self, run: &Run, at: Instant) {
        let void = if self.cancelled.contains(&run.id) {
            Some("its cancellation had been acknowledged")
        } else {
            self.deleted.contains(&run.job_id).then_some("its job had been deleted")
        };
        self.of.entry(run.id).or_default().push(Grant {
            worker: run.worker.clone().unwrap_or_default(),
            token: run.token,
            attempt: u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_add(1),
            at,
            until: run.due_at.unwrap_or(at),
            due_for: run.due_for(),
            void,
            used: false,
        });
    }

    fn call(&mut self, by: Who, run: RunId, attempt: u32, at: Instant, clock: Instant) -> Result<(), String> {
        let worker = by.to_string();
        let granted = self.of.entry(run).or_default();
        let ours = |grant: &&mut Grant| grant.worker == worker && grant.attempt == attempt && !grant.used;
        let Some(grant) = granted.iter_mut().rev().find(ours) else {
            return Err(format!("{by} makes attempt {attempt} without a lease"));
        };
        grant.used = true;
        if let Some(why) = grant.void {
            return Err(format!("{by} makes attempt {attempt} although {why} before it was leased"));
        }
        if at < grant.due_for {
            return Err(format!("{by} is early: it is due at {}", grant.due_for));
        }
        // A process cannot know for how long it was stopped before it reached the target.
        let stopped = self.went_on.get(&by).is_some_and(|went_on| grant.at <= *went_on);
        if grant.until <= clock && !stopped {
            return Err(format!("{by} begins under a lease that it can tell was over at {}", grant.until));
        }
        if !self.called.insert((run, attempt)) {
            return Err(format!("attempt {attempt} is made twice"));
        }
        Ok(())
    }

    fn end(&mut self, by: Who, run: RunId, attempt: u32, clock: Instant) -> Result<(), String> {
        let worker = by.to_string();
        let granted = self.of.get(&run).into_iter().flatten().rev();
        let Some(grant) =
            granted.filter(|it| it.used && it.attempt == attempt).find(|it| it.worker == worker)
        else {
            return Ok(());
        };
        let noticed = self.surprised.get(&by).map_or(grant.until, |at| *at + self.looks);
        if grant.until.max(noticed) + GIVEN_UP < clock {
            return Err(format!("{by} went on until {clock} under a lease that was over at {}", grant.until));
        }
        Ok(())
    }
}
