//! Carrying an operation out on one store, and writing its answer down so that two answers can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};

use domain::run::Lease;
use domain::settle::cancelled;
use domain::time::Zone;
use domain::{
    Firing, HumanDuration, Instant, JobState, Reason, Retry, Run, RunId, RunStatus, Verdict, fire, settle,
};
use engine::query::JobSort;
use engine::{
    DueJob, Expected, JobKey, JobQuery, Page, RunQuery, SavedResponse, Settled, StoreError, StoredJob,
};

use super::calendars;
use super::op::Op;
use super::world::{World, key, kinds, label, name, project, states, statuses, text};
use crate::Fixture;
use crate::conformance::support::{all_jobs, all_runs, expected, facts};

/// What came of it. Equal answers are equal texts.
pub(super) async fn perform(op: &Op, world: &World, it: &Fixture) -> String {
    let store = &*it.store;
    let keys = &*it.idempotency;
    let now = world.now();
    match op {
        Op::InsertJob { shape } => match world.new_job(shape) {
            Some(job) => say(store.insert_job(&job).await),
            None => String::new(),
        },
        Op::Edit { job, shape } => {
            let Some(job) = world.job(*job) else { return String::new() };
            let Ok(changed) = job.edit(world.draft(shape), &Zone::default(), now) else {
                return String::new();
            };
            say(store.replace_job(&changed.job, expected(job), changed.closing.as_slice()).await)
        }
        Op::Pause { job } => {
            let Some(job) = world.job(*job) else { return String::new() };
            say(store.replace_job(&job.paused(None, now), expected(job), &[]).await)
        }
        Op::Resume { job } => {
            let Some(job) = world.job(*job).filter(|job| job.pause.is_some()) else { return String::new() };
            let changed = job.resumed(now);
            say(store.replace_job(&changed.job, expected(job), changed.closing.as_slice()).await)
        }
        Op::ReplaceBlindly { job: pick, version } => {
            let Some(job) = world.job(*pick) else { return String::new() };
            let guess =
                Expected { version: job.version.saturating_add_signed((*version).into()), ..expected(job) };
            let runs: Vec<Run> = world.manual(*pick, 5).into_iter().collect();
            say(store.replace_job(&job.paused(Some("blindly".to_owned()), now), guess, &runs).await)
        }
        Op::Delete { job } => {
            let Some(job) = world.job(*job) else { return String::new() };
            say(store.delete_job(&job.project, job.id, job.version, now).await)
        }
        Op::Corrupt { job } => {
            if let Some(job) = world.job(*job) {
                it.backdoor.corrupt(job.id).await;
            }
            String::new()
        }
        Op::FindById { job, project: pick } => {
            let Some(job) = world.job(*job) else { return String::new() };
            let project = if pick.is_multiple_of(4) { project(*pick) } else { &job.project };
            say(store.job(project, &job.id.into()).await.map(|found| found.as_ref().map(describe)))
        }
        Op::FindByName { name: pick, project: of } => {
            let found = store.job(project(*of), &JobKey::Name(name(*pick).to_owned())).await;
            say(found.map(|found| found.as_ref().map(describe)))
        }
        Op::ListJobs { list, text: piece, label: labelled, states: wanted, sort } => {
            let query = JobQuery {
                states: states(*wanted),
                labels: label(*labelled).into_iter().collect(),
                text: text(*piece),
                sort: JobSort { by: *sort, descending: list.descending },
                limit: list.limit,
                ..all_jobs(project(list.project))
            };
            job_pages(it, query).await
        }
        Op::Fire { limit, lease } => fire_by_the_rules(it, now, *limit, *lease).await,
        Op::FireNothing => {
            let mut nothing = |due: DueJob| {
                let (job_id, next_fire_at) = (due.id, Some(due.next_fire_at));
                Firing { job_id, next_fire_at, state: JobState::Active, runs: Vec::new() }
            };
            // Whether a firing that changes nothing is returned does not matter to anybody.
            say(store.fire_due(now, 100, &mut nothing).await.map(|_| ()))
        }
        Op::NextDue => say(store.next_due().await),
        Op::Unfinished { job, limit } => {
            let Some(job) = world.job(*job) else { return String::new() };
            say(store.unfinished_runs(job.id, *limit).await)
        }
        Op::CountDue { back, ahead, limit } => {
            let from = now - HumanDuration::from_secs(u64::from(*back)).to_delta();
            say(store.count_due(from, world.after(*ahead), *limit).await)
        }
        Op::InsertRun { job, delay } => {
            let Some(run) = world.manual(*job, *delay) else { return String::new() };
            say(store.insert_run(&run).await)
        }
        Op::InsertOccurrence { job } => {
            let Some(run) = world.occurrence(*job) else { return String::new() };
            say(store.insert_run(&run).await)
        }
        Op::Lease { limit, seconds } => lease_some(it, world, *limit, *seconds).await,
        Op::Renew { runs, seconds } => {
            let picked = runs.iter().filter_map(|pick| world.run(*pick));
            let held: Vec<_> = unique(picked.map(|run| (run.id, run.token)));
            say(store.renew(&held, world.after(*seconds)).await)
        }
        Op::Settle { runs, verdict } => {
            let runs = unique(runs.iter().filter_map(|pick| world.run(*pick)).map(|run| (run.id, run.token)));
            let settled: Vec<Settled> = runs
                .into_iter()
                .filter_map(|(id, token)| world.snapshot_of(id, token))
                .map(|run| Settled { token: run.token, run: after(run, verdict, now) })
                .collect();
            say(store.commit_settled(&settled).await)
        }
        Op::Close { run } => {
            let Some(run) = world.run(*run) else { return String::new() };
            let closed = Settled { token: run.token, run: cancelled(run, Reason::Deleted, now) };
            say(store.commit_settled(&[closed]).await)
        }
        Op::Cancel { run, project: pick } => {
            let Some(run) = world.run(*run) else { return String::new() };
            let project = if pick.is_multiple_of(4) { project(*pick) } else { &run.project };
            say(store.request_cancel(project, run.id).await)
        }
        Op::Reopen { run, delay } => {
            let Some(run) = world.run(*run) else { return String::new() };
            let due_at = Some(world.after(*delay));
            let (status, reason) = (RunStatus::Pending, None);
            let again =
                Run { status, due_at, reason, finished_at: None, cancel_requested: false, ..run.clone() };
            say(store.reopen_run(&again).await)
        }
        Op::FindRun { run, project: pick } => {
            let Some(run) = world.run(*run) else { return String::new() };
            let project = if pick.is_multiple_of(4) { project(*pick) } else { &run.project };
            say(store.run(project, run.id).await)
        }
        Op::ListRuns { list, job, statuses: wanted, kinds: made } => {
            let query = RunQuery {
                job: job.and_then(|pick| world.job(pick)).map(|job| job.id),
                statuses: statuses(*wanted),
                kinds: kinds(*made),
                ascending: !list.descending,
                limit: list.limit,
                ..all_runs(project(list.project))
            };
            run_pages(it, query).await
        }
        Op::Counts => say(store.counts().await.map(|mut counts| {
            counts.jobs.retain(|(_, count)| *count > 0);
            counts.jobs.sort_by_key(|(state, _)| *state as u8);
            counts.runs.retain(|(_, count)| *count > 0);
            counts.runs.sort();
            counts
        })),
        Op::Begin { key: pick, project: of, fingerprint } => {
            let fingerprint = if fingerprint.is_multiple_of(4) { "g" } else { "f" };
            say(keys.begin(project(*of), key(*pick), fingerprint, now).await)
        }
        Op::Finish { key: pick, project: of } if !world.is_answered(*pick, *of) => {
            let answer = SavedResponse { status: 200, headers: Vec::new(), body: format!("{now} “ok”") };
            say(keys.finish(project(*of), key(*pick), &answer).await)
        }
        Op::Release { key: pick, project: of } if !world.is_answered(*pick, *of) => {
            say(keys.release(project(*of), key(*pick)).await)
        }
        Op::Wait { .. } | Op::WaitForIt { .. } | Op::Finish { .. } | Op::Release { .. } => String::new(),
        Op::Calendar(op) => calendars::perform(op, world, it).await,
        Op::Forget { age } => {
            let before = now - HumanDuration::from_secs(u64::from(*age)).to_delta();
            say(keys.forget(before, 1_000).await)
        }
    }
}

/// All jobs, runs and calendars of all projects, as one text.
pub(super) async fn everything(it: &Fixture) -> String {
    let mut all = String::new();
    for pick in [0, 1] {
        all += &job_pages(it, JobQuery { limit: 2, ..all_jobs(project(pick)) }).await;
        all += &run_pages(it, RunQuery { limit: 20, ..all_runs(project(pick)) }).await;
        all += &calendars::pages(it, project(pick), 2).await;
    }
    all + &say(it.store.next_due().await)
}

async fn fire_by_the_rules(it: &Fixture, now: Instant, limit: u32, lease: bool) -> String {
    let mut told = Vec::new();
    let held = Lease { worker: "firing".to_owned(), until: now + HumanDuration::from_secs(30).to_delta() };
    let mut decide = |due: DueJob| {
        let definition = due.job.as_ref().map(|job| (job.draft.clone(), job.version, job.project.clone()));
        told.push((due.id, due.next_fire_at, definition, due.active, due.runs_started));
        let Some(job) = due.job else { return Firing::invalid(due.id) };
        let mut firing = fire(&job, due.next_fire_at, now, due.active, due.runs_started);
        if lease && let Some(run) = firing.runs.iter_mut().find(|run| run.status == RunStatus::Pending) {
            *run = run.clone().leased(&held);
        }
        firing
    };
    let firings = it.store.fire_due(now, limit, &mut decide).await.map(|mut firings| {
        firings.sort_by_key(|firing| firing.job_id);
        firings
    });
    say((told, firings.map_err(normal)))
}

async fn lease_some(it: &Fixture, world: &World, limit: u32, seconds: u32) -> String {
    let since: BTreeMap<RunId, Instant> = world.due_runs().iter().map(|(at, id)| (*id, *at)).collect();
    let lease = Lease { worker: "leasing".to_owned(), until: world.after(seconds) };
    let leased = it.store.lease_runs(world.now(), &lease, world.between_ties(limit)).await;
    say(leased.map(|leased| {
        let in_order = leased.is_sorted_by_key(|leased| since.get(&leased.run.id));
        // Of those due at the same instant any may come first.
        let mut leased: Vec<_> = leased
            .into_iter()
            .map(|it| {
                (
                    since.get(&it.run.id).copied(),
                    it.run.id,
                    it.run,
                    it.was,
                    it.job.map(|job| job.draft.clone()),
                )
            })
            .collect();
        leased.sort_by_key(|it| (it.0, it.1));
        (in_order, leased)
    }))
}

/// All pages of a list of jobs, one after the other.
async fn job_pages(it: &Fixture, mut query: JobQuery) -> String {
    let mut seen = String::new();
    // More pages than there can be: a cursor that goes in circles is an answer like any other.
    for _ in 0..100 {
        let page = match it.store.jobs(&query).await {
            Ok(page) => page,
            Err(error) => return seen + &say(normal(error)),
        };
        let Page { items, has_more } = page;
        let _ = write!(seen, "{:?} {has_more}; ", items.iter().map(describe).collect::<Vec<_>>());
        let Some(last) = items.last().filter(|_| has_more) else { break };
        query.after = Some(last.cursor(query.sort));
    }
    seen
}

async fn run_pages(it: &Fixture, mut query: RunQuery) -> String {
    let mut seen = String::new();
    for _ in 0..100 {
        let page = match it.store.runs(&query).await {
            Ok(page) => page,
            Err(error) => return seen + &say(normal(error)),
        };
        let _ = write!(seen, "{:?} {}; ", page.items, page.has_more);
        let Some(last) = page.items.last().filter(|_| page.has_more) else { break };
        query.after = Some(last.id);
    }
    seen
}

fn describe(stored: &StoredJob) -> String {
    let last_run = stored.last_run;
    match &stored.job {
        Ok(job) => format!("{:?} {last_run:?}", facts(job)),
        Err(broken) => {
            let mut broken = broken.clone();
            broken.error.clear();
            format!("{broken:?} {last_run:?}")
        }
    }
}

/// The run after an attempt that ended like this.
fn after(run: &Run, verdict: &Verdict, now: Instant) -> Run {
    let seconds = HumanDuration::from_secs;
    let retry = Retry { max_attempts: 3, initial: seconds(3), factor: 2.0, max: seconds(60), jitter: true };
    settle(run, &retry, seconds(30), now, now, verdict.clone().into())
}

fn unique<T: Ord + Copy>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}

/// Errors by kind alone.
pub(super) fn normal(error: StoreError) -> String {
    match error {
        StoreError::NameTaken => "the name is taken".to_owned(),
        // No store has a reason to fail here, so say all.
        other => format!("{other:?}"),
    }
}

pub(super) fn say(answer: impl Debug) -> String {
    format!("{answer:?}")
}
