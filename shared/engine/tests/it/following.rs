//! Followers of what is told: one reader for all, nothing missing, and nobody waits for the slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use domain::{Job, JobId, Run, RunKind};
use engine::events::Follower;
use engine::{Cursor, Expected, Feed, News, Purge, Store};
use testkit::{Fault, MemoryStore, at, job};
use tokio::time::{sleep, timeout};

fn feed(store: &MemoryStore) -> Feed {
    Feed::new(Arc::new(store.clone()))
}

async fn insert(store: &MemoryStore, name: &str) -> JobId {
    let job = job(name).build();
    store.insert_job(&job).await.unwrap();
    job.id
}

/// Adds that many runs at once.
async fn add_runs(store: &MemoryStore, job: &mut Job, count: u64) {
    let mut next = job.clone();
    next.version += 1;
    let when = at("2026-11-24T00:00:00Z") + TimeDelta::seconds(i64::try_from(next.version).unwrap());
    let runs: Vec<Run> = (0..count).map(|n| Run::pending(job, RunKind::Manual, when, when, n)).collect();
    let expected = Expected { version: job.version, next_fire_at: job.next_fire_at };
    assert!(store.replace_job(&next, expected, &runs).await.unwrap());
    *job = next;
}

async fn begin(follower: &mut Follower) -> Cursor {
    let News::Here(here) = follower.next().await.unwrap() else { panic!("it begins") };
    here
}

/// The jobs of the next `count` events, and where they leave the follower.
async fn jobs(follower: &mut Follower, count: usize) -> (Vec<JobId>, Vec<Cursor>) {
    let (mut jobs, mut cursors) = (Vec::new(), Vec::new());
    while jobs.len() < count {
        if let News::Events(events) = follower.next().await.unwrap() {
            jobs.extend(events.iter().map(|(_, event)| event.job));
            cursors.extend(events.iter().map(|(here, _)| *here));
        }
    }
    (jobs, cursors)
}

/// How often the store is asked for events.
fn counted(store: &MemoryStore) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    store.fail_by(move |call, _| {
        if matches!(call, "latest" | "events_after") {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Fault::None
    });
    count
}

#[tokio::test(start_paused = true)]
async fn any_number_of_followers_share_one_reader() {
    let store = MemoryStore::new();
    let feed = feed(&store);
    let reads = counted(&store);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(reads.load(Ordering::Relaxed), 0, "nobody follows, so nobody reads");
    let mut followers: Vec<_> = (0..200).map(|_| feed.follow()).collect();
    for follower in &mut followers {
        begin(follower).await;
    }
    let id = insert(&store, "report").await;
    for follower in &mut followers {
        assert_eq!(jobs(follower, 1).await.0, [id]);
    }
    sleep(Duration::from_secs(10)).await;
    let so_far = reads.load(Ordering::Relaxed);
    assert!((10..=30).contains(&so_far), "{so_far}");
    drop(followers);
    sleep(Duration::from_secs(2)).await;
    let so_far = reads.load(Ordering::Relaxed);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(reads.load(Ordering::Relaxed), so_far, "nobody follows any more");
    let mut another = feed.follow();
    begin(&mut another).await;
    let id = insert(&store, "later").await;
    assert_eq!(jobs(&mut another, 1).await.0, [id]);
}

#[tokio::test(start_paused = true)]
async fn what_this_process_tells_is_there_at_once() {
    let store = MemoryStore::new();
    let mut follower = feed(&store).follow();
    begin(&mut follower).await;
    sleep(Duration::from_millis(500)).await;
    let began = tokio::time::Instant::now();
    insert(&store, "report").await;
    jobs(&mut follower, 1).await;
    assert!(began.elapsed() <= Duration::from_millis(150), "{:?}", began.elapsed());
}

/// The follower stays where it was, and goes on.
#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_event() {
    let store = MemoryStore::new();
    let feed = feed(&store);
    let mut follower = feed.follow();
    begin(&mut follower).await;
    let reading = |call| matches!(call, "latest" | "events_after");
    store.fail_by(move |call, _| if reading(call) { Fault::Before } else { Fault::None });
    let id = insert(&store, "report").await;
    assert!(timeout(Duration::from_secs(30), follower.next()).await.is_err(), "it waits");
    store.heal();
    assert_eq!(jobs(&mut follower, 1).await.0, [id]);
}

/// Everything is forgotten while the store is away: followers are told that they missed something.
#[tokio::test(start_paused = true)]
async fn followers_of_what_is_gone_begin_anew() {
    let store = MemoryStore::new();
    let mut follower = feed(&store).follow();
    begin(&mut follower).await;
    let reading = |call| matches!(call, "latest" | "events_after");
    store.fail_by(move |call, _| if reading(call) { Fault::Before } else { Fault::None });
    insert(&store, "report").await;
    insert(&store, "another").await;
    store.purge_events(at("2099-01-01T00:00:00Z"), 100).await.unwrap();
    store.heal();
    assert!(matches!(follower.next().await.unwrap(), News::Reset(_)));
    let id = insert(&store, "third").await;
    assert_eq!(jobs(&mut follower, 1).await.0, [id]);
}

#[tokio::test(start_paused = true)]
async fn a_follower_goes_on_in_the_midst_of_what_was_told_at_once() {
    let store = MemoryStore::new();
    let feed = feed(&store);
    let mut follower = feed.follow();
    let here = begin(&mut follower).await;
    let mut job = job("report").build();
    store.insert_job(&job).await.unwrap();
    add_runs(&store, &mut job, 5).await;
    let (_, cursors) = jobs(&mut follower, 7).await;
    for (seen, cursor) in [here].iter().chain(&cursors).enumerate() {
        let rest = &cursors[seen..];
        if !rest.is_empty() {
            assert_eq!(jobs(&mut feed.resume(Some(*cursor)), rest.len()).await.1, rest);
        }
    }
    let mut at_the_end = feed.resume(cursors.last().copied());
    let id = insert(&store, "another").await;
    assert_eq!(jobs(&mut at_the_end, 1).await.0, [id]);
}

/// It costs no memory, and nobody else waits for it.
#[tokio::test(start_paused = true)]
async fn a_follower_that_does_not_keep_up_begins_anew() {
    let store = MemoryStore::new();
    let feed = feed(&store);
    let (mut slow, mut quick) = (feed.follow(), feed.follow());
    let here = begin(&mut slow).await;
    begin(&mut quick).await;
    let mut job = job("report").build();
    store.insert_job(&job).await.unwrap();
    for _ in 0..3 {
        add_runs(&store, &mut job, 15_000).await;
        jobs(&mut quick, 15_000).await;
    }
    assert!(matches!(slow.next().await.unwrap(), News::Reset(_)));
    let id = insert(&store, "another").await;
    assert_eq!(jobs(&mut slow, 1).await.0, [id]);
    // Who comes back from there is read what was told since: it is not known to be slow.
    let mut again = feed.resume(Some(here));
    assert_eq!(jobs(&mut again, 45_005).await.0.last(), Some(&id));
}
