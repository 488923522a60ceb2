//! Runs: added, found, listed.

use domain::details::{CommandRecord, Details};
use domain::run::{AttemptOutcome, RequestRecord, ResponseRecord};
use domain::{Asked, Attempt, Overlap, Reason, Run, RunKind, RunStatus};
use engine::{LastRun, RunQuery};

use super::Fixture;
use super::support::{all_jobs, all_runs, ids, manual, succeeded};
use crate::fixtures::{at, job};

/// A manual run waits, as it was given.
pub async fn an_inserted_run_waits(it: &Fixture) {
    let job = job("report").build();
    let run = it.waiting(&job, "2026-11-24T00:00:05Z").await;
    assert_eq!(it.run(&run).await, run);
    assert_eq!(ids(&it.runs(&all_runs("default")).await), [run.id]);
}

/// The same run is added once, and the first stays.
pub async fn a_run_is_inserted_once(it: &Fixture) {
    let job = job("report").build();
    let run = it.waiting(&job, "2026-11-24T00:00:05Z").await;
    let mut again = run.clone();
    again.due_at = Some(at("2026-11-24T09:00:00Z"));
    assert!(!it.insert_run(&again).await);
    assert_eq!(it.run(&run).await, run);
}

/// Nothing is added to a job that is gone, that never was, or that another project owns.
pub async fn a_run_needs_its_job(it: &Fixture) {
    let gone = job("gone").build();
    it.insert(&gone).await;
    assert!(it.delete(&gone, "2026-11-24T00:00:01Z").await);
    let unknown = job("unknown").build();
    for job in [&gone, &unknown] {
        let run = manual(job, "2026-11-24T00:00:05Z");
        assert!(!it.insert_run(&run).await);
        assert!(it.store.run("default", run.id).await.unwrap().is_none());
    }
}

/// What belongs to a project is not there for another.
pub async fn a_run_of_another_project_is_not_found(it: &Fixture) {
    let (mine, theirs) = (job("report").build(), job("report").project("other").build());
    let run = it.waiting(&mine, "2026-11-24T00:00:05Z").await;
    it.waiting(&theirs, "2026-11-24T00:00:06Z").await;
    assert!(it.store.run("other", run.id).await.unwrap().is_none());
    assert_eq!(ids(&it.runs(&all_runs("default")).await), [run.id]);
    let crossed = RunQuery { job: Some(mine.id), ..all_runs("other") };
    assert!(it.runs(&crossed).await.items.is_empty(), "the project counts even beside a job's id");
}

/// Nothing of a run's record is lost.
pub async fn every_field_of_a_run_survives(it: &Fixture) {
    let job = job("répört").build();
    let mut run = it.running(&job, "worker “1”", "2026-11-24T00:00:05.678Z").await;
    run.status = RunStatus::Cancelled;
    run.reason = Some(Reason::Requested);
    run.asked = Asked {
        payload: Some(serde_json::json!({"text": "“ü” \n🦀", "n": [0.1, null, 9_007_199_254_740_993_u64]})),
        overlap: Some(Overlap::BufferAll),
        backfill: Some("backfill_01kc0000000000000000000000".parse().unwrap()),
    }
    .boxed();
    run.due_at = None;
    run.started_at = Some(at("2026-11-24T00:00:05.679Z"));
    run.finished_at = Some(at("2026-11-24T00:00:06.001Z"));
    run.reopened_at = Some(at("2026-11-24T00:00:05.900Z"));
    run.attempts = vec![
        attempt(1, AttemptOutcome::Failed),
        Attempt {
            error: None,
            request: None,
            response: None,
            details: None,
            ..attempt(2, AttemptOutcome::Interrupted)
        },
    ];
    let settled = engine::Settled { token: run.token, run: run.clone() };
    assert_eq!(it.settle(&[settled]).await, [true]);
    assert_eq!(it.run(&run).await, run);
    assert_eq!(it.runs(&all_runs("default")).await.items, [run]);
}

fn attempt(number: u32, outcome: AttemptOutcome) -> Attempt {
    let headers = || [("content-type".to_owned(), "text/plain; q='\"x\\\"'".to_owned())].into();
    Attempt {
        number,
        started_at: at("2026-11-24T00:00:05.679Z"),
        finished_at: at("2026-11-24T00:00:06.001Z"),
        outcome,
        error: Some(domain::run::AttemptError {
            code: "http_status".to_owned(),
            message: "503 – nö".to_owned(),
        }),
        request: Some(RequestRecord {
            method: "POST".to_owned(),
            url: "https://example.com/?a=1&b='".to_owned(),
            headers: headers(),
            body: Some("{\"a\": \"\u{1F980}\\n\"}".to_owned()),
            body_truncated: false,
        }),
        response: Some(ResponseRecord {
            status: 503,
            headers: headers(),
            body: Some("x".repeat(65_536)),
            body_truncated: true,
        }),
        details: Some(Details::Command(CommandRecord {
            exit_code: Some(3),
            stdout: Some("“ü” \\u0000 🦀".to_owned()),
            ..CommandRecord::default()
        })),
        worker: Some("worker “1”".to_owned()),
    }
}

/// Three runs of two jobs, in the order of their nominal times.
async fn three(it: &Fixture) -> [Run; 3] {
    let (a, b) = (job("a").build(), job("b").build());
    [
        it.waiting(&a, "2026-11-24T00:00:01Z").await,
        it.waiting(&b, "2026-11-24T00:00:02Z").await,
        it.waiting(&a, "2026-11-24T00:00:03Z").await,
    ]
}

/// The newest first, or the oldest.
pub async fn runs_are_listed_in_both_directions(it: &Fixture) {
    let [first, second, third] = three(it).await.map(|run| run.id);
    assert_eq!(ids(&it.runs(&all_runs("default")).await), [third, second, first]);
    let oldest = RunQuery { ascending: true, ..all_runs("default") };
    assert_eq!(ids(&it.runs(&oldest).await), [first, second, third]);
}

/// A list can be of one job, of some states, of one kind, and of all of that.
pub async fn runs_are_filtered(it: &Fixture) {
    let [first, second, third] = three(it).await;
    let leased = it.lease("w", "2026-11-24T00:00:10Z", "2026-11-24T00:00:40Z").await;
    assert_eq!(leased.len(), 3);
    let of_first = leased.iter().find(|it| it.run.id == first.id).unwrap();
    it.settle(&[succeeded(&of_first.run, "2026-11-24T00:00:11Z")]).await;
    // Both jobs are due by now; the runs that are not finished make them skip.
    let firings = it.fire("2026-11-24T00:01:00Z").await;
    let mut scheduled: Vec<_> = firings.iter().flat_map(|firing| &firing.runs).map(|run| run.id).collect();
    scheduled.sort_by(|left, right| right.cmp(left));
    assert_eq!(scheduled.len(), 2);

    let query = || all_runs("default");
    let of_a = RunQuery { job: Some(first.job_id), kinds: vec![RunKind::Manual], ..query() };
    assert_eq!(ids(&it.runs(&of_a).await), [third.id, first.id]);
    let by_kind = RunQuery { kinds: vec![RunKind::Schedule], ..query() };
    assert_eq!(ids(&it.runs(&by_kind).await), scheduled);
    let any_kind = RunQuery { kinds: RunKind::ALL.to_vec(), ..query() };
    assert_eq!(it.runs(&any_kind).await.items.len(), 5);
    let running = RunQuery { statuses: vec![RunStatus::Running], ..query() };
    assert_eq!(ids(&it.runs(&running).await), [third.id, second.id]);
    let either = RunQuery { statuses: vec![RunStatus::Running, RunStatus::Succeeded], ..query() };
    assert_eq!(ids(&it.runs(&either).await), [third.id, second.id, first.id]);
    let nothing = RunQuery { statuses: vec![RunStatus::Failed], ..query() };
    assert!(it.runs(&nothing).await.items.is_empty());
    let all = RunQuery { job: Some(first.job_id), statuses: vec![RunStatus::Running], ..of_a };
    assert_eq!(ids(&it.runs(&all).await), [third.id]);
}

/// A list can be of a range of nominal times, its beginning included and its end not; also together with all else.
pub async fn runs_are_listed_within_a_range(it: &Fixture) {
    let [first, second, third] = three(it).await;
    let leased = it.lease("w", "2026-11-24T00:00:10Z", "2026-11-24T00:00:40Z").await;
    let of_first = leased.iter().find(|it| it.run.id == first.id).unwrap();
    it.settle(&[succeeded(&of_first.run, "2026-11-24T00:00:11Z")]).await;
    let range = |from: &str, until: &str| RunQuery {
        from: Some(at(from)),
        until: Some(at(until)),
        ..all_runs("default")
    };
    let whole = range("2026-11-24T00:00:01Z", "2026-11-24T00:00:03Z");
    assert_eq!(ids(&it.runs(&whole).await), [second.id, first.id]);
    let later = range("2026-11-24T00:00:01.001Z", "2026-11-24T00:00:03.001Z");
    assert_eq!(ids(&it.runs(&RunQuery { ascending: true, ..later.clone() }).await), [second.id, third.id]);
    assert_eq!(ids(&it.runs(&RunQuery { job: Some(third.job_id), ..later.clone() }).await), [third.id]);
    for statuses in [vec![RunStatus::Running], vec![RunStatus::Pending, RunStatus::Running]] {
        let unfinished = RunQuery { statuses, ..whole.clone() };
        assert_eq!(ids(&it.runs(&unfinished).await), [second.id]);
        let unfinished = RunQuery { from: None, until: None, limit: 1, ..unfinished };
        let page = it.runs(&unfinished).await;
        assert_eq!((ids(&page), page.has_more), (vec![third.id], true));
        let rest = RunQuery { after: Some(third.id), ..unfinished.clone() };
        assert_eq!(ids(&it.runs(&rest).await), [second.id]);
        let upwards = RunQuery { ascending: true, job: Some(third.job_id), ..unfinished };
        assert_eq!(ids(&it.runs(&upwards).await), [third.id]);
    }
    let paged =
        RunQuery { after: Some(third.id), limit: 1, ..range("2026-11-24T00:00:01Z", "2026-11-24T01:00:00Z") };
    assert_eq!(ids(&it.runs(&paged).await), [second.id]);
    let paged = RunQuery { after: Some(first.id), ascending: true, ..paged };
    assert_eq!(ids(&it.runs(&paged).await), [second.id]);
    assert!(it.runs(&range("2026-11-24T00:00:02Z", "2026-11-24T00:00:02Z")).await.items.is_empty());
}

/// Pages in either direction join into the whole list, each row once.
pub async fn runs_are_paged_in_both_directions(it: &Fixture) {
    let job = job("report").build();
    for second in 1..=7 {
        it.waiting(&job, &format!("2026-11-24T00:00:0{second}Z")).await;
    }
    for ascending in [false, true] {
        let whole = RunQuery { ascending, job: Some(job.id), ..all_runs("default") };
        let expected = ids(&it.runs(&whole).await);
        assert_eq!(expected.len(), 7);
        let (mut seen, mut after) = (Vec::new(), None);
        for page in 1.. {
            let query = RunQuery { after, limit: 3, ..whole.clone() };
            let part = it.runs(&query).await;
            seen.extend(ids(&part));
            assert_eq!(part.has_more, page < 3, "page {page}");
            if !part.has_more {
                break;
            }
            after = seen.last().copied();
        }
        assert_eq!(seen, expected, "ascending: {ascending}");
    }
}

/// A full last page does not promise another.
pub async fn a_page_tells_whether_more_follows(it: &Fixture) {
    three(it).await;
    for (limit, more) in [(2, true), (3, false), (4, false)] {
        let page = it.runs(&RunQuery { limit, ..all_runs("default") }).await;
        assert_eq!((page.items.len(), page.has_more), (3.min(limit as usize), more));
    }
}

/// A job's last run is the finished one of the newest nominal time, whatever ended last.
pub async fn the_last_run_is_the_newest_finished_one(it: &Fixture) {
    let (job, other) = (job("report").build(), job("other").build());
    let older = it.running(&job, "w", "2026-11-24T00:00:01Z").await;
    let newer = it.running(&job, "w", "2026-11-24T00:00:02Z").await;
    let unrelated = it.running(&other, "w", "2026-11-24T00:00:03Z").await;
    it.waiting(&job, "2026-11-24T00:00:04Z").await;
    let last_run = async || {
        let listed = it.jobs(&all_jobs("default")).await;
        let of_list =
            listed.items.iter().find(|row| row.job.as_ref().is_ok_and(|it| it.id == job.id)).unwrap();
        let found = it.find(&job).await.unwrap().last_run;
        assert_eq!(of_list.last_run, found);
        found
    };
    assert_eq!(last_run().await, None);
    it.settle(&[succeeded(&unrelated, "2026-11-24T00:00:09Z")]).await;
    assert_eq!(last_run().await, None);
    it.settle(&[succeeded(&newer, "2026-11-24T00:00:05Z")]).await;
    let expected =
        LastRun { id: newer.id, status: RunStatus::Succeeded, finished_at: at("2026-11-24T00:00:05Z") };
    assert_eq!(last_run().await, Some(expected));
    it.settle(&[succeeded(&older, "2026-11-24T00:00:06Z")]).await;
    assert_eq!(last_run().await, Some(expected), "the older occurrence ended later");
}

/// Of one job only, the oldest nominal time first, and none that is finished.
pub async fn unfinished_runs_come_oldest_first(it: &Fixture) {
    let (a, b) = (job("a").build(), job("b").build());
    let mut expected = Vec::new();
    for time in ["2026-11-24T00:00:03Z", "2026-11-24T00:00:01Z", "2026-11-24T00:00:02Z"] {
        expected.push(it.waiting(&a, time).await);
        it.waiting(&b, time).await;
    }
    expected.sort_by_key(|run| run.scheduled_for);
    let ended = Run {
        status: RunStatus::Succeeded,
        due_at: None,
        finished_at: Some(at("2026-11-24T00:01:00Z")),
        ..expected.remove(1)
    };
    assert_eq!(it.settle(&[engine::Settled { token: ended.token, run: ended }]).await, [true]);
    let unfinished = |limit| it.store.unfinished_runs(a.id, limit);
    assert_eq!(unfinished(10).await.unwrap(), expected);
    assert_eq!(unfinished(1).await.unwrap(), expected[..1]);
    assert_eq!(it.store.unfinished_runs(job("c").build().id, 10).await.unwrap(), []);
}
