//! Firing: each due job once, by its newest definition, together with its runs.

use domain::run::Lease;
use domain::time::Zone;
use domain::{Firing, Instant, Job, JobState, MisfirePolicy, Overlap, Reason, Run, RunKind, RunStatus};
use engine::DueJob;

use super::Fixture;
use super::support::{all_runs, decide, expected, facts, ids, succeeded};
use crate::fixtures::{at, job};

/// The plainest walk: due, fired, advanced, and the run is there.
pub async fn a_due_job_fires_and_advances(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let firings = it.fire("2026-11-24T00:01:00.250Z").await;
    let [firing] = &firings[..] else { panic!("one firing, not {firings:?}") };
    let [run] = &firing.runs[..] else { panic!("one run, not {firing:?}") };
    assert_eq!((firing.job_id, firing.next_fire_at), (job.id, Some(at("2026-11-24T00:02:00Z"))));
    assert_eq!(
        (run.status, run.kind, run.scheduled_for),
        (RunStatus::Pending, RunKind::Schedule, at("2026-11-24T00:01:00Z"))
    );
    assert_eq!(it.run(run).await, *run);
    let fired = it.stored(&job).await;
    let advanced = Job { next_fire_at: firing.next_fire_at, runs_started: 1, ..job };
    assert_eq!(facts(&fired), facts(&advanced), "nothing else about the job changes");
}

/// Never early, and not a moment late.
pub async fn a_job_is_due_at_its_instant(it: &Fixture) {
    it.insert(&job("report").build()).await;
    assert_eq!(it.fire("2026-11-24T00:00:59.999Z").await, []);
    assert_eq!(it.fire("2026-11-24T00:01:00Z").await.len(), 1);
}

/// An occurrence fires once, however often somebody looks.
pub async fn a_job_fires_once_an_occurrence(it: &Fixture) {
    let job = job("report").overlap(Overlap::AllowAll).build();
    it.insert(&job).await;
    let mut fired = 0;
    for now in ["00:01:00", "00:01:00", "00:01:01", "00:01:59", "00:02:00", "00:02:00"] {
        fired += it.fire(&format!("2026-11-24T{now}Z")).await.len();
    }
    assert_eq!(fired, 2);
    assert_eq!(it.runs(&all_runs("default")).await.items.len(), 2);
}

/// The decider is not troubled for nothing.
pub async fn nobody_is_asked_where_nothing_is_due(it: &Fixture) {
    let mut ask = |_: DueJob| -> Firing { panic!("nothing is due") };
    assert_eq!(it.fire_by("2026-11-24T00:01:00Z", 10, &mut ask).await, []);
    it.insert(&job("report").build()).await;
    assert_eq!(it.fire_by("2026-11-24T00:00:10Z", 10, &mut ask).await, []);
}

/// Under load the oldest go first, and nobody takes more than asked for.
pub async fn the_longest_due_fire_first(it: &Fixture) {
    for (name, due) in [("c", "00:03:00"), ("a", "00:01:00"), ("d", "00:04:00"), ("b", "00:02:00")] {
        it.insert(&job(name).once(&format!("2026-11-24T{due}Z")).build()).await;
    }
    let now = at("2026-11-24T00:03:30Z");
    let mut order = Vec::new();
    for (limit, expected) in [(2, "ab"), (2, "abc"), (2, "abc")] {
        let mut decide_on = decide(now);
        let mut ask = |due: DueJob| {
            order.extend(Fixture::name_of(due.job.as_ref()).map(str::to_owned));
            decide_on(due)
        };
        it.fire_by("2026-11-24T00:03:30Z", limit, &mut ask).await;
        assert_eq!(order.concat(), expected);
    }
}

/// The decider learns what is due, since when, and how many runs of that job are not finished.
pub async fn the_decider_is_told_what_it_needs(it: &Fixture) {
    let (busy, idle) = (job("busy").build(), job("idle").project("other").build());
    let done = it.running(&busy, "w", "2026-11-24T00:00:01Z").await;
    it.settle(&[succeeded(&done, "2026-11-24T00:00:02Z")]).await;
    it.running(&busy, "w", "2026-11-24T00:00:03Z").await;
    it.waiting(&busy, "2026-11-24T00:00:04Z").await;
    it.insert(&idle).await;
    let mut told = Vec::new();
    let mut decide_on = decide(at("2026-11-24T00:01:00Z"));
    let mut ask = |due: DueJob| {
        let job = due.job.clone().unwrap();
        assert_eq!((job.id, job.version), (due.id, 1));
        told.push((job.draft.name.clone(), job.project.clone(), due.next_fire_at, due.active));
        decide_on(due)
    };
    it.fire_by("2026-11-24T00:01:00Z", 10, &mut ask).await;
    told.sort();
    let since = at("2026-11-24T00:01:00Z");
    let expected = [("busy", "default", since, 2), ("idle", "other", since, 0)];
    assert_eq!(
        told,
        expected.map(|(name, project, since, active)| (name.to_owned(), project.to_owned(), since, active))
    );
    let skipped =
        it.runs(&engine::RunQuery { statuses: vec![RunStatus::Skipped], ..all_runs("default") }).await;
    assert_eq!(skipped.items.len(), 1, "the real rules skip the busy one");
}

/// A paused job does not fire, whoever paused it.
pub async fn a_paused_job_does_not_fire(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let paused = job.paused(None, at("2026-11-24T00:00:59Z"));
    assert!(it.replace(&paused, expected(&job), &[]).await);
    assert_eq!(it.fire("2026-11-24T00:05:00Z").await, []);
    let resumed = paused.resumed(at("2026-11-24T00:05:30Z"));
    assert!(it.replace(&resumed.job, expected(&paused), resumed.closing.as_slice()).await);
    assert_eq!(it.fire("2026-11-24T00:05:59Z").await, [], "nothing of the pause fires");
    let firings = it.fire("2026-11-24T00:06:00Z").await;
    assert_eq!(firings[0].runs[0].scheduled_for, at("2026-11-24T00:06:00Z"));
}

/// An edited job fires by its new schedule and its new definition.
pub async fn an_edited_job_fires_as_edited(it: &Fixture) {
    let old = job("old").build();
    it.insert(&old).await;
    assert_eq!(it.fire("2026-11-24T00:01:00Z").await.len(), 1);
    let read = it.stored(&old).await;
    let draft = job("new").every("1h").draft();
    let edited = read.edit(draft, &Zone::default(), at("2026-11-24T00:01:30Z")).unwrap().job;
    assert!(it.replace(&edited, expected(&read), &[]).await);
    assert_eq!(it.fire("2026-11-24T00:30:00Z").await, [], "the old schedule is over");
    let mut seen = Vec::new();
    let mut decide_on = decide(at("2026-11-24T01:01:30Z"));
    let mut ask = |due: DueJob| {
        seen.extend(due.job.as_ref().map(|job| (job.draft.name.clone(), job.version)));
        decide_on(due)
    };
    let firings = it.fire_by("2026-11-24T01:01:30Z", 10, &mut ask).await;
    assert_eq!(seen, [("new".to_owned(), 2)], "no store hands out an old definition");
    assert_eq!(firings[0].runs[0].job_name, "new");
}

/// A deleted job does not fire.
pub async fn a_deleted_job_does_not_fire(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    assert!(it.delete(&job, "2026-11-24T00:00:59Z").await);
    assert_eq!(it.fire("2026-11-24T00:05:00Z").await, []);
    assert_eq!(it.next_due().await, None);
}

/// A job without further occurrences is completed and never due again.
pub async fn a_last_occurrence_completes_the_job(it: &Fixture) {
    let job = job("once").once("2026-11-24T00:01:00Z").build();
    it.insert(&job).await;
    let firings = it.fire("2026-11-24T00:01:00Z").await;
    assert_eq!((firings[0].state, firings[0].next_fire_at), (JobState::Completed, None));
    let stored = it.stored(&job).await;
    assert_eq!((stored.state, stored.next_fire_at, stored.version), (JobState::Completed, None, 1));
    assert_eq!(it.fire("2027-11-24T00:01:00Z").await, []);
}

/// Every run of the schedule that is to be executed counts, as it fires; the decider is told how many there were.
pub async fn started_runs_are_counted(it: &Fixture) {
    let limited = job("limited").overlap(Overlap::AllowAll).with(|draft| draft.max_runs = Some(3)).build();
    let skipping = job("skipping").build();
    it.insert(&limited).await;
    it.insert(&skipping).await;
    let mut told = Vec::new();
    for now in ["2026-11-24T00:01:00Z", "2026-11-24T00:02:00Z", "2026-11-24T00:04:05Z"] {
        let mut decide_on = decide(at(now));
        let mut ask = |due: DueJob| {
            told.extend((due.id == limited.id).then_some(due.runs_started));
            decide_on(due)
        };
        it.fire_by(now, 10, &mut ask).await;
    }
    assert_eq!(told, [0, 1, 2]);
    let ended = it.stored(&limited).await;
    assert_eq!((ended.runs_started, ended.state, ended.next_fire_at), (3, JobState::Completed, None));
    assert_eq!(it.stored(&skipping).await.runs_started, 1, "skipped and missed ones do not count");
    let by_list = it.jobs(&super::support::all_jobs("default")).await.items;
    assert_eq!(by_list[0].job.as_ref().unwrap().runs_started, 3);
}

/// The count is a field like any other to whoever replaces the job.
pub async fn a_replacement_writes_the_count(it: &Fixture) {
    let limited = job("limited").build();
    it.insert(&limited).await;
    it.fire("2026-11-24T00:01:00Z").await;
    let read = it.stored(&limited).await;
    let renamed =
        read.edit(job("renamed").draft(), &Zone::default(), at("2026-11-24T00:01:30Z")).unwrap().job;
    assert!(it.replace(&renamed, expected(&read), &[]).await);
    assert_eq!(it.stored(&limited).await.runs_started, 1);
    let counted = Job { version: 3, runs_started: 41, ..renamed.clone() };
    assert!(it.replace(&counted, expected(&renamed), &[]).await);
    let mut told = 0;
    let mut decide_on = decide(at("2026-11-24T00:02:00Z"));
    let mut ask = |due: DueJob| {
        told = due.runs_started;
        decide_on(due)
    };
    it.fire_by("2026-11-24T00:02:00Z", 10, &mut ask).await;
    assert_eq!(told, 41);
}

/// A run that is there already, by whatever accident, is neither returned nor touched; the job advances.
pub async fn runs_that_exist_are_not_fired_again(it: &Fixture) {
    let job = job("report").overlap(Overlap::AllowAll).build();
    it.insert(&job).await;
    let mut there =
        Run::pending(&job, RunKind::Schedule, at("2026-11-24T00:01:00Z"), at("2026-11-24T00:00:30Z"), 0);
    there.due_at = Some(at("2026-11-24T05:00:00Z"));
    assert!(it.insert_run(&there).await);
    let firings = it.fire("2026-11-24T00:02:00Z").await;
    assert_eq!(firings.len(), 1);
    let times: Vec<_> = firings[0].runs.iter().map(|run| run.scheduled_for).collect();
    assert_eq!(times, [at("2026-11-24T00:02:00Z")]);
    assert_eq!(it.run(&there).await, there);
    assert_eq!(it.stored(&job).await.next_fire_at, Some(at("2026-11-24T00:03:00Z")));
}

/// Whatever is decided is what is stored: leased at once, skipped, missed in one record for many.
pub async fn runs_are_stored_as_decided(it: &Fixture) {
    let job = job("report").misfire(MisfirePolicy::Latest).build();
    it.insert(&job).await;
    let now = at("2026-11-24T03:00:00Z");
    let lease = Lease { worker: "w".to_owned(), until: at("2026-11-24T03:00:30Z") };
    let mut decide_on = decide(now);
    let mut ask = |due: DueJob| {
        let mut firing = decide_on(due);
        for run in firing.runs.iter_mut().filter(|run| run.status == RunStatus::Pending) {
            *run = run.clone().leased(&lease);
        }
        firing
    };
    let firings = it.fire_by("2026-11-24T03:00:00Z", 10, &mut ask).await;
    let runs = &firings[0].runs;
    assert_eq!(runs.len(), 3, "{runs:?}");
    assert_eq!(
        (runs[0].status, runs[0].reason, runs[0].count),
        (RunStatus::Missed, Some(Reason::Downtime), 178)
    );
    assert_eq!((runs[1].status, runs[1].token, runs[1].due_at), (RunStatus::Running, 1, Some(lease.until)));
    assert_eq!((runs[2].status, runs[2].reason), (RunStatus::Skipped, Some(Reason::Overlap)));
    for run in runs {
        assert_eq!(it.run(run).await, *run);
    }
    let next = it.lease("b", "2026-11-24T03:00:29Z", "2026-11-24T03:01:00Z").await;
    assert!(next.is_empty(), "a run leased as it is fired is nobody else's");
    let next = it.lease("b", "2026-11-24T03:00:30Z", "2026-11-24T03:01:00Z").await;
    assert_eq!((next[0].run.id, next[0].was, next[0].run.token), (runs[1].id, RunStatus::Running, 2));
}

/// A decider may find that nothing is due after all.
pub async fn a_decision_may_change_nothing(it: &Fixture) {
    let job = job("report").build();
    it.insert(&job).await;
    let mut nothing = |due: DueJob| Firing {
        job_id: due.id,
        next_fire_at: Some(due.next_fire_at),
        state: JobState::Active,
        runs: Vec::new(),
    };
    let firings = it.fire_by("2026-11-24T00:01:00Z", 10, &mut nothing).await;
    assert!(firings.iter().all(|firing| firing.runs.is_empty()));
    assert_eq!(facts(&it.stored(&job).await), facts(&job));
    assert_eq!(it.fire("2026-11-24T00:01:00Z").await.len(), 1);
}

/// More rows than a statement has room for: three jobs with a thousand runs each, then all of them leased and
/// settled.
pub async fn a_large_batch_is_written_whole(it: &Fixture) {
    let now = "2026-11-24T01:00:00Z";
    for name in ["a", "b", "c"] {
        it.insert(&job(name).every("1s").overlap(Overlap::AllowAll).build()).await;
    }
    let mut many = |due: DueJob| thousand(&due.job.unwrap(), due.next_fire_at, at(now));
    let firings = it.fire_by(now, 10, &mut many).await;
    assert_eq!(firings.iter().map(|firing| firing.runs.len()).sum::<usize>(), 3_000);

    let lease = super::support::lease("w", "2026-11-24T01:00:30Z");
    let leased = it.store.lease_runs(at(now), &lease, 10_000).await.unwrap();
    assert_eq!(leased.len(), 3_000);
    let held: Vec<_> = leased.iter().map(|leased| (leased.run.id, leased.run.token)).collect();
    let renewed = it.store.renew(&held, at("2026-11-24T01:01:00Z")).await.unwrap();
    assert!(renewed.iter().all(|renewal| *renewal == engine::Renewal::Kept));
    let settled: Vec<_> =
        leased.iter().map(|leased| succeeded(&leased.run, "2026-11-24T01:00:01Z")).collect();
    assert!(it.settle(&settled).await.into_iter().all(|written| written));
    assert_eq!(it.next_due().await, Some(at("2026-11-24T01:00:01Z")), "what is left is the jobs");
}

fn thousand(job: &Job, first: Instant, now: Instant) -> Firing {
    let occurrences = std::iter::once(first).chain(job.plan.after(first)).take(1_000);
    let runs = occurrences.map(|at| Run::pending(job, RunKind::Schedule, at, now, 0)).collect();
    Firing { job_id: job.id, next_fire_at: Some(at("2026-11-24T01:00:01Z")), state: JobState::Active, runs }
}

/// Many jobs at once, of many projects; a second look finds none of them.
pub async fn many_jobs_fire_in_one_batch(it: &Fixture) {
    for index in 0..120 {
        it.insert(&job(&format!("job-{index}")).project(&format!("p{}", index % 3)).build()).await;
    }
    let firings = it.fire("2026-11-24T00:01:00Z").await;
    assert_eq!(firings.len(), 120);
    assert!(firings.iter().all(|firing| firing.runs.len() == 1));
    assert_eq!(it.fire("2026-11-24T00:01:00Z").await, []);
    for project in ["p0", "p1", "p2"] {
        assert_eq!(ids(&it.runs(&all_runs(project)).await).len(), 40);
    }
}
