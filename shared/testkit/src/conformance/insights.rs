//! Overviews: many runs and jobs counted and listed at once.

use domain::{Firing, Instant, Job, JobId, JobState, Run, RunId, RunKind, RunStatus};
use engine::insights::{JobPart, JobTally, RunGist, Tally, Window};
use engine::{Settled, StoredJob};

use super::Fixture;
use super::support::{decide, expected, lease, succeeded};
use crate::fixtures::{at, job};

fn window(from: &str, until: &str) -> Window {
    Window { project: "default".to_owned(), from: at(from), until: at(until) }
}

fn hour() -> Window {
    window("2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z")
}

/// A manual run of `job`, due at `when`.
async fn add(it: &Fixture, job: &Job, when: &str, nonce: u64) -> Run {
    let run = Run::pending(job, RunKind::Manual, at(when), at(when), nonce);
    assert!(it.insert_run(&run).await, "the run is new");
    run
}

/// The same, ended in `status` ten seconds after `when`.
async fn ended(it: &Fixture, job: &Job, when: &str, status: RunStatus) -> Run {
    let run = add(it, job, when, status as u64).await;
    let Settled { run: mut done, token } = succeeded(&run, when);
    done.status = status;
    done.finished_at = done.started_at.map(|started| started + chrono::TimeDelta::seconds(10));
    assert_eq!(it.settle(&[Settled { run: done.clone(), token }]).await, [true]);
    done
}

async fn stored(it: &Fixture, name: &str) -> Job {
    let job = job(name).every("1d").build();
    it.insert(&job).await;
    job
}

fn ids(gists: &[RunGist]) -> Vec<RunId> {
    gists.iter().map(|gist| gist.id).collect()
}

/// The newest runs of all projects count; what is left of the window begins after the first that does not.
pub async fn a_window_reaches_as_far_as_its_newest_runs(it: &Fixture) {
    let (from, until) = (at("2026-11-24T00:00:00Z"), at("2026-11-24T01:00:00Z"));
    let reach = async |most| it.insights.reach(from, until, most).await.unwrap();
    assert_eq!(reach(0).await, from);
    let mine = stored(it, "mine").await;
    let other = job("theirs").project("other").every("1d").build();
    it.insert(&other).await;
    add(it, &mine, "2026-11-23T23:59:59.999Z", 0).await;
    add(it, &mine, "2026-11-24T00:00:00Z", 0).await;
    add(it, &other, "2026-11-24T00:10:00Z", 0).await;
    add(it, &mine, "2026-11-24T00:10:00Z", 0).await;
    add(it, &mine, "2026-11-24T00:59:59.999Z", 0).await;
    add(it, &mine, "2026-11-24T01:00:00Z", 0).await;
    assert_eq!(reach(4).await, from, "there are four");
    assert_eq!(reach(3).await, at("2026-11-24T00:00:00.001Z"));
    assert_eq!(reach(2).await, at("2026-11-24T00:10:00.001Z"), "of two at one instant both are left out");
    assert_eq!(reach(1).await, at("2026-11-24T00:10:00.001Z"));
    assert_eq!(reach(0).await, at("2026-11-24T01:00:00Z"));
}

/// By part of the window, status and kind; both ends are exact, and other projects do not count.
pub async fn runs_are_tallied_by_part_status_and_kind(it: &Fixture) {
    let mine = stored(it, "mine").await;
    let other = job("theirs").project("other").every("1d").build();
    it.insert(&other).await;
    ended(it, &mine, "2026-11-23T23:59:59.999Z", RunStatus::Failed).await;
    ended(it, &mine, "2026-11-24T00:00:00Z", RunStatus::Succeeded).await;
    ended(it, &mine, "2026-11-24T00:29:59.999Z", RunStatus::Succeeded).await;
    ended(it, &mine, "2026-11-24T00:29:59.999Z", RunStatus::Failed).await;
    ended(it, &mine, "2026-11-24T00:30:00Z", RunStatus::Succeeded).await;
    ended(it, &other, "2026-11-24T00:30:00Z", RunStatus::Succeeded).await;
    add(it, &mine, "2026-11-24T00:59:59.999Z", 0).await;
    let scheduled =
        Run::pending(&mine, RunKind::Schedule, at("2026-11-24T00:45:00Z"), at("2026-11-24T00:45:00Z"), 0);
    assert!(it.insert_run(&scheduled).await);
    add(it, &mine, "2026-11-24T01:00:00Z", 0).await;

    let tally = async |bucket| {
        let mut tallies = it.insights.tally(&hour(), bucket).await.unwrap();
        tallies.sort_by_key(|tally| (tally.from, tally.status as u8, tally.kind as u8));
        tallies
    };
    let part = |from: &str, status, kind, runs| Tally { from: at(from), status, kind, runs };
    let (first, second) = ("2026-11-24T00:00:00Z", "2026-11-24T00:30:00Z");
    let halves = [
        part(first, RunStatus::Succeeded, RunKind::Manual, 2),
        part(first, RunStatus::Failed, RunKind::Manual, 1),
        part(second, RunStatus::Pending, RunKind::Schedule, 1),
        part(second, RunStatus::Pending, RunKind::Manual, 1),
        part(second, RunStatus::Succeeded, RunKind::Manual, 1),
    ];
    assert_eq!(tally(1_800_000).await, halves);
    let whole = [
        part(first, RunStatus::Pending, RunKind::Schedule, 1),
        part(first, RunStatus::Pending, RunKind::Manual, 1),
        part(first, RunStatus::Succeeded, RunKind::Manual, 3),
        part(first, RunStatus::Failed, RunKind::Manual, 1),
    ];
    assert_eq!(tally(3_600_000).await, whole);
    assert_eq!(tally(86_400_000).await, whole, "a part may be longer than the window");
    // Parts are counted from the window's beginning, also where their length is no whole number of seconds.
    let late = window("2026-11-24T00:29:59.998Z", "2026-11-24T00:30:00.001Z");
    let mut tallies = it.insights.tally(&late, 1).await.unwrap();
    tallies.sort_by_key(|tally| (tally.from, tally.status as u8));
    let starts: Vec<Instant> = tallies.iter().map(|tally| tally.from).collect();
    assert_eq!(
        starts,
        ["2026-11-24T00:29:59.999Z", "2026-11-24T00:29:59.999Z", "2026-11-24T00:30:00Z"].map(at)
    );
}

/// The worst first; those with a good run and no bad one are not asked for.
pub async fn jobs_are_tallied_worst_first(it: &Fixture) {
    let [fine, flaky, broken, idle, waits] =
        ["fine", "flaky", "broken", "idle", "waits"].map(|name| job(name).every("1d").build());
    for job in [&fine, &flaky, &broken, &idle, &waits] {
        it.insert(job).await;
    }
    for (job, when, status) in [
        (&fine, "2026-11-24T00:01:00Z", RunStatus::Succeeded),
        (&flaky, "2026-11-24T00:01:00Z", RunStatus::Succeeded),
        (&flaky, "2026-11-24T00:02:00Z", RunStatus::Failed),
        (&broken, "2026-11-24T00:01:00Z", RunStatus::TimedOut),
        (&broken, "2026-11-24T00:02:00Z", RunStatus::Failed),
        (&broken, "2026-11-24T00:03:00Z", RunStatus::Skipped),
        (&idle, "2026-11-24T01:00:00Z", RunStatus::Failed),
    ] {
        ended(it, job, when, status).await;
    }
    add(it, &waits, "2026-11-24T00:01:00Z", 0).await;
    let (good, bad) = ([RunStatus::Succeeded], [RunStatus::Failed, RunStatus::TimedOut]);
    let worst = it.insights.tally_jobs(&hour(), &good, &bad, 10).await.unwrap();
    let tally = |job: &Job, good, bad, runs| JobTally { job: job.id, good, bad, runs };
    assert_eq!(worst, [tally(&broken, 0, 2, 3), tally(&flaky, 1, 1, 2), tally(&waits, 0, 0, 1)]);
    assert_eq!(it.insights.tally_jobs(&hour(), &good, &bad, 1).await.unwrap(), worst[..1]);
}

/// A gist says of a run all that the run says of itself, its attempts aside.
pub async fn a_gist_is_that_of_its_run(it: &Fixture) {
    let mine = stored(it, "a,\"attempts\":[").await;
    let mut done = ended(it, &mine, "2026-11-24T00:01:00.123Z", RunStatus::Failed).await;
    let mut missed = Run::not_executed(
        &mine,
        RunStatus::Missed,
        domain::Reason::Downtime,
        at("2026-11-24T00:02:00Z"),
        at("2026-11-24T00:05:00Z"),
    );
    missed.count = 3;
    missed.scheduled_until = Some(at("2026-11-24T00:04:00Z"));
    assert!(it.insert_run(&missed).await);
    let gists = it.insights.gists(&hour(), &RunStatus::ALL, 256, 10).await.unwrap();
    done.token = 0;
    assert_eq!(gists, [RunGist::from(&missed), RunGist::from(&done)]);
}

/// Long answers of targets, and characters that some databases do not take, are no obstacle.
pub async fn a_gist_passes_by_long_attempts(it: &Fixture) {
    let mine = stored(it, "mine").await;
    let run = add(it, &mine, "2026-11-24T00:01:00Z", 0).await;
    let Settled { run: mut done, token } = succeeded(&run, "2026-11-24T00:01:05Z");
    done.attempts = vec![domain::Attempt {
        number: 1,
        started_at: at("2026-11-24T00:01:05Z"),
        finished_at: at("2026-11-24T00:01:05Z"),
        outcome: domain::run::AttemptOutcome::Succeeded,
        error: None,
        request: None,
        response: Some(domain::run::ResponseRecord {
            status: 200,
            headers: std::collections::BTreeMap::new(),
            body: Some("\u{0}é\"".repeat(30_000)),
            body_truncated: false,
        }),
        details: None,
        worker: None,
    }];
    assert_eq!(it.settle(&[Settled { run: done.clone(), token }]).await, [true]);
    let gists = it.insights.gists(&hour(), &[RunStatus::Succeeded], 256, 10).await.unwrap();
    assert_eq!(gists, [RunGist::from(&done)]);
    assert_eq!(gists[0].started_at, Some(at("2026-11-24T00:01:05Z")));
    let history = it.insights.histories(&[mine.id], hour().from, hour().until, 5).await.unwrap();
    assert_eq!(history, gists);
}

/// Filtered by status, newest first, no more than wanted.
pub async fn gists_are_filtered_and_limited(it: &Fixture) {
    let mine = stored(it, "mine").await;
    let first = ended(it, &mine, "2026-11-24T00:00:00Z", RunStatus::Succeeded).await;
    let second = ended(it, &mine, "2026-11-24T00:00:01Z", RunStatus::Failed).await;
    let third = ended(it, &mine, "2026-11-24T00:59:59.999Z", RunStatus::Succeeded).await;
    ended(it, &mine, "2026-11-24T01:00:00Z", RunStatus::Succeeded).await;
    let gists = async |statuses: &[RunStatus], limit| {
        ids(&it.insights.gists(&hour(), statuses, 256, limit).await.unwrap())
    };
    let both = [RunStatus::Succeeded, RunStatus::Failed];
    assert_eq!(gists(&both, 10).await, [third.id, second.id, first.id]);
    assert_eq!(gists(&both, 2).await, [third.id, second.id]);
    assert_eq!(gists(&[RunStatus::Succeeded], 10).await, [third.id, first.id]);
    assert_eq!(gists(&[], 10).await, []);
    let other = Window { project: "other".to_owned(), ..hour() };
    assert_eq!(it.insights.gists(&other, &both, 256, 10).await.unwrap(), []);
}

/// A share is drawn by the ids alone: the same runs every time, and a larger share holds a smaller one.
pub async fn a_share_of_the_runs_is_drawn_by_their_ids(it: &Fixture) {
    let mine = stored(it, "mine").await;
    let mut all = Vec::new();
    for nonce in 0..64 {
        all.push(add(it, &mine, "2026-11-24T00:01:00Z", nonce).await.id);
    }
    for share in [0, 1, 9, 15, 16, 99, 128, 160, 200, 255, 256] {
        let drawn = it.insights.gists(&hour(), &[RunStatus::Pending], share, 100).await.unwrap();
        let mut expected: Vec<RunId> =
            all.iter().copied().filter(|id| u16::from(id.0.as_bytes()[15]) < share).collect();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(ids(&drawn), expected, "{share} of 256");
    }
}

/// Each job's own newest runs within the range, however many the others have.
pub async fn histories_are_cut_job_by_job(it: &Fixture) {
    let (busy, calm, other) = (stored(it, "busy").await, stored(it, "calm").await, stored(it, "other").await);
    let mut runs = Vec::new();
    for minute in 0..6 {
        runs.push(ended(it, &busy, &format!("2026-11-24T00:0{minute}:00Z"), RunStatus::Succeeded).await.id);
    }
    let only = add(it, &calm, "2026-11-24T00:00:00Z", 0).await;
    add(it, &other, "2026-11-24T00:00:00Z", 0).await;
    let asked = [busy.id, calm.id, JobId::new(at("2026-11-24T00:00:00Z"), 99)];
    let history = async |from: &str, until: &str, each| {
        let gists = it.insights.histories(&asked, at(from), at(until), each).await.unwrap();
        let of = |job: &Job| -> Vec<RunId> {
            gists.iter().filter(|gist| gist.job_id == job.id).map(|gist| gist.id).collect()
        };
        assert_eq!(of(&busy).len() + of(&calm).len(), gists.len(), "none of other jobs");
        (of(&busy), of(&calm))
    };
    let newest = |range: std::ops::Range<usize>| runs[range].iter().rev().copied().collect::<Vec<_>>();
    let (from, until) = ("2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z");
    assert_eq!(history(from, until, 3).await, (newest(3..6), vec![only.id]));
    assert_eq!(history(from, until, 100).await, (newest(0..6), vec![only.id]));
    assert_eq!(history("2026-11-24T00:00:00.001Z", "2026-11-24T00:05:00Z", 3).await, (newest(2..5), vec![]));
    assert_eq!(it.insights.histories(&[], at(from), at(until), 3).await.unwrap(), []);
}

/// Each job's own newest runs are counted, by part of the range and status.
pub async fn runs_of_jobs_are_tallied_by_part(it: &Fixture) {
    let (busy, calm, other) = (stored(it, "busy").await, stored(it, "calm").await, stored(it, "other").await);
    ended(it, &busy, "2026-11-23T23:59:59.999Z", RunStatus::Failed).await;
    for minute in ["00", "01", "29", "30", "59"] {
        ended(it, &busy, &format!("2026-11-24T00:{minute}:00Z"), RunStatus::Succeeded).await;
    }
    ended(it, &busy, "2026-11-24T00:59:59.999Z", RunStatus::Failed).await;
    ended(it, &busy, "2026-11-24T01:00:00Z", RunStatus::Failed).await;
    add(it, &calm, "2026-11-24T00:00:00Z", 0).await;
    add(it, &other, "2026-11-24T00:00:00Z", 0).await;
    let tally = async |most| {
        let (from, until) = (hour().from, hour().until);
        let parts = it.insights.tally_parts(&[calm.id, busy.id], from, until, 1_800_000, most).await.unwrap();
        let mut parts: Vec<_> = parts.into_iter().filter(|it| it.runs > 0).collect();
        parts.sort_by_key(|it| (it.job != busy.id, it.from, it.status));
        parts
    };
    let part = |job: &Job, from: &str, status, runs| JobPart { job: job.id, from: at(from), status, runs };
    let (first, second) = ("2026-11-24T00:00:00Z", "2026-11-24T00:30:00Z");
    let newest = [
        part(&busy, second, RunStatus::Succeeded, 2),
        part(&busy, second, RunStatus::Failed, 1),
        part(&calm, first, RunStatus::Pending, 1),
    ];
    assert_eq!(tally(3).await, newest);
    let all = [&[part(&busy, first, RunStatus::Succeeded, 3)][..], &newest].concat();
    assert_eq!(tally(100).await, all);
    assert_eq!(it.insights.tally_parts(&[], hour().from, hour().until, 1, 9).await.unwrap(), []);
}

fn sorted_names(jobs: &[StoredJob]) -> Vec<&str> {
    let mut names: Vec<&str> = jobs.iter().map(name_of).collect();
    names.sort_unstable();
    names
}

fn name_of(stored: &StoredJob) -> &str {
    stored.job.as_ref().map_or_else(|broken| broken.name.as_str(), |job| job.draft.name.as_str())
}

/// Many jobs by their ids, each with its last run, as they would be found one by one.
pub async fn jobs_are_found_by_many_ids(it: &Fixture) {
    let (a, b) = (stored(it, "a").await, stored(it, "b").await);
    stored(it, "c").await;
    let other = job("theirs").project("other").build();
    it.insert(&other).await;
    let run = ended(it, &a, "2026-11-24T00:01:00Z", RunStatus::Failed).await;
    let found = it.insights.jobs_of("default", &[b.id, a.id, other.id]).await.unwrap();
    assert_eq!(sorted_names(&found), ["a", "b"]);
    let last = found.iter().find(|stored| name_of(stored) == "a").and_then(|stored| stored.last_run);
    assert_eq!(last, it.find(&a).await.unwrap().last_run);
    assert_eq!(last.map(|last| last.id), Some(run.id));
    assert!(it.insights.jobs_of("default", &[]).await.unwrap().is_empty());
    it.backdoor.corrupt(b.id).await;
    let broken = it.insights.jobs_of("default", &[b.id]).await.unwrap();
    assert!(broken.len() == 1 && broken[0].job.is_err());
}

/// Paused and invalid ones, newest first.
pub async fn idle_jobs_are_listed_newest_first(it: &Fixture) {
    for (second, name) in ["p1", "active", "p2", "p3", "broken"].into_iter().enumerate() {
        let job = job(name).created(&format!("2026-11-24T00:00:0{second}Z")).build();
        it.insert(&job).await;
        if name.starts_with('p') {
            let paused = job.paused(None, at("2026-11-24T00:00:30Z"));
            assert!(it.replace(&paused, expected(&job), &[]).await);
        } else if name == "broken" {
            it.backdoor.corrupt(job.id).await;
        }
    }
    let other = job("theirs").project("other").build();
    it.insert(&other).await;
    let paused = other.paused(None, at("2026-11-24T00:00:30Z"));
    assert!(it.replace(&paused, expected(&other), &[]).await);
    let idle = async |state, limit| {
        let jobs = it.insights.idle_jobs("default", state, limit).await.unwrap();
        jobs.iter().map(|stored| name_of(stored).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(idle(JobState::Paused, 10).await, ["p3", "p2", "p1"]);
    assert_eq!(idle(JobState::Paused, 2).await, ["p3", "p2"]);
    assert_eq!(idle(JobState::Invalid, 10).await, [""; 0], "nobody has noticed yet");
    it.fire("2026-11-24T00:10:00Z").await;
    assert_eq!(idle(JobState::Invalid, 10).await, ["broken"]);
    assert_eq!(idle(JobState::Active, 10).await, [""; 0], "active ones are not idle");
}

/// Since their earliest due instant, of their own or of an unfinished run.
pub async fn overdue_jobs_are_told_with_their_instants(it: &Fixture) {
    let late = job("late").once("2026-11-24T00:05:00Z").build();
    let later = job("later").once("2026-11-24T00:06:00Z").build();
    let future = job("future").once("2026-11-24T02:00:00Z").build();
    let theirs = job("theirs").project("other").once("2026-11-24T00:01:00Z").build();
    for job in [&late, &later, &future, &theirs] {
        it.insert(job).await;
    }
    let overdue = async |before, limit| it.insights.overdue("default", at(before), limit).await.unwrap();
    assert_eq!(overdue("2026-11-24T00:05:00Z", 10).await, []);
    let both = [(late.id, at("2026-11-24T00:05:00Z")), (later.id, at("2026-11-24T00:06:00Z"))];
    assert_eq!(overdue("2026-11-24T00:06:00.001Z", 10).await, both);
    assert_eq!(
        overdue("2026-11-24T00:06:00.001Z", 2).await,
        both[..1],
        "no more are looked at, whose ever they are"
    );
    add(it, &future, "2026-11-24T00:02:00Z", 0).await;
    add(it, &late, "2026-11-24T00:03:00Z", 0).await;
    ended(it, &later, "2026-11-24T00:01:00Z", RunStatus::Succeeded).await;
    let expected = [
        (future.id, at("2026-11-24T00:02:00Z")),
        (late.id, at("2026-11-24T00:03:00Z")),
        (later.id, at("2026-11-24T00:06:00Z")),
    ];
    assert_eq!(overdue("2026-11-24T01:00:00Z", 10).await, expected);
}

/// Whatever keeps it: a worker that is gone leaves runs that nobody has taken over yet.
pub async fn a_run_is_overdue_when_the_lease_it_was_fired_with_runs_out(it: &Fixture) {
    let (due, until) = ("2026-11-24T00:01:00Z", "2026-11-24T00:01:30Z");
    let (left, done) = (job("left").once(due).build(), job("done").once(due).build());
    it.insert(&left).await;
    it.insert(&done).await;
    let mut real = decide(at(due));
    let mut leasing = |due| {
        let firing = real(due);
        let runs = firing.runs.into_iter().map(|run| run.leased(&lease("gone", until))).collect();
        Firing { runs, ..firing }
    };
    let firings = it.fire_by(due, 10, &mut leasing).await;
    let of_done = firings.iter().flat_map(|firing| &firing.runs).find(|run| run.job_id == done.id).unwrap();
    assert_eq!(it.settle(&[succeeded(of_done, "2026-11-24T00:01:01Z")]).await, [true]);
    let overdue = async |before| it.insights.overdue("default", at(before), 10).await.unwrap();
    assert_eq!(overdue(until).await, []);
    assert_eq!(overdue("2026-11-24T00:01:30.001Z").await, [(left.id, at(until))]);
}

/// By state, in one project, up to a limit.
pub async fn jobs_of_a_project_are_counted_by_state(it: &Fixture) {
    for (second, name) in ["a", "b", "c"].into_iter().enumerate() {
        it.insert(&job(name).created(&format!("2026-11-24T00:00:0{second}Z")).build()).await;
    }
    let paused = job("p").created("2026-11-24T00:00:09Z").build();
    it.insert(&paused).await;
    assert!(it.replace(&paused.paused(None, at("2026-11-24T00:00:30Z")), expected(&paused), &[]).await);
    it.insert(&job("theirs").project("other").build()).await;
    let count = async |limit| it.insights.count_jobs("default", limit).await.unwrap();
    assert_eq!(count(10).await, [(JobState::Active, 3), (JobState::Paused, 1)]);
    assert_eq!(count(2).await, [(JobState::Active, 2)]);
    assert_eq!(it.insights.count_jobs("nobody", 10).await.unwrap(), []);
}
