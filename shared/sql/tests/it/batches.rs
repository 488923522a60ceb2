//! What only a database can do wrong: statements that grow in number with the batch, characters it will not hold,
//! rows that it holds and nobody can read.

use domain::run::{Lease, RequestRecord};
use domain::{Firing, Instant, Run, RunKind, RunStatus, Verdict, fire, settle};
use engine::query::{JobSort, JobSortKey};
use engine::{DueJob, JobKey, JobQuery, Settled, Store};
use sqlx::Executor;
use testkit::{Fixture, at, job};

use crate::recorder::Recorder;
use crate::support::{self, PgDatabase, SqliteFile};

const NOW: &str = "2026-11-24T00:01:00Z";

/// On SQLite the driver speaks on a thread of its own, where it cannot be overheard.
#[tokio::test]
async fn postgres_takes_no_more_statements_for_more_jobs() {
    let Some(fixture) = support::postgres().await else { return };
    let [one, many] = statements_for([1, 300], &fixture).await;
    let expected = [
        "claim_due",
        "due_definitions",
        "count_active",
        "advance",
        "renew",
        "commit_settled",
        "dissolve_leases",
        "lease_runs",
    ];
    assert_eq!(one, expected);
    assert_eq!(many, one);
}

/// The names of all statements it takes to fire, keep and settle that many jobs.
async fn statements_for<const N: usize>(sizes: [usize; N], it: &Fixture) -> [Vec<String>; N] {
    let recorder = Recorder::start();
    let mut all = std::array::from_fn(|_| Vec::new());
    for (size, statements) in sizes.into_iter().zip(&mut all) {
        for number in 0..size {
            let name = format!("job-{size}-{number}");
            it.store.insert_job(&job(&name).once(NOW).build()).await.unwrap();
        }
        recorder.statements();
        let runs = fire_leased(it, size).await;
        let held: Vec<_> = runs.iter().map(|run| (run.id, run.token)).collect();
        it.store.renew(&held, at("2026-11-24T00:02:00Z")).await.unwrap();
        let settled: Vec<_> = runs.iter().map(succeeded).collect();
        let written = it.store.commit_settled(&settled).await.unwrap();
        assert_eq!(written, vec![true; size]);
        let lease = Lease { worker: "w".to_owned(), until: at(NOW) };
        it.store.lease_runs(at(NOW), &lease, 10).await.unwrap();
        *statements = recorder.statements();
    }
    all
}

async fn fire_leased(it: &Fixture, expected: usize) -> Vec<Run> {
    let lease = Lease { worker: "w".to_owned(), until: at("2026-11-24T00:01:30Z") };
    let mut decide = |due: DueJob| {
        let mut firing = fire(&due.job.unwrap(), due.next_fire_at, at(NOW), due.active, due.runs_started);
        firing.runs = firing.runs.into_iter().map(|run| run.leased(&lease)).collect();
        firing
    };
    let firings = it.store.fire_due(at(NOW), 1_000, &mut decide).await.unwrap();
    let runs: Vec<Run> = firings.into_iter().flat_map(|firing| firing.runs).collect();
    assert_eq!(runs.len(), expected);
    runs
}

fn succeeded(run: &Run) -> Settled {
    let job = job("any").build();
    let now = at(NOW);
    let settled = settle(run, &job.draft.retry, job.draft.timeout, now, now, Verdict::Succeeded.into());
    Settled { run: settled, token: run.token }
}

/// A body with the character 0 must not keep a whole batch of outcomes from being written, for ever.
#[tokio::test]
async fn the_character_0_is_kept_where_it_may_occur_and_found_nowhere_else() {
    if let Some(fixture) = support::postgres().await {
        character_0(&fixture).await;
    }
    character_0(&support::sqlite().await.unwrap()).await;
}

async fn character_0(it: &Fixture) {
    let mut built = job("plain").once(NOW).build();
    "a\0b".clone_into(&mut built.draft.description);
    it.store.insert_job(&built).await.unwrap();
    let stored = it.store.job("default", &built.id.into()).await.unwrap().unwrap();
    assert_eq!(stored.job.unwrap().draft.description, "a\0b");

    let runs = fire_leased(it, 1).await;
    let mut settled = succeeded(&runs[0]);
    settled.run.attempts[0].request = Some(RequestRecord {
        method: "POST".to_owned(),
        url: "http://example.com".to_owned(),
        headers: [("x".to_owned(), "\0".to_owned())].into(),
        body: Some("\0".to_owned()),
        body_truncated: false,
    });
    assert_eq!(it.store.commit_settled(&[settled.clone()]).await.unwrap(), [true]);
    assert_eq!(it.store.run("default", runs[0].id).await.unwrap().unwrap(), settled.run);

    assert!(it.store.job("default", &JobKey::Name("\0".to_owned())).await.unwrap().is_none());
    assert!(it.store.job("\0", &built.id.into()).await.unwrap().is_none());
    let all = JobQuery {
        project: "default".to_owned(),
        states: Vec::new(),
        labels: Vec::new(),
        text: None,
        sort: JobSort { by: JobSortKey::Name, descending: false },
        after: None,
        limit: 10,
    };
    let by_text = JobQuery { text: Some("\0".to_owned()), ..all.clone() };
    let by_label = JobQuery { labels: vec![("a".to_owned(), "\0".to_owned())], ..all };
    for query in [by_text, by_label] {
        assert!(it.store.jobs(&query).await.unwrap().items.is_empty());
    }
}

/// JSON that Rust cannot hold, and text that is no JSON: the one job is set aside, its neighbours fire.
#[tokio::test]
async fn an_unreadable_document_harms_nobody_else() {
    if let Some(database) = PgDatabase::new().await {
        let (broken, _) = (insert(&database.store, "broken").await, insert(&database.store, "sound").await);
        let number =
            "UPDATE jobs SET document = ('{\"v\":1e' || repeat('9', 400) || '}')::json WHERE id = $1";
        sqlx::query(number).bind(broken).execute(&database.raw).await.unwrap();
        sound_ones_fire(&database.store).await;
    }
    let file = SqliteFile::new().await;
    let (broken, _) = (insert(&file.store, "broken").await, insert(&file.store, "sound").await);
    sqlx::query("UPDATE jobs SET document = '{' WHERE id = $1")
        .bind(broken)
        .execute(&file.raw)
        .await
        .unwrap();
    sound_ones_fire(&file.store).await;
    let runs = "UPDATE runs SET document = 'x'";
    file.raw.execute(runs).await.unwrap();
    let lease = Lease { worker: "w".to_owned(), until: at(NOW) };
    let leased = file.store.lease_runs(at(NOW), &lease, 10).await.unwrap();
    assert_eq!((leased.len(), leased[0].was), (1, RunStatus::Pending));
}

async fn insert(store: &dyn Store, name: &str) -> uuid::Uuid {
    let job = job(name).once(NOW).build();
    store.insert_job(&job).await.unwrap();
    job.id.0
}

async fn sound_ones_fire(store: &dyn Store) {
    let mut told = Vec::new();
    let now: Instant = at(NOW);
    let mut decide = |due: DueJob| {
        told.push(due.job.is_some());
        due.job.map_or(Firing::invalid(due.id), |job| {
            fire(&job, due.next_fire_at, now, due.active, due.runs_started)
        })
    };
    let firings = store.fire_due(now, 10, &mut decide).await.unwrap();
    told.sort_unstable();
    assert_eq!(told, [false, true]);
    assert_eq!(firings.iter().flat_map(|firing| &firing.runs).count(), 1);
    let kinds: Vec<_> = firings.iter().flat_map(|firing| &firing.runs).map(|run| run.kind).collect();
    assert_eq!(kinds, [RunKind::Schedule]);
}
