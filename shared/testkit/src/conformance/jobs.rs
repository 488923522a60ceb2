//! Jobs: kept whole, found again, replaced and deleted by compare-and-set.

use domain::job::Pause;
use domain::target::{HttpTarget, LogTarget};
use domain::{JobState, Overlap, Run, RunStatus, Target};
use engine::{Expected, JobKey, StoreError};

use super::Fixture;
use super::support::{all_jobs, expected, facts, manual, names, succeeded};
use crate::fixtures::{at, duration, job};

/// A stored job is found by both of its names, as it was stored.
pub async fn an_inserted_job_is_found_by_id_and_by_name(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let by_name = it.store.job("default", &JobKey::Name("report".to_owned())).await.unwrap().unwrap();
    assert_eq!(facts(&it.stored(&job).await), facts(&job));
    assert_eq!(facts(&by_name.job.unwrap()), facts(&job));
    assert_eq!(by_name.last_run, None);
    assert!(
        it.store.job("default", &JobKey::Name("Report".to_owned())).await.unwrap().is_none(),
        "letter case counts"
    );
    assert!(it.store.job("default", &JobKey::Name("rep".to_owned())).await.unwrap().is_none());
}

/// Nothing of a definition is lost, rounded or reinterpreted.
pub async fn every_field_of_a_job_survives(it: &Fixture) {
    let target = HttpTarget {
        method: "PUT".to_owned(),
        url: "https://example.com/a?b=%27&c=“ü”".to_owned(),
        headers: [("X-Quote".to_owned(), "it's \"so\" \\ {}; -- 日本 🦀".to_owned())].into(),
        body: Some(
            serde_json::json!({"text": "{{run.id}} \u{1F980} \n\t\\u0001", "n": 0.1, "big": 9_007_199_254_740_993_u64, "null": null}),
        ),
        success: vec!["2xx".parse().unwrap(), "404".parse().unwrap()],
        callback: true,
        heartbeat: Some(duration("7s")),
    };
    let mut rich = job("nächtlicher 'report' 🦀 %_\\")
        .cron("0 0 2 ? * MON-FRI", "Europe/Paris")
        .label("team", "billing & \"co\"")
        .label("empty", "")
        .overlap(Overlap::AllowAll)
        .attempts(7, "1s250ms")
        .deadline("3d")
        .starting("2026-12-01T00:00:00.001Z")
        .ending("2099-12-31T23:59:59.999Z")
        .created("2026-11-24T01:02:03.456Z")
        .with(|draft| {
            "line one\nline two\ttab ' \" ; drop table jobs".clone_into(&mut draft.description);
            draft.target = Target::Http(target);
            draft.retry.factor = 1.1;
            draft.retry.jitter = true;
            draft.timeout = duration("1ms");
            draft.misfire.window = duration("2w");
            draft.max_runs = Some(1_000_000_000);
        })
        .build();
    it.insert(&rich).await;
    assert_eq!(facts(&it.stored(&rich).await), facts(&rich));

    let before = expected(&rich);
    rich.state = JobState::Paused;
    rich.next_fire_at = None;
    rich.pause = Some(Pause {
        reason: Some("„wartung“".to_owned()),
        since: before.next_fire_at,
        until: None,
        by_failures: true,
    });
    rich.version = 1_000_000_007;
    rich.runs_started = 1_000_000_009;
    rich.updated_at = at("2026-11-25T00:00:00.789Z");
    assert!(it.replace(&rich, before, &[]).await);
    assert_eq!(facts(&it.stored(&rich).await), facts(&rich));
}

/// Two jobs of a project never share a name; two projects may.
pub async fn names_are_unique_within_a_project(it: &Fixture) {
    it.insert(&job("report").build()).await;
    it.insert(&job("Report").build()).await;
    it.insert(&job("report").project("other").build()).await;
    let twin = job("report").created("2026-11-24T00:00:01Z").build();
    assert!(matches!(it.store.insert_job(&twin).await, Err(StoreError::NameTaken)));
    assert!(it.find(&twin).await.is_none(), "a refused job leaves nothing behind");
    assert_eq!(names(&it.jobs(&all_jobs("default")).await).len(), 2);
}

/// What belongs to a project is not there for another.
pub async fn a_job_of_another_project_is_not_found(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    assert!(it.store.job("other", &job.id.into()).await.unwrap().is_none());
    assert!(it.store.job("other", &JobKey::Name("report".to_owned())).await.unwrap().is_none());
    assert!(!it.store.delete_job("other", job.id, job.version, at("2026-11-24T00:00:30Z")).await.unwrap());
    assert!(it.find(&job).await.is_some());
}

/// A replacement is found by its new name, with all of its columns.
pub async fn replacing_writes_all_of_the_job(it: &Fixture) {
    let old = job("old").label("team", "a").build();
    it.insert(&old).await;
    let draft = job("new").every("5m").label("team", "b").draft();
    let now = at("2026-11-24T00:00:20Z");
    let new = old.edit(draft, &domain::time::Zone::default(), now).unwrap().job;
    assert!(it.replace(&new, expected(&old), &[]).await);
    assert_eq!(facts(&it.stored(&old).await), facts(&new));
    assert!(it.store.job("default", &JobKey::Name("old".to_owned())).await.unwrap().is_none());
    assert!(it.store.job("default", &JobKey::Name("new".to_owned())).await.unwrap().is_some());
    let labelled = |value: &str| {
        let labels = vec![("team".to_owned(), value.to_owned())];
        engine::JobQuery { labels, ..all_jobs("default") }
    };
    assert!(it.jobs(&labelled("a")).await.items.is_empty());
    assert_eq!(names(&it.jobs(&labelled("b")).await), ["new"]);
    assert_eq!(it.next_due().await, new.next_fire_at);
}

/// Of two editors who read the same version, one has to read again.
pub async fn replacing_compares_the_version(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let paused = job.paused(None, at("2026-11-24T00:00:10Z"));
    assert!(it.replace(&paused, expected(&job), &[]).await);
    let late = job.paused(Some("late".to_owned()), at("2026-11-24T00:00:11Z"));
    assert!(!it.replace(&late, expected(&job), &[]).await);
    // The next occurrence alone is not enough.
    let unread = Expected { version: 1, next_fire_at: None };
    assert!(!it.replace(&late, unread, &[]).await);
    assert_eq!(facts(&it.stored(&job).await), facts(&paused));
}

/// An edit that was worked out before the job fired would turn its clock back.
pub async fn replacing_compares_the_next_occurrence(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    it.fire("2026-11-24T00:01:00Z").await;
    let paused = job.paused(None, at("2026-11-24T00:01:01Z"));
    assert!(!it.replace(&paused, expected(&job), &[]).await, "the job has fired since it was read");
    let none = Expected { next_fire_at: None, ..expected(&job) };
    assert!(!it.replace(&paused, none, &[]).await, "null is a value like any other");
    let read = it.stored(&job).await;
    assert_eq!(read.version, job.version, "firing is no change of the definition");
    assert!(it.replace(&read.paused(None, at("2026-11-24T00:01:01Z")), expected(&read), &[]).await);
}

/// A job without a next occurrence is compared as one.
pub async fn replacing_compares_an_absent_next_occurrence(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let paused = job.paused(None, at("2026-11-24T00:00:10Z"));
    assert!(it.replace(&paused, expected(&job), &[]).await);
    let resumed = paused.resumed(at("2026-11-24T00:00:20Z")).job;
    let wrong = Expected { version: paused.version, next_fire_at: job.next_fire_at };
    assert!(!it.replace(&resumed, wrong, &[]).await);
    assert!(it.replace(&resumed, expected(&paused), &[]).await);
    assert_eq!(it.stored(&job).await.next_fire_at, resumed.next_fire_at);
}

/// The records that close a job's past are written with the change, once.
pub async fn replacing_brings_its_runs_once(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let paused = job.paused(None, at("2026-11-24T00:00:10Z"));
    assert!(it.replace(&paused, expected(&job), &[]).await);
    let existing = it.waiting(&job, "2026-11-24T00:00:15Z").await;
    let resumed = paused.resumed(at("2026-11-24T00:05:30Z"));
    let [closing] = <[Run; 1]>::try_from(resumed.closing).unwrap();
    assert_eq!((closing.count, closing.status), (5, RunStatus::Missed));
    let altered = succeeded(&existing, "2026-11-24T00:00:16Z").run;
    assert!(it.replace(&resumed.job, expected(&paused), &[altered, closing.clone()]).await);
    assert_eq!(it.run(&closing).await, closing);
    assert_eq!(it.run(&existing).await, existing, "a run that exists is left as it is");
}

/// A refused replacement leaves neither job nor runs behind.
pub async fn a_refused_replacement_writes_nothing(it: &Fixture) {
    let (first, second) = (job("first").build(), job("second").build());
    it.insert(&first).await;
    it.insert(&second).await;
    let run = manual(&first, "2026-11-24T00:00:05Z");

    let mut stale = first.paused(None, at("2026-11-24T00:00:10Z"));
    assert!(
        !it.replace(&stale, Expected { version: 9, ..expected(&first) }, std::slice::from_ref(&run)).await
    );
    "second".clone_into(&mut stale.draft.name);
    let refused = it.store.replace_job(&stale, expected(&first), std::slice::from_ref(&run)).await;
    assert!(matches!(refused, Err(StoreError::NameTaken)), "{refused:?}");

    assert_eq!(facts(&it.stored(&first).await), facts(&first));
    assert!(it.store.run("default", run.id).await.unwrap().is_none());
}

/// A deleted job does not come back by an edit.
pub async fn replacing_a_deleted_job_is_refused(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    assert!(it.delete(&job, "2026-11-24T00:00:10Z").await);
    let paused = job.paused(None, at("2026-11-24T00:00:11Z"));
    let run = manual(&job, "2026-11-24T00:00:11Z");
    assert!(!it.replace(&paused, expected(&job), std::slice::from_ref(&run)).await);
    assert!(it.find(&job).await.is_none());
    assert!(it.store.run("default", run.id).await.unwrap().is_none());
}

/// Renaming frees the old name; keeping one's own name is no clash.
pub async fn a_renamed_job_frees_its_name(it: &Fixture) {
    let old = job("a").build();
    it.insert(&old).await;
    let renamed =
        old.edit(job("b").draft(), &domain::time::Zone::default(), at("2026-11-24T00:00:01Z")).unwrap().job;
    assert!(it.replace(&renamed, expected(&old), &[]).await);
    let again = renamed.paused(None, at("2026-11-24T00:00:02Z"));
    assert!(it.replace(&again, expected(&renamed), &[]).await);
    it.insert(&job("a").created("2026-11-24T00:00:03Z").build()).await;
}

/// Deleting compares the version, and the version only: a job that fires every second can be deleted.
pub async fn deleting_compares_the_version(it: &Fixture) {
    let old = job("report").build();
    it.insert(&old).await;
    it.fire("2026-11-24T00:01:00Z").await;
    let now = at("2026-11-24T00:01:01Z");
    assert!(!it.store.delete_job("default", old.id, 2, now).await.unwrap());
    assert!(it.store.delete_job("default", old.id, 1, now).await.unwrap());
    assert!(!it.store.delete_job("default", old.id, 1, now).await.unwrap());
    assert!(it.find(&old).await.is_none());
    it.insert(&job("report").created("2026-11-24T00:02:00Z").build()).await;
}

/// What a deleted job leaves: its history; what waits comes to a worker at once, to be closed.
pub async fn a_deleted_job_leaves_its_runs(it: &Fixture) {
    let job = job("report").every("1h").build();
    let running = it.running(&job, "a", "2026-11-24T00:00:01Z").await;
    let finished = it.running(&job, "a", "2026-11-24T00:00:02Z").await;
    it.settle(&[succeeded(&finished, "2026-11-24T00:00:03Z")]).await;
    let finished = it.run(&finished).await;
    let mut waiting = manual(&job, "2026-11-24T00:00:04Z");
    waiting.due_at = Some(at("2026-11-24T06:00:00Z"));
    assert!(it.insert_run(&waiting).await);

    assert!(it.delete(&job, "2026-11-24T00:00:05Z").await);
    assert_eq!(it.run(&running).await, running);
    assert_eq!(it.run(&finished).await, finished);
    waiting.due_at = Some(at("2026-11-24T00:00:05Z"));
    assert_eq!(it.run(&waiting).await, waiting);
    assert_eq!(it.next_due().await, waiting.due_at);
    let leased = it.lease("b", "2026-11-24T00:00:05Z", "2026-11-24T00:01:00Z").await;
    assert_eq!(leased.iter().map(|it| it.run.id).collect::<Vec<_>>(), [waiting.id]);
    assert!(leased[0].job.is_none());
}

/// Another job's waiting runs keep their time when one is deleted.
pub async fn deleting_touches_no_other_job(it: &Fixture) {
    let (gone, stays) = (job("gone").build(), job("stays").build());
    it.insert(&gone).await;
    it.insert(&stays).await;
    let mut later = manual(&stays, "2026-11-24T00:00:04Z");
    later.due_at = Some(at("2026-11-24T06:00:00Z"));
    assert!(it.insert_run(&later).await);
    assert!(it.delete(&gone, "2026-11-24T00:00:05Z").await);
    assert_eq!(it.run(&later).await, later);
    assert_eq!(facts(&it.stored(&stays).await), facts(&stays));
}

/// Gauges count every project, and of the runs those that are not finished.
pub async fn counts_are_of_everything(it: &Fixture) {
    let counts = async || {
        let mut counts = it.store.counts().await.unwrap();
        counts.jobs.retain(|(_, count)| *count > 0);
        counts.jobs.sort_by_key(|(state, _)| *state as u8);
        counts.runs.retain(|(_, count)| *count > 0);
        counts.runs.sort();
        (counts.jobs, counts.runs)
    };
    assert_eq!(counts().await, (vec![], vec![]));
    let (a, b) = (job("a").build(), job("b").project("other").build());
    it.insert(&job("c").build()).await;
    let done = it.running(&a, "w", "2026-11-24T00:00:01Z").await;
    it.settle(&[succeeded(&done, "2026-11-24T00:00:02Z")]).await;
    it.running(&b, "w", "2026-11-24T00:00:03Z").await;
    it.waiting(&a, "2026-11-24T00:00:04Z").await;
    it.waiting(&a, "2026-11-24T00:00:05Z").await;
    assert!(it.replace(&b.paused(None, at("2026-11-24T00:00:06Z")), expected(&b), &[]).await);
    let jobs = vec![(JobState::Active, 2), (JobState::Paused, 1)];
    let runs = vec![(RunStatus::Pending, 2), (RunStatus::Running, 1)];
    assert_eq!(counts().await, (jobs, runs));
}

/// What is due next is asked of jobs and runs of all projects, past instants included.
pub async fn the_next_due_instant_is_of_jobs_and_runs(it: &Fixture) {
    assert_eq!(it.next_due().await, None);
    let old = job("report").every("1h").project("other").build();
    it.insert(&old).await;
    assert_eq!(it.next_due().await, Some(at("2026-11-24T01:00:00Z")));
    let run = it.waiting(&old, "2026-11-24T00:30:00Z").await;
    assert_eq!(it.next_due().await, run.due_at);
    let leased = it.lease("a", "2026-11-24T00:45:00Z", "2026-11-24T00:45:30Z").await;
    assert_eq!(it.next_due().await, Some(at("2026-11-24T00:45:30Z")), "a lease that will run out");
    it.settle(&[succeeded(&leased[0].run, "2026-11-24T00:45:01Z")]).await;
    assert_eq!(it.next_due().await, Some(at("2026-11-24T01:00:00Z")));
    assert!(it.replace(&old.paused(None, at("2026-11-24T00:46:00Z")), expected(&old), &[]).await);
    assert_eq!(it.next_due().await, None);
}

/// A store that was just made answers.
pub async fn a_ready_store_answers_a_ping(it: &Fixture) {
    it.store.ping().await.unwrap();
}

/// Every kind of target and schedule is kept.
pub async fn every_kind_of_schedule_and_target_survives(it: &Fixture) {
    let log =
        |draft: &mut domain::JobDraft| draft.target = Target::Log(LogTarget { message: "héllo".to_owned() });
    let jobs = [
        job("interval").every("1s").with(log).build(),
        job("daily").cron("@daily", "America/New_York").build(),
        job("once").once("2026-12-24T18:00:00.123Z").build(),
    ];
    for job in &jobs {
        it.insert(job).await;
        let stored = it.stored(job).await;
        assert_eq!(facts(&stored), facts(job));
        let now = at("2026-11-24T12:34:56Z");
        assert_eq!(stored.plan.next_after(now), job.plan.next_after(now), "it still means the same");
    }
}
