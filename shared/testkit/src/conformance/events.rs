//! What is told: each call tells exactly what it did, in order, and who reads on from where he was misses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::{Backfill, BackfillId, BackfillOrder, Job, JobState, Overlap, Run, RunKind};
use engine::{Deed, Event, EventKind, Events, Place, Standing, Store, Telling};
use tokio::sync::Barrier;

use super::Fixture;
use super::support::{expected, manual, succeeded, to_be_retried};
use crate::fixtures::{at, job};

/// A reader of all that is told.
struct Reader {
    events: Arc<dyn Events>,
    store: Arc<dyn Store>,
    place: Place,
    marks: u32,
}

/// The project of the marks that a reader makes.
const MARKS: &str = "marks";

impl Reader {
    /// Reads from now on; `None` where the store tells nothing.
    async fn of(it: &Fixture) -> Option<Self> {
        let events = it.events.clone()?;
        let place = eventually(async || events.latest().await.unwrap()).await;
        let mut reader = Self { events, store: it.store.clone(), place, marks: 0 };
        reader.tellings().await;
        Some(reader)
    }

    /// What was told since the last time, up to now. To know where now is, the reader makes a mark there: what other
    /// transactions on the same server have open may keep it from being read for a moment.
    async fn tellings(&mut self) -> Vec<Telling> {
        self.marks += 1;
        let mark = job(&format!("mark-{}", self.marks)).project(MARKS).once("2090-01-01T00:00:00Z").build();
        self.store.insert_job(&mark).await.unwrap();
        let mut all = Vec::new();
        loop {
            let told = self.events.events_after(self.place, false, 1_000).await.unwrap();
            for telling in told.expect("the place is still there") {
                assert!(self.place < telling.place, "in order");
                self.place = telling.place;
                if telling.entries.iter().any(|entry| entry.job == mark.id) {
                    return all;
                }
                all.push(telling);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The same in words.
    async fn told(&mut self) -> Vec<String> {
        events(&self.tellings().await).iter().map(words).collect()
    }
}

/// Asks again and again.
async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn events(told: &[Telling]) -> Vec<Event> {
    let events =
        told.iter().flat_map(|it| it.entries.iter().map(|entry| engine::events::event(it.deed, entry)));
    events.map(|event| event.expect("it is known")).collect()
}

fn words(event: &Event) -> String {
    let standing = match event.standing {
        None => "-",
        Some(Standing::Job(state)) => state.as_str(),
        Some(Standing::Run(status)) => status.as_str(),
    };
    format!("{} {standing}", event.kind)
}

/// Created, changed together with a record of what that left out, fired for the last time, deleted.
pub async fn the_life_of_a_job_is_told(it: &Fixture) {
    let Some(mut reader) = Reader::of(it).await else { return };
    let job = job("report").build();
    it.insert(&job).await;
    let told = events(&reader.tellings().await);
    assert_eq!(
        told,
        [Event {
            kind: EventKind::JobCreated,
            project: "default".to_owned(),
            job: job.id,
            run: None,
            standing: Some(Standing::Job(JobState::Active)),
        }]
    );
    let paused = job.paused(None, at("2026-11-24T00:00:30Z"));
    assert!(it.replace(&paused, expected(&job), &[manual(&job, "2026-11-24T00:00:30Z")]).await);
    assert_eq!(reader.told().await, ["job.updated paused", "run.created pending"]);
    assert!(it.delete(&paused, "2026-11-24T00:00:31Z").await);
    assert_eq!(reader.told().await, ["job.deleted -"]);
}

/// Created, taken up, put off, taken up again, cancelled, ended, made to wait again.
pub async fn the_life_of_a_run_is_told(it: &Fixture) {
    let Some(mut reader) = Reader::of(it).await else { return };
    let job = job("report").build();
    let run = it.waiting(&job, "2026-11-24T00:00:05Z").await;
    assert_eq!(reader.told().await, ["job.created active", "run.created pending"]);
    let lease = async |now: &str, until: &str| it.lease("w", now, until).await.remove(0).run;
    let leased = lease("2026-11-24T00:00:05Z", "2026-11-24T00:00:30Z").await;
    let told = reader.tellings().await;
    let [Event { kind: EventKind::RunStarted, job: of, run: told_run, .. }] = events(&told)[..] else {
        panic!("{told:?}")
    };
    assert_eq!((of, told_run), (job.id, Some(run.id)));
    assert_eq!(it.settle(&[to_be_retried(&leased, "2026-11-24T00:01:00Z")]).await, [true]);
    assert_eq!(reader.told().await, ["run.changed pending"]);
    let leased = lease("2026-11-24T00:01:00Z", "2026-11-24T00:01:30Z").await;
    assert_eq!(reader.told().await, ["run.started running"]);
    it.store.renew(&[(leased.id, leased.token)], at("2026-11-24T00:01:50Z")).await.unwrap();
    assert_eq!(reader.told().await, [""; 0], "that somebody is still at it is no news");
    assert!(it.cancel(&run).await.is_some());
    assert_eq!(reader.told().await, ["run.changed running"]);
    let done = succeeded(&leased, "2026-11-24T00:01:01Z");
    assert_eq!(it.settle(std::slice::from_ref(&done)).await, [true]);
    assert_eq!(reader.told().await, ["run.finished succeeded"]);
    let again = Run { due_at: Some(at("2026-11-24T00:02:00Z")), finished_at: None, ..leased };
    let again = Run { status: domain::RunStatus::Pending, ..again };
    assert!(it.store.reopen_run(&again).await.unwrap());
    assert_eq!(reader.told().await, ["run.changed pending"]);
}

/// Moving on is no news of a job; coming to its end, or out of a pause, is.
pub async fn firing_tells_of_its_runs_and_of_jobs_that_end(it: &Fixture) {
    let Some(mut reader) = Reader::of(it).await else { return };
    it.insert(&job("hourly").every("1h").build()).await;
    reader.told().await;
    let due = it.next_due().await.unwrap();
    assert_eq!(it.store.fire_due(due, 10, &mut super::support::decide(due)).await.unwrap().len(), 1);
    assert_eq!(reader.told().await, ["run.created pending"]);
    let once = job("once").once("2026-11-24T00:00:10Z").build();
    it.insert(&once).await;
    let resting = job("resting").once("2026-11-25T00:00:00Z").build();
    let until = Some(at("2026-11-24T00:00:20Z"));
    let paused = resting.paused_until(None, until, at("2026-11-24T00:00:00Z"));
    it.insert(&resting).await;
    assert!(it.replace(&paused, expected(&resting), &[]).await);
    let broken = job("broken").once("2026-11-24T00:00:30Z").build();
    it.insert(&broken).await;
    it.backdoor.corrupt(broken.id).await;
    reader.told().await;
    it.fire("2026-11-24T00:00:10Z").await;
    assert_eq!(sorted(reader.told().await), ["job.updated completed", "run.created pending"]);
    it.fire("2026-11-24T00:00:20Z").await;
    assert_eq!(reader.told().await, ["job.updated active"]);
    it.fire("2026-11-24T00:00:30Z").await;
    let told = events(&reader.tellings().await);
    assert_eq!(told.iter().map(words).collect::<Vec<_>>(), ["job.updated invalid"]);
    assert_eq!((told[0].job, told[0].project.as_str()), (broken.id, "default"));
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}

/// What comes too late, exists already or finds nothing changes nothing and is not told; of a batch, what was done is.
pub async fn what_was_not_done_is_not_told(it: &Fixture) {
    let job = job("report").build();
    let first = it.running(&job, "w", "2026-11-24T00:00:05Z").await;
    let second = manual(&job, "2026-11-24T00:00:06Z");
    it.insert_run(&second).await;
    let Some(mut reader) = Reader::of(it).await else { return };
    let nothing: [&str; 0] = [];
    let of_its_name = super::super::fixtures::job("report").id(domain::JobId::new(job.created_at, 7)).build();
    it.store.insert_job(&of_its_name).await.unwrap_err();
    assert!(!it.insert_run(&second).await);
    let mut late = expected(&job);
    late.version += 1;
    assert!(!it.replace(&job, late, &[manual(&job, "2026-11-24T00:00:09Z")]).await);
    assert!(!it.store.delete_job("default", job.id, 99, at("2026-11-24T00:00:09Z")).await.unwrap());
    assert!(it.lease("w", "2026-11-24T00:00:01Z", "2026-11-24T00:00:02Z").await.is_empty());
    assert!(!it.store.reopen_run(&second).await.unwrap());
    assert!(it.fire("2026-11-24T00:00:01Z").await.is_empty());
    assert_eq!(reader.told().await, nothing);
    let done = succeeded(&first, "2026-11-24T00:00:07Z");
    let mut stale = succeeded(&second, "2026-11-24T00:00:07Z");
    stale.token += 7;
    assert_eq!(it.settle(&[done.clone(), stale, done.clone()]).await, [true, false, false]);
    assert_eq!(reader.told().await, ["run.finished succeeded"]);
    assert_eq!(it.settle(&[done]).await, [false]);
    assert!(it.cancel(&first).await.is_none());
    assert_eq!(reader.told().await, nothing);
    // Its occurrence has a record already.
    let due = job.next_fire_at.unwrap();
    let there = Run::pending(&job, RunKind::Schedule, due, due, 0);
    it.insert_run(&there).await;
    assert_eq!(reader.told().await, ["run.created pending"]);
    let fired = it.store.fire_due(due, 10, &mut super::support::decide(due)).await.unwrap();
    assert!(fired[0].runs.iter().all(|run| run.id != there.id));
    assert_eq!(reader.told().await.len(), fired[0].runs.len());
    // A backfill's runs are told of like others, those that exist are not.
    let (from, to) = (at("2026-11-23T00:00:00Z"), at("2026-11-23T00:02:00Z"));
    let order = BackfillOrder { from, to, overlap: Overlap::AllowAll, max: 100, payload: None };
    let made = at("2026-11-24T01:00:00Z");
    let backfill = Backfill::create(&job, order, BackfillId::new(made, 7), made).unwrap();
    assert!(it.store.insert_backfill(&backfill).await.unwrap());
    reader.told().await;
    let of_backfill = |seconds: i64| {
        let when = at("2026-11-23T00:00:00Z") + TimeDelta::seconds(seconds);
        Run::pending(&job, RunKind::Backfill, when, made, 1)
    };
    let next = Backfill { version: backfill.version + 1, ..backfill };
    assert!(it.store.replace_backfill(&next, &[of_backfill(0)]).await.unwrap());
    assert_eq!(reader.told().await, ["run.created pending"]);
    let next = Backfill { version: next.version + 1, ..next };
    assert!(it.store.replace_backfill(&next, &[of_backfill(0), of_backfill(60)]).await.unwrap());
    assert!(!it.store.replace_backfill(&next, &[of_backfill(90)]).await.unwrap());
    assert_eq!(reader.told().await, ["run.created pending"]);
}

/// From each place what follows is the same, with the place's own telling or without.
pub async fn events_are_read_on_from_any_place(it: &Fixture) {
    let Some(mut reader) = Reader::of(it).await else { return };
    let begin = reader.place;
    for index in 0..6 {
        it.insert(&job(&format!("job-{index}")).project("o'dd 名").build()).await;
    }
    let told = reader.tellings().await;
    assert_eq!(told.len(), 6);
    assert!(told.iter().all(|telling| telling.deed == Deed::Insert as i16));
    assert!(told.iter().flat_map(|it| &it.entries).all(|entry| entry.project == "o'dd 名"));
    let events = &reader.events;
    assert_eq!(events.events_after(begin, false, 6).await.unwrap().unwrap(), told);
    for (index, telling) in told.iter().enumerate() {
        let behind = events.events_after(telling.place, false, 2).await.unwrap().unwrap();
        assert_eq!(
            behind[..],
            told[index + 1..].iter().cloned().chain(mark(&behind)).take(2).collect::<Vec<_>>()
        );
        let own = events.events_after(telling.place, true, 2).await.unwrap().unwrap();
        assert_eq!(own[0], *telling);
        assert_eq!(own.get(1).map(|it| it.place), behind.first().map(|it| it.place));
    }
    assert_eq!(events.events_after(reader.place, false, 9).await.unwrap(), Some(Vec::new()));
    assert_eq!(events.latest().await.unwrap(), Some(reader.place));
}

/// The reader's own.
fn mark(told: &[Telling]) -> impl Iterator<Item = Telling> {
    told.iter().filter(|it| it.entries.iter().any(|entry| entry.project == MARKS)).cloned()
}

/// Also one that never was.
pub async fn a_place_that_is_gone_is_not_read_on_from(it: &Fixture) {
    let Some(reader) = Reader::of(it).await else { return };
    let Place { transaction, seq } = reader.place;
    for place in [
        Place { transaction, seq: seq + 1 },
        Place { transaction: transaction + 1_000_000, seq },
        Place { transaction: transaction + 1, seq },
        Place { transaction: u64::MAX / 2, seq: u64::MAX / 2 },
        Place { transaction: 0, seq: 0 },
    ] {
        for own in [false, true] {
            assert_eq!(reader.events.events_after(place, own, 9).await.unwrap(), None, "{place:?}");
        }
    }
}

/// The oldest go first, as many as asked for. The last one stays, for readers to go on from.
pub async fn old_events_go_but_for_the_last(it: &Fixture) {
    let Some(mut reader) = Reader::of(it).await else { return };
    for index in 0..4 {
        it.insert(&job(&format!("job-{index}")).build()).await;
    }
    let told = reader.tellings().await;
    assert_eq!(it.store.purge_events(at("1999-01-01T00:00:00Z"), 100).await.unwrap(), 0);
    let ever = at("2099-01-01T00:00:00Z");
    let there = async |place| reader.events.events_after(place, false, 9).await.unwrap().is_some();
    assert!(there(told[0].place).await);
    while there(told[1].place).await {
        assert_eq!(it.store.purge_events(ever, 1).await.unwrap(), 1);
        let (first, second) = (there(told[0].place).await, there(told[1].place).await);
        assert!(second || !first, "in order");
    }
    assert!(there(told[2].place).await);
    it.store.purge_events(ever, 100).await.unwrap();
    assert_eq!(it.store.purge_events(ever, 100).await.unwrap(), 0);
    assert!(!there(told[3].place).await);
    assert!(there(reader.place).await);
    it.insert(&job("another").build()).await;
    assert_eq!(reader.told().await, ["job.created active"]);
}

/// More than fits into one row's page, and still one telling.
pub async fn a_firing_of_many_is_told_whole(it: &Fixture) {
    const MANY: usize = 700;
    let Some(mut reader) = Reader::of(it).await else { return };
    for index in 0..MANY {
        it.insert(&job(&format!("job-{index}")).once("2026-11-24T00:01:00Z").build()).await;
    }
    reader.tellings().await;
    assert_eq!(it.fire("2026-11-24T00:01:00Z").await.len(), MANY);
    let told = reader.tellings().await;
    assert_eq!(told.len(), 1);
    let mut counts = BTreeMap::<String, usize>::new();
    for event in events(&told) {
        *counts.entry(words(&event)).or_default() += 1;
    }
    let each = [("job.updated completed", MANY), ("run.created pending", MANY)];
    assert_eq!(counts, each.map(|(word, count)| (word.to_owned(), count)).into());
}

/// Many write, short transactions and long ones, and one reads all the while: everything comes, once.
pub async fn nothing_is_told_behind_a_readers_back(it: &Fixture) {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 12;
    let Some(mut reader) = Reader::of(it).await else { return };
    let mut jobs = Vec::new();
    for index in 0..WRITERS {
        let job = job(&format!("job-{index}")).once("2090-01-01T00:00:00Z").build();
        it.insert(&job).await;
        jobs.push(job);
    }
    reader.tellings().await;
    let barrier = Arc::new(Barrier::new(WRITERS));
    let writers: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let (store, barrier) = (it.store.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                write(&*store, job, ROUNDS).await
            })
        })
        .collect();
    let mut told = Vec::new();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let some = reader.events.events_after(reader.place, false, 3).await.unwrap().unwrap();
        for telling in some {
            assert!(reader.place < telling.place);
            reader.place = telling.place;
            told.push(telling);
        }
    }
    told.extend(reader.tellings().await);
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    let key = |event: Event| (event.kind.to_string(), event.run);
    let all: Vec<_> = events(&told).into_iter().filter(|event| event.run.is_some()).map(key).collect();
    let once: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(once.len(), all.len(), "nothing came twice");
    let expected = written
        .into_iter()
        .flat_map(|run| ["run.created", "run.finished"].map(|kind| (kind.to_owned(), Some(run))));
    assert_eq!(once, expected.collect());
}

/// In each round a run is added alone and ended, and some are added with a new version of the job, and ended.
async fn write(store: &dyn Store, mut job: Job, rounds: usize) -> Vec<domain::RunId> {
    let mut ids = Vec::new();
    for round in 0..rounds {
        let now = at("2026-11-24T00:00:00Z") + TimeDelta::seconds(i64::try_from(round).unwrap());
        let made = |number| Run::pending(&job, RunKind::Manual, now, now, number);
        let (one, some) = (made(0), (1..20).map(made).collect::<Vec<_>>());
        assert!(store.insert_run(&one).await.unwrap());
        let mut next = job.clone();
        next.version += 1;
        assert!(store.replace_job(&next, expected(&job), &some).await.unwrap());
        job = next;
        let ended: Vec<_> =
            some.iter().chain([&one]).map(|run| succeeded(run, "2026-11-24T00:01:00Z")).collect();
        assert!(store.commit_settled(&ended).await.unwrap().into_iter().all(|written| written));
        ids.extend(ended.into_iter().map(|it| it.run.id));
    }
    ids
}
