//! A job whose document cannot be read: it stops nobody else, is set aside, and can be repaired or removed.

use domain::{Job, JobState, RunStatus};
use engine::{DueJob, Expected, InvalidJob, JobKey, JobQuery};

use super::Fixture;
use super::support::{all_jobs, decide, facts, names};
use crate::fixtures::{at, job};

/// Adds a job and spoils it.
async fn broken(it: &Fixture, name: &str) -> Job {
    let job = job(name).build();
    it.insert(&job).await;
    it.backdoor.corrupt(job.id).await;
    job
}

async fn remains(it: &Fixture, job: &Job) -> InvalidJob {
    it.find(job).await.unwrap().job.expect_err("the document cannot be read")
}

/// One bad row among good ones: the others fire, and the bad one is set aside, once.
pub async fn the_others_fire(it: &Fixture) {
    it.insert(&job("before").build()).await;
    let bad = broken(it, "broken").await;
    it.insert(&job("after").build()).await;
    let mut told = Vec::new();
    let mut decide_on = decide(at("2026-11-24T00:01:00Z"));
    let mut ask = |due: DueJob| {
        told.push((due.id == bad.id, due.job.is_none()));
        decide_on(due)
    };
    let firings = it.fire_by("2026-11-24T00:01:00Z", 10, &mut ask).await;
    told.sort_unstable();
    assert_eq!(told, [(false, false), (false, false), (true, true)]);
    assert_eq!(firings.iter().map(|firing| firing.runs.len()).sum::<usize>(), 2);

    assert_eq!(remains(it, &bad).await.next_fire_at, None);
    let invalid = JobQuery { states: vec![JobState::Invalid], ..all_jobs("default") };
    assert_eq!(names(&it.jobs(&invalid).await), ["broken"]);
    assert_eq!(it.fire("2026-11-24T00:02:00Z").await.len(), 2, "it is not due any more");
    let counts = it.store.counts().await.unwrap().jobs;
    assert!(
        counts.contains(&(JobState::Invalid, 1)) && counts.contains(&(JobState::Active, 2)),
        "{counts:?}"
    );
}

/// What its columns say is still known, by id, by name and in lists.
pub async fn what_is_left_is_shown(it: &Fixture) {
    it.insert(&job("fine").created("2026-11-24T00:00:01Z").build()).await;
    let bad = broken(it, "broken").await;
    let left = remains(it, &bad).await;
    let expected = InvalidJob {
        id: bad.id,
        project: "default".to_owned(),
        name: "broken".to_owned(),
        version: 2,
        next_fire_at: bad.next_fire_at,
        runs_started: 0,
        created_at: bad.created_at,
        updated_at: bad.updated_at,
        error: left.error.clone(),
    };
    assert_eq!(left, expected);
    assert!(!left.error.is_empty());
    let by_name = it.store.job("default", &JobKey::Name("broken".to_owned())).await.unwrap().unwrap();
    assert_eq!(by_name.job.expect_err("by name"), expected);
    assert_eq!(names(&it.jobs(&all_jobs("default")).await), ["broken", "fine"]);
}

/// A worker gets a run without its definition, as for a deleted job.
pub async fn its_runs_come_without_it(it: &Fixture) {
    let bad = job("broken").build();
    let run = it.waiting(&bad, "2026-11-24T00:00:01Z").await;
    it.backdoor.corrupt(bad.id).await;
    let leased = it.lease("w", "2026-11-24T00:00:02Z", "2026-11-24T00:00:32Z").await;
    assert_eq!((leased[0].run.id, leased[0].was), (run.id, RunStatus::Pending));
    assert!(leased[0].job.is_none());
}

/// A sound definition in its place makes it a job again.
pub async fn it_is_repaired_by_replacing_it(it: &Fixture) {
    let bad = broken(it, "broken").await;
    it.fire("2026-11-24T00:01:00Z").await;
    let left = remains(it, &bad).await;
    let read = Expected { version: left.version, next_fire_at: left.next_fire_at };
    let sound = Job { version: left.version + 1, ..job("mended").id(bad.id).build() };
    let stale = Expected { version: 1, ..read };
    assert!(!it.replace(&sound, stale, &[]).await);
    assert!(it.replace(&sound, read, &[]).await);
    assert_eq!(facts(&it.stored(&bad).await), facts(&sound));
    let firings = it.fire("2026-11-24T00:01:00Z").await;
    assert_eq!(firings[0].runs[0].job_name, "mended");
}

/// It can be deleted, by the version there is.
pub async fn it_can_be_deleted(it: &Fixture) {
    let bad = broken(it, "broken").await;
    assert!(!it.delete(&bad, "2026-11-24T00:00:10Z").await, "its version has grown");
    let now = at("2026-11-24T00:00:10Z");
    assert!(it.store.delete_job("default", bad.id, 2, now).await.unwrap());
    assert!(it.find(&bad).await.is_none());
}
