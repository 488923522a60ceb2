//! People who create, change, pause and cancel things at random, through whatever node answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Instant, Job, JobDraft, JobId, JobState, Run, RunId, RunStatus};
use engine::{SchedulerError, StoredJob};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::dice::Dice;
use super::drafts::{self, CALENDARS};
use super::event::{Answer, Event, Request, Who};
use super::node::{Cluster, Node};

/// The project of all jobs.
pub(crate) const PROJECT: &str = "default";

/// How long a user waits for an answer.
const PATIENCE: Duration = Duration::from_secs(12);
/// At most so many jobs are created.
const MOST_JOBS: usize = 7;

/// All users. They tell each other which jobs there are.
pub(crate) struct Users {
    cluster: Arc<Cluster>,
    jobs: Mutex<Vec<JobId>>,
    requests: AtomicU32,
}

impl Users {
    pub(crate) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, jobs: Mutex::default(), requests: AtomicU32::new(0) }
    }

    /// Makes requests for ever.
    pub(crate) async fn go_on(&self, user: usize, dice: &Dice, pace: u64) {
        loop {
            sleep(dice.millis(1..=pace)).await;
            let nodes = self.cluster.up();
            if let Some(request) = self.wish(dice)
                && !nodes.is_empty()
            {
                let node = &nodes[dice.index(nodes.len())];
                self.ask(Who::User(user), node, request, dice).await;
            }
        }
    }

    /// Makes a request and waits for the answer, as long as patience lasts.
    pub(crate) async fn ask(&self, user: Who, node: &Node, request: Request, dice: &Dice) -> Answer {
        let log = &self.cluster.world.log;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        log.note(user, Event::Asked(number, request.clone()));
        let answer = timeout(PATIENCE, self.perform(node, request, dice)).await.unwrap_or(Answer::Unknown);
        log.note(user, Event::Told(number, answer.clone()));
        if let Answer::Job(job) = &answer
            && !self.jobs().contains(&job.id)
        {
            self.jobs().push(job.id);
        }
        answer
    }

    fn wish(&self, dice: &Dice) -> Option<Request> {
        let memory = &self.cluster.world.memory;
        let jobs: Vec<Job> = self.jobs().iter().filter_map(|id| memory.peek(*id)).collect();
        let one_of = |wanted: &dyn Fn(&Job) -> bool| {
            let fit: Vec<_> = jobs.iter().filter(|job| wanted(job)).map(|job| job.id).collect();
            (!fit.is_empty()).then(|| dice.pick(&fit))
        };
        let any = one_of(&|_| true);
        match dice.number(0..=99) {
            _ if self.jobs().len() < 2 => Some(Request::Create(name(dice))),
            0..=14 => (self.jobs().len() < MOST_JOBS).then(|| Request::Create(name(dice))),
            15..=29 => any.map(Request::Replace),
            30..=37 => any.map(Request::Rename),
            38..=49 => any.map(Request::Pause),
            50..=63 => one_of(&|job| job.state == JobState::Paused).or(any).map(Request::Resume),
            64..=66 => any.map(Request::Delete),
            67..=79 => any.map(Request::RunNow),
            80..=82 => Some(Request::PutCalendar(dice.pick(&CALENDARS))),
            83..=90 => self.run(dice, |run| !run.status.is_finished()).map(Request::Cancel),
            _ => {
                let badly = [RunStatus::Failed, RunStatus::TimedOut, RunStatus::Cancelled];
                self.run(dice, |run| badly.contains(&run.status)).map(Request::Retry)
            }
        }
    }

    fn run(&self, dice: &Dice, wanted: impl Fn(&Run) -> bool) -> Option<RunId> {
        let runs = self.cluster.world.memory.all_runs();
        let fit: Vec<_> = runs.iter().filter(|run| wanted(run)).map(|run| run.id).collect();
        (!fit.is_empty()).then(|| dice.pick(&fit))
    }

    async fn perform(&self, node: &Node, request: Request, dice: &Dice) -> Answer {
        let scheduler = &node.scheduler;
        let seen = |job: JobId| self.cluster.world.memory.peek(job);
        // Now and then a request names the version it is meant for.
        let expected = |job: JobId| seen(job).filter(|_| dice.chance(200)).map(|job| job.version);
        let now = self.cluster.world.time.now();
        match request {
            Request::Create(name) => job(scheduler.create(PROJECT, drafts::draft(dice, &name, now)).await),
            Request::Replace(id) => {
                let Some(before) = seen(id) else { return Answer::Refused };
                let draft = changed(dice, &before.draft, now);
                job(scheduler.replace(PROJECT, &id.into(), draft, expected(id)).await)
            }
            Request::Rename(id) => {
                let patch = json!({ "name": name(dice) });
                job(scheduler.patch(PROJECT, &id.into(), &patch, expected(id)).await)
            }
            Request::Pause(id) => {
                // Now and then until a moment that has passed when it is written.
                let until = dice.chance(400).then(|| now + dice.duration(1..=25_000).to_delta());
                job(scheduler.pause(PROJECT, &id.into(), None, until, expected(id)).await)
            }
            Request::Resume(id) => job(scheduler.resume(PROJECT, &id.into(), expected(id)).await),
            Request::Delete(id) => match scheduler.delete(PROJECT, &id.into(), expected(id)).await {
                Ok(()) => Answer::Deleted,
                Err(error) => failed(error),
            },
            Request::RunNow(id) => run(scheduler.run_now(PROJECT, &id.into()).await),
            Request::PutCalendar(name) => {
                match scheduler.put_calendar(PROJECT, name, &drafts::calendar(dice, now), None).await {
                    Ok(_) => Answer::Calendar,
                    Err(error) => failed(error),
                }
            }
            Request::Cancel(id) => run(scheduler.cancel(PROJECT, id).await),
            Request::Retry(id) => run(scheduler.retry(PROJECT, id).await),
        }
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<JobId>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Few enough that two jobs now and then want the same.
fn name(dice: &Dice) -> String {
    format!("job{}", dice.number(0..=11))
}

/// Another schedule, other bounds, other policies, or all of it.
fn changed(dice: &Dice, before: &JobDraft, now: Instant) -> JobDraft {
    let other = drafts::draft(dice, &before.name, now);
    match dice.number(0..=4) {
        0 => other,
        4 => JobDraft { calendars: other.calendars, ..before.clone() },
        1 => JobDraft { schedule: other.schedule, ..before.clone() },
        2 => JobDraft { start_at: other.start_at, end_at: other.end_at, ..before.clone() },
        _ => JobDraft {
            retry: other.retry,
            timeout: other.timeout,
            misfire: other.misfire,
            overlap: other.overlap,
            concurrency: other.concurrency,
            max_runs: other.max_runs,
            pause_after_failures: other.pause_after_failures,
            jitter: other.jitter,
            ..before.clone()
        },
    }
}

fn job(answered: Result<StoredJob, SchedulerError>) -> Answer {
    match answered {
        Ok(StoredJob { job: Ok(job), .. }) => Answer::Job(Arc::new(job)),
        Ok(StoredJob { job: Err(_), .. }) => Answer::Refused,
        Err(error) => failed(error),
    }
}

fn run(answered: Result<Run, SchedulerError>) -> Answer {
    answered.map_or_else(failed, |run| Answer::Run(Box::new(run)))
}

#[expect(clippy::needless_pass_by_value, reason = "the end of a result")]
fn failed(error: SchedulerError) -> Answer {
    match error {
        SchedulerError::Store(_) => Answer::Unknown,
        _ => Answer::Refused,
    }
}
