//! What is told on PostgreSQL: transactions commit in any order, and none of them is passed.

use engine::{Events, Place, Purge, Store, Telling};
use sqlx::Executor;
use testkit::{at, job};

use crate::support::PgDatabase;

/// As an open transaction of some replica, which wrote before another that has committed.
const WRITE: &str = "INSERT INTO events (deed, projects, job_ids, run_ids, statuses)
VALUES (0, '{default}', ARRAY[gen_random_uuid()], '{NULL}', '{0}')";

async fn after(events: &impl Events, place: Place) -> Vec<Telling> {
    events.events_after(place, false, 100).await.unwrap().unwrap()
}

/// Other tests on the same server hold readers back for moments, too.
async fn once_there(events: &impl Events, place: Place, count: usize) -> Vec<Telling> {
    loop {
        let told = after(events, place).await;
        assert!(told.len() <= count, "{told:?}");
        if told.len() == count {
            return told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

async fn begin(events: &impl Events) -> Place {
    loop {
        if let Some(place) = events.latest().await.unwrap() {
            return place;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn what_commits_late_is_read_late_and_never_passed() {
    let Some(database) = PgDatabase::new().await else { return };
    let begin = begin(&database.store).await;
    let mut slow = database.raw.begin().await.unwrap();
    slow.execute(WRITE).await.unwrap();
    let quick = job("quick").build();
    database.store.insert_job(&quick).await.unwrap();
    for _ in 0..20 {
        assert_eq!(after(&database.store, begin).await, [], "the slow one is not passed");
        assert_eq!(database.store.latest().await.unwrap(), Some(begin));
    }
    slow.commit().await.unwrap();
    let told = once_there(&database.store, begin, 2).await;
    assert!(told[0].place < told[1].place);
    assert_eq!(told[1].entries[0].job, quick.id);
    assert_eq!(after(&database.store, told[0].place).await, told[1..]);

    let mut given_up = database.raw.begin().await.unwrap();
    given_up.execute(WRITE).await.unwrap();
    database.store.insert_job(&job("another").build()).await.unwrap();
    given_up.rollback().await.unwrap();
    once_there(&database.store, told[1].place, 1).await;
}

/// Old ones are removed in the order in which they are read, up to the first that is to stay, and what is not to be read
/// yet stays.
#[tokio::test]
async fn removing_old_events_leaves_no_hole() {
    let Some(database) = PgDatabase::new().await else { return };
    let store = &database.store;
    let begin = begin(store).await;
    for index in 0..6 {
        store.insert_job(&job(&format!("job-{index}")).build()).await.unwrap();
    }
    let told = once_there(store, begin, 6).await;
    let young = i64::try_from(told[3].place.seq).unwrap();
    let age =
        "UPDATE events SET at = CASE seq WHEN $1 THEN now() ELSE '2026-11-23T00:00:00Z'::timestamptz END";
    sqlx::query(age).bind(young).execute(&database.raw).await.unwrap();
    let mut open = database.raw.begin().await.unwrap();
    open.execute(WRITE).await.unwrap();
    let before = at("2026-11-23T12:00:00Z");
    while store.purge_events(before, 2).await.unwrap() > 0 {}
    assert_eq!(store.events_after(told[2].place, false, 9).await.unwrap(), None);
    open.commit().await.unwrap();
    assert_eq!(once_there(store, told[3].place, 3).await[..2], told[4..]);
}

/// In a copy of a database, transactions may be numbered anew, far below those of its events.
#[tokio::test]
async fn a_restored_copy_goes_on() {
    let Some(database) = PgDatabase::new().await else { return };
    let store = &database.store;
    let begin = begin(store).await;
    store.insert_job(&job("before").build()).await.unwrap();
    let told = once_there(store, begin, 1).await;
    let restored =
        "UPDATE events SET xid = (xid::text::bigint + 1000000000)::text::xid8, at = '2026-11-23T00:00:00Z'";
    database.raw.execute(restored).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), None);
    let far = Place { transaction: told[0].place.transaction + 1_000_000_000, seq: told[0].place.seq };
    assert_eq!(store.events_after(far, false, 9).await.unwrap(), None, "a client's cursor of before is void");
    store.insert_job(&job("after").build()).await.unwrap();
    let place = self::begin(store).await;
    assert!(place.transaction < far.transaction);
    while store.purge_events(at("2026-11-23T12:00:00Z"), 100).await.unwrap() > 0 {}
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&database.raw).await.unwrap();
    assert_eq!(left, 1);
}
