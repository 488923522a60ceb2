//! Leasing: a run is one worker's at a time, and a lease that runs out is taken over.

use domain::time::Zone;
use domain::{Job, Run, RunId, RunKind, RunStatus};
use engine::{LeasedRun, Renewal};

use super::Fixture;
use super::support::{decide, expected, lease, manual, succeeded, to_be_retried};
use crate::fixtures::{at, job};

fn ids(leased: &[LeasedRun]) -> Vec<RunId> {
    leased.iter().map(|leased| leased.run.id).collect()
}

/// Runs of these jobs, fired at 00:01 and leased until 00:01:30 in the same step; by name.
async fn leased_together(it: &Fixture, jobs: &[Job]) -> Vec<Run> {
    for job in jobs {
        it.insert(job).await;
    }
    fired_and_leased(it).await
}

/// What fires at 00:01, leased until 00:01:30 in the same step; by name.
async fn fired_and_leased(it: &Fixture) -> Vec<Run> {
    let mut decide_on = decide(at("2026-11-24T00:01:00Z"));
    let mut ask = |due| {
        let mut firing = decide_on(due);
        firing.runs =
            firing.runs.into_iter().map(|run| run.leased(&lease("a", "2026-11-24T00:01:30Z"))).collect();
        firing
    };
    let mut runs = Vec::new();
    for firing in it.fire_by("2026-11-24T00:01:00Z", 10, &mut ask).await {
        runs.extend(firing.runs);
    }
    runs.sort_by_key(|run| run.job_name.clone());
    runs
}

/// A job with one occurrence, at 00:01.
fn at_one(name: &str) -> Job {
    job(name).once("2026-11-24T00:01:00Z").build()
}

/// A waiting run, leased: whose it is, until when, and what it was.
pub async fn a_waiting_run_is_leased(it: &Fixture) {
    let job = job("report").build();
    let waiting = it.waiting(&job, "2026-11-24T00:00:05Z").await;
    let leased = it.lease("worker-1", "2026-11-24T00:00:06Z", "2026-11-24T00:00:36Z").await;
    let [LeasedRun { run, was, job: definition }] = &leased[..] else { panic!("one run, not {leased:?}") };
    assert_eq!(*was, RunStatus::Pending);
    assert_eq!(definition.as_ref().map(|job| job.draft.clone()), Some(job.draft.clone()));
    assert_eq!(*run, waiting.leased(&lease("worker-1", "2026-11-24T00:00:36Z")));
    assert_eq!((run.status, run.token, run.worker.as_deref()), (RunStatus::Running, 1, Some("worker-1")));
    assert_eq!(it.run(run).await, *run);
}

/// Never early.
pub async fn a_run_is_leased_when_it_is_due(it: &Fixture) {
    let run = it.waiting(&job("report").build(), "2026-11-24T00:00:05Z").await;
    assert!(it.lease("w", "2026-11-24T00:00:04.999Z", "2026-11-24T00:00:30Z").await.is_empty());
    assert_eq!(ids(&it.lease("w", "2026-11-24T00:00:05Z", "2026-11-24T00:00:35Z").await), [run.id]);
}

/// The longest due first, of waiting runs and lost ones alike, and no more than asked for.
pub async fn the_longest_due_are_leased_first(it: &Fixture) {
    let job = job("report").every("1d").build();
    let mut lost = it.running(&job, "gone", "2026-11-24T00:00:00Z").await;
    lost.due_at = Some(at("2026-11-24T00:00:30Z"));
    let mut expected = vec![(lost.due_at, lost.id)];
    for (index, due) in ["00:00:40", "00:00:10", "00:00:20", "00:00:50"].into_iter().enumerate() {
        let mut run = manual(&job, &format!("2026-11-24T00:00:0{index}.5Z"));
        run.due_at = Some(at(&format!("2026-11-24T{due}Z")));
        assert!(it.insert_run(&run).await);
        expected.push((run.due_at, run.id));
    }
    expected.sort();
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    let until = lease("w", "2026-11-24T01:00:00Z");
    let first = it.store.lease_runs(at("2026-11-24T00:00:45Z"), &until, 3).await.unwrap();
    assert_eq!(ids(&first), expected[..3]);
    let second = it.store.lease_runs(at("2026-11-24T00:00:45Z"), &until, 3).await.unwrap();
    assert_eq!(ids(&second), expected[3..4], "the last is not due yet");
}

/// Until its lease ends a run is nobody else's; from that instant on it is anybody's.
pub async fn a_lease_is_taken_over_when_it_runs_out(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    assert!(it.lease("b", "2026-11-24T00:00:29.999Z", "2026-11-24T00:00:59Z").await.is_empty());
    let taken = it.lease("b", "2026-11-24T00:00:30Z", "2026-11-24T00:01:00Z").await;
    let [LeasedRun { run: now, was, .. }] = &taken[..] else { panic!("one run, not {taken:?}") };
    assert_eq!((now.id, *was), (run.id, RunStatus::Running));
    assert_eq!((now.token, now.worker.as_deref()), (2, Some("b")));
    assert_eq!(now.due_at, Some(at("2026-11-24T00:01:00Z")));
    assert_eq!(it.run(&run).await, *now);
    let again = it.lease("a", "2026-11-24T00:01:00Z", "2026-11-24T00:01:30Z").await;
    assert_eq!((again[0].run.token, again[0].was), (3, RunStatus::Running));
}

/// The token grows over retries, too: no two attempts share one.
pub async fn every_lease_grows_the_token(it: &Fixture) {
    let mut run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    for attempt in 1..=3 {
        assert_eq!(run.token, attempt);
        let due = format!("2026-11-24T00:00:{attempt}0Z");
        assert_eq!(it.settle(&[to_be_retried(&run, &due)]).await, [true]);
        let leased = it.lease("a", &due, "2026-11-24T00:10:00Z").await;
        assert_eq!((leased[0].run.id, leased[0].was), (run.id, RunStatus::Pending));
        run = leased[0].run.clone();
    }
}

/// A finished run is never touched again.
pub async fn a_finished_run_is_not_leased(it: &Fixture) {
    let run = it.running(&job("report").every("1d").build(), "a", "2026-11-24T00:00:00Z").await;
    assert_eq!(it.settle(&[succeeded(&run, "2026-11-24T00:00:01Z")]).await, [true]);
    assert!(it.lease("b", "2027-11-24T00:00:00Z", "2027-11-24T00:00:30Z").await.is_empty());
}

/// A lease that is prolonged lasts until the new instant.
pub async fn a_renewed_lease_lasts_longer(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    let renewed = it.store.renew(&[(run.id, run.token)], at("2026-11-24T00:00:50Z")).await.unwrap();
    assert_eq!(renewed, [Renewal::Kept]);
    assert_eq!(it.run(&run).await.due_at, Some(at("2026-11-24T00:00:50Z")));
    assert!(it.lease("b", "2026-11-24T00:00:49Z", "2026-11-24T00:01:30Z").await.is_empty());
    assert_eq!(it.lease("b", "2026-11-24T00:00:50Z", "2026-11-24T00:01:30Z").await[0].run.token, 2);
}

/// A renewal that was long on its way, and given up by its worker, arrives after later ones.
pub async fn a_late_renewal_makes_no_lease_shorter(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    for until in ["2026-11-24T00:01:00Z", "2026-11-24T00:00:10Z"] {
        let renewed = it.store.renew(&[(run.id, run.token)], at(until)).await.unwrap();
        assert_eq!(renewed, [Renewal::Kept]);
    }
    assert_eq!(it.run(&run).await.due_at, Some(at("2026-11-24T00:01:00Z")));
}

/// Nor does it shorten the lease that a run was fired with, which may be one with others.
pub async fn a_late_renewal_shortens_no_first_lease(it: &Fixture) {
    let runs = leased_together(it, &["other", "renewed"].map(|name| job(name).build())).await;
    let renewed = it.store.renew(&[(runs[1].id, 1)], at("2026-11-24T00:01:10Z")).await.unwrap();
    assert_eq!(renewed, [Renewal::Kept]);
    assert_eq!(it.run(&runs[1]).await.due_at, Some(at("2026-11-24T00:01:30Z")));
}

/// A lease that was taken over, settled or handed back cannot be prolonged, nor one that never was.
pub async fn only_a_lease_that_is_held_is_renewed(it: &Fixture) {
    let job = job("report").build();
    let taken = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    it.lease("b", "2026-11-24T00:00:30Z", "2026-11-24T00:09:00Z").await;
    let retried = it.running(&job, "a", "2026-11-24T00:00:31Z").await;
    it.settle(&[to_be_retried(&retried, "2026-11-24T00:05:00Z")]).await;
    let finished = it.running(&job, "a", "2026-11-24T00:00:32Z").await;
    it.settle(&[succeeded(&finished, "2026-11-24T00:00:33Z")]).await;
    let held = it.running(&job, "a", "2026-11-24T00:00:34Z").await;
    let waiting = it.waiting(&job, "2026-11-24T00:00:35Z").await;
    let unknown = manual(&job, "2026-11-24T07:00:00Z");
    let asked = [
        (taken.id, 1),
        (held.id, held.token),
        (retried.id, 1),
        (finished.id, 1),
        (unknown.id, 0),
        (held.id, held.token + 1),
        (taken.id, 2),
        (waiting.id, 0),
    ];
    let until = at("2026-11-24T00:20:00Z");
    let renewed = it.store.renew(&asked, until).await.unwrap();
    let (kept, lost) = (Renewal::Kept, Renewal::Lost);
    assert_eq!(renewed, [lost, kept, lost, lost, lost, lost, kept, lost], "in the order asked");
    assert_eq!(it.run(&retried).await.due_at, Some(at("2026-11-24T00:05:00Z")));
    assert_eq!(it.run(&finished).await.due_at, None);
    assert_eq!(it.run(&held).await.due_at, Some(until));
    assert_eq!(it.store.renew(&[], until).await.unwrap(), []);
}

/// A stale token prolongs nothing, not even by accident.
pub async fn a_stale_token_renews_nothing(it: &Fixture) {
    let run = it.running(&job("report").build(), "a", "2026-11-24T00:00:00Z").await;
    it.lease("b", "2026-11-24T00:00:30Z", "2026-11-24T00:01:00Z").await;
    let before = it.run(&run).await;
    assert_eq!(it.store.renew(&[(run.id, 1)], at("2026-11-24T09:00:00Z")).await.unwrap(), [Renewal::Lost]);
    assert_eq!(it.run(&run).await, before);
}

/// A worker gets the definition as it is now, not as it was when the run was made.
pub async fn a_leased_run_comes_with_the_newest_definition(it: &Fixture) {
    let old = job("old").build();
    it.waiting(&old, "2026-11-24T00:00:05Z").await;
    it.lease("a", "2026-11-24T00:00:05Z", "2026-11-24T00:00:10Z").await;
    let edited = old.edit(job("new").draft(), &Zone::default(), at("2026-11-24T00:00:06Z")).unwrap().job;
    assert!(it.replace(&edited, expected(&old), &[]).await);
    let leased = it.lease("a", "2026-11-24T00:00:10Z", "2026-11-24T00:00:40Z").await;
    let definition = leased[0].job.as_ref().unwrap();
    assert_eq!((definition.draft.name.as_str(), definition.version), ("new", 2));
    assert_eq!(leased[0].run.job_name, "old", "the run keeps the name it was made under");
}

/// A run of a deleted job comes without one, so that the worker can close it.
pub async fn a_run_of_a_deleted_job_is_leased_without_it(it: &Fixture) {
    let job = job("report").build();
    let run = it.running(&job, "a", "2026-11-24T00:00:00Z").await;
    assert!(it.delete(&job, "2026-11-24T00:00:01Z").await);
    assert_eq!(it.store.renew(&[(run.id, 1)], at("2026-11-24T00:00:40Z")).await.unwrap(), [Renewal::Kept]);
    let leased = it.lease("b", "2026-11-24T00:00:40Z", "2026-11-24T00:01:10Z").await;
    assert_eq!(ids(&leased), [run.id]);
    assert!(leased[0].job.is_none());
}

/// Runs of all projects are everybody's work.
pub async fn runs_of_all_projects_are_leased(it: &Fixture) {
    it.waiting(&job("a").build(), "2026-11-24T00:00:01Z").await;
    it.waiting(&job("a").project("other").build(), "2026-11-24T00:00:02Z").await;
    let leased = it.lease("w", "2026-11-24T00:00:02Z", "2026-11-24T00:00:32Z").await;
    let projects: Vec<_> = leased.iter().map(|it| it.run.project.as_str()).collect();
    assert_eq!(projects, ["default", "other"]);
    assert!(leased.iter().all(|it| it.job.as_ref().is_some_and(|job| job.id == it.run.job_id)));
}

/// Runs that were leased as they were fired have each a fate of its own: one ends, one is kept, one is lost.
pub async fn runs_leased_together_part_ways(it: &Fixture) {
    let runs = leased_together(it, &["ends", "kept", "lost"].map(|name| job(name).build())).await;
    let [ends, kept, lost] = &runs[..] else { panic!("three runs, not {runs:?}") };
    for run in &runs {
        assert_eq!(it.run(run).await, *run);
        let unfinished = it.store.unfinished_runs(run.job_id, 10).await.unwrap();
        assert_eq!(unfinished, std::slice::from_ref(run));
    }
    assert_eq!(it.next_due().await, Some(at("2026-11-24T00:01:30Z")));
    assert!(it.lease("b", "2026-11-24T00:01:29.999Z", "2026-11-24T00:02:30Z").await.is_empty());

    assert_eq!(it.settle(&[succeeded(ends, "2026-11-24T00:01:05Z")]).await, [true]);
    let until = at("2026-11-24T00:02:15Z");
    assert_eq!(it.store.renew(&[(kept.id, kept.token)], until).await.unwrap(), [Renewal::Kept]);
    assert_eq!(it.run(kept).await.due_at, Some(until));
    assert_eq!(it.run(lost).await.due_at, lost.due_at, "a lease is renewed for nobody else");

    let taken = it.lease("b", "2026-11-24T00:01:30Z", "2026-11-24T00:02:30Z").await;
    assert_eq!(ids(&taken), [lost.id]);
    assert_eq!((taken[0].was, taken[0].run.token), (RunStatus::Running, 2));
    assert_eq!(it.settle(&[succeeded(lost, "2026-11-24T00:01:31Z")]).await, [false], "it was taken over");
    let mut active = Vec::new();
    let mut decide_on = decide(at("2026-11-24T00:02:00Z"));
    let mut ask = |due: engine::DueJob| {
        active.push((due.id, due.active));
        decide_on(due)
    };
    it.fire_by("2026-11-24T00:02:00Z", 10, &mut ask).await;
    active.sort_unstable();
    let mut expected = [(ends.job_id, 0), (kept.job_id, 1), (lost.job_id, 1)];
    expected.sort_unstable();
    assert_eq!(active, expected);

    assert_eq!(it.settle(&[succeeded(kept, "2026-11-24T00:02:10Z")]).await, [true]);
    assert_eq!(it.settle(&[succeeded(&taken[0].run, "2026-11-24T00:02:10Z")]).await, [true]);
    for run in [kept, lost] {
        assert_eq!(it.store.unfinished_runs(run.job_id, 10).await.unwrap(), []);
    }
}

/// Whoever writes the outcome, once the runs that were leased together have ended, nothing is left to be done.
pub async fn nothing_is_due_once_all_have_ended(it: &Fixture) {
    let runs = leased_together(it, &["a", "b", "c"].map(at_one)).await;
    let [first, second, third] = &runs[..] else { panic!("three runs, not {runs:?}") };
    // A write that comes too late, or with the wrong token, ends nothing.
    let mut wrong = succeeded(first, "2026-11-24T00:01:01Z");
    wrong.token += 1;
    assert_eq!(it.settle(&[wrong, succeeded(second, "2026-11-24T00:01:01Z")]).await, [false, true]);
    assert_eq!(it.settle(&[succeeded(second, "2026-11-24T00:01:02Z")]).await, [false]);
    assert_eq!(it.next_due().await, Some(at("2026-11-24T00:01:30Z")));
    let both = [succeeded(third, "2026-11-24T00:01:02Z"), succeeded(first, "2026-11-24T00:01:02Z")];
    assert_eq!(it.settle(&both).await, [true, true]);
    assert_eq!(it.next_due().await, None);
    assert!(it.lease("b", "2026-11-24T00:02:00Z", "2026-11-24T00:02:30Z").await.is_empty());
}

/// Nor is anything if they end after their lease has run out, and nobody has taken them over, though others were fired
/// meanwhile.
pub async fn nothing_is_due_once_all_have_ended_late(it: &Fixture) {
    let runs = leased_together(it, &["a", "b"].map(at_one)).await;
    it.insert(&job("c").once("2026-11-24T00:02:00Z").build()).await;
    let mut decide_on = decide(at("2026-11-24T00:02:00Z"));
    let mut ask = |due| {
        let mut firing = decide_on(due);
        firing.runs.clear();
        firing
    };
    it.fire_by("2026-11-24T00:02:00Z", 10, &mut ask).await;
    let ended: Vec<_> = runs.iter().map(|run| succeeded(run, "2026-11-24T00:02:01Z")).collect();
    assert_eq!(it.settle(&ended).await, [true, true]);
    assert_eq!(it.next_due().await, None);
}

/// Nor is anything once the only run of a firing turned out to exist already.
pub async fn nothing_is_due_after_a_run_that_existed(it: &Fixture) {
    let job = at_one("report");
    let existed = at("2026-11-24T00:01:00Z");
    it.insert(&job).await;
    assert!(it.insert_run(&Run::pending(&job, RunKind::Schedule, existed, existed, 0)).await);
    let run = it.lease("a", "2026-11-24T00:01:00Z", "2026-11-24T00:01:20Z").await.remove(0).run;
    assert_eq!(it.settle(&[succeeded(&run, "2026-11-24T00:01:10Z")]).await, [true]);
    assert_eq!(fired_and_leased(it).await, []);
    assert_eq!(it.next_due().await, None);
}
