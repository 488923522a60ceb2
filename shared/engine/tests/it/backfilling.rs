//! Backfills: a few runs at a time, each occurrence once, beside a schedule that takes no notice.

use chrono::TimeDelta;
use domain::{BackfillOrder, BackfillState, JobDraft, Overlap, Reason, Run, RunKind, RunStatus, Verdict};
use engine::{BackfillProgress, Backfills, SchedulerError};
use testkit::{Fault, Step, at, job};

use super::bench::{Bench, key};

/// A bench at noon, whose job is due every hour since midnight and paused, so that nothing else happens.
async fn bench(change: impl FnOnce(&mut JobDraft)) -> Bench {
    let bench = Bench::new();
    bench.create(job("report").every("1h").with(change).draft()).await;
    bench.scheduler.pause("default", &key("report"), None, None, None).await.unwrap();
    bench.manual.advance(TimeDelta::hours(12));
    bench
}

fn order(overlap: Overlap, hours: u32) -> BackfillOrder {
    let from = at("2026-11-24T01:00:00Z");
    let to = from + TimeDelta::hours(hours.into());
    BackfillOrder { from, to, overlap, max: 100, payload: None }
}

async fn ask(bench: &Bench, order: BackfillOrder) -> BackfillProgress {
    bench.scheduler.backfill("default", &key("report"), order).await.unwrap()
}

async fn progress(bench: &Bench, of: &BackfillProgress) -> BackfillProgress {
    bench.scheduler.backfill_progress("default", of.backfill.id).await.unwrap()
}

/// Looks until the backfill has ended, without time passing.
async fn carried_out(bench: &Bench, of: &BackfillProgress) -> BackfillProgress {
    for _ in 0..200 {
        bench.dispatcher.look().await.unwrap();
        bench.quiet().await;
        let now = progress(bench, of).await;
        if now.backfill.details.state != BackfillState::Running {
            return now;
        }
    }
    panic!("never ended: {:#?}", bench.runs().await);
}

fn count(of: &BackfillProgress, status: RunStatus) -> u64 {
    of.runs.iter().filter(|(it, _)| *it == status).map(|(_, count)| count).sum()
}

fn hours(runs: &[Run]) -> Vec<String> {
    runs.iter().map(|run| run.scheduled_for.format("%H").to_string()).collect()
}

/// Paused, without runs left, and long past its misfire window: none of that concerns a backfill.
#[tokio::test]
async fn every_occurrence_is_carried_out_once_and_in_order() {
    let bench = bench(|draft| {
        draft.max_runs = Some(1);
        draft.misfire.window = "1m".parse().unwrap();
        draft.misfire.tolerance = "1m".parse().unwrap();
    })
    .await;
    let before = bench.scheduler.job("default", &key("report")).await.unwrap().job.unwrap();
    let asked = ask(&bench, order(Overlap::BufferAll, 5)).await;
    let ended = carried_out(&bench, &asked).await;
    assert_eq!((ended.backfill.details.state, ended.backfill.details.created), (BackfillState::Completed, 5));
    assert_eq!(ended.runs, [(RunStatus::Succeeded, 5)]);
    let runs = bench.runs().await;
    assert_eq!(hours(&runs), ["01", "02", "03", "04", "05"], "the end is exclusive");
    assert!(
        runs.iter().all(|run| run.kind == RunKind::Backfill && run.backfill() == Some(asked.backfill.id))
    );
    let called: Vec<_> = bench.executor.calls().iter().map(|it| it.call.scheduled_for).collect();
    assert!(called.is_sorted(), "{called:?}");
    let after = bench.scheduler.job("default", &key("report")).await.unwrap().job.unwrap();
    assert_eq!((after.next_fire_at, after.runs_started), (before.next_fire_at, before.runs_started));
    assert_eq!(after.pause, before.pause);
}

#[tokio::test]
async fn one_at_a_time_or_up_to_sixteen() {
    for (overlap, at_once) in [(Overlap::BufferAll, 1), (Overlap::AllowAll, 11)] {
        let bench = bench(|_| ()).await;
        let gate = bench.executor.hold();
        let asked = ask(&bench, order(overlap, 11)).await;
        for _ in 0..5 {
            bench.look_after("5s").await;
            bench.quiet().await;
            bench.dispatcher.renew().await.unwrap();
        }
        assert_eq!(bench.executor.calls().len(), at_once, "{overlap:?}");
        assert_eq!(count(&progress(&bench, &asked).await, RunStatus::Running), at_once as u64);
        gate.open();
        assert_eq!(carried_out(&bench, &asked).await.runs, [(RunStatus::Succeeded, 11)]);
    }
    let bench = bench(|draft| draft.schedule = job("x").every("10m").draft().schedule).await;
    let asked = ask(&bench, order(Overlap::AllowAll, 11)).await;
    assert_eq!((asked.backfill.details.total, asked.backfill.details.created), (66, 16));
    assert_eq!(carried_out(&bench, &asked).await.runs, [(RunStatus::Succeeded, 66)]);
}

/// A failed run is retried by the job's policy, holds its place meanwhile, and does not stop the rest.
#[tokio::test]
async fn a_failed_run_does_not_stop_it_and_pauses_nothing() {
    let bench = bench(|draft| draft.pause_after_failures = Some(1)).await;
    bench.scheduler.resume("default", &key("report"), None).await.unwrap();
    bench
        .executor
        .script("report", [Verdict::fatal("http_status", "404"), Verdict::retryable("connect", "no")]);
    let asked = ask(&bench, order(Overlap::BufferAll, 3)).await;
    for _ in 0..4 {
        bench.look_after("10s").await;
        bench.quiet().await;
    }
    let ended = carried_out(&bench, &asked).await;
    assert_eq!(ended.runs, [(RunStatus::Succeeded, 2), (RunStatus::Failed, 1)]);
    assert!(bench.scheduler.job("default", &key("report")).await.unwrap().job.unwrap().pause.is_none());
}

/// The schedule goes on: its occurrences are neither skipped nor kept waiting.
#[tokio::test]
async fn the_schedule_takes_no_notice() {
    for overlap in [Overlap::Skip, Overlap::BufferAll] {
        let bench = bench(|draft| draft.overlap = overlap).await;
        bench.scheduler.resume("default", &key("report"), None).await.unwrap();
        bench.executor.script("report", [Step::Hang]);
        ask(&bench, order(Overlap::BufferAll, 5)).await;
        bench.look_after("1s").await;
        bench.executor.started(1).await;
        bench.look_after("59m59s").await;
        bench.look_after("10ms").await;
        bench.quiet().await;
        let scheduled = |run: &&Run| run.kind == RunKind::Schedule && run.status == RunStatus::Succeeded;
        assert_eq!(bench.runs().await.iter().filter(scheduled).count(), 1, "{overlap:?}");
    }
}

/// Editing the job changes how the rest is carried out, not which occurrences there are.
#[tokio::test]
async fn an_edited_schedule_changes_nothing() {
    let bench = bench(|_| ()).await;
    let asked = ask(&bench, order(Overlap::BufferAll, 4)).await;
    let draft = job("report").every("7m").draft();
    bench.scheduler.replace("default", &key("report"), draft, None).await.unwrap();
    assert_eq!(carried_out(&bench, &asked).await.runs, [(RunStatus::Succeeded, 4)]);
    let backfilled: Vec<_> =
        bench.runs().await.into_iter().filter(|run| run.kind == RunKind::Backfill).collect();
    assert_eq!(hours(&backfilled), ["01", "02", "03", "04"]);
}

#[tokio::test]
async fn calendars_are_kept_to() {
    use domain::calendar::{CalendarMode, CalendarUse, Roll};
    let bench = Bench::new();
    let days = testkit::fixtures::days(["2026-11-26"]);
    bench.scheduler.put_calendar("default", "off", &days, None).await.unwrap();
    let mut draft = job("report").cron("0 9 * * *", "UTC").draft();
    draft.calendars =
        vec![CalendarUse { name: "off".to_owned(), mode: CalendarMode::Exclude, roll: Roll::None }];
    bench.create(draft).await;
    bench.manual.advance(TimeDelta::days(30));
    let (from, to) = (at("2026-11-25T00:00:00Z"), at("2026-11-29T00:00:00Z"));
    let asked = ask(&bench, BackfillOrder { from, to, ..order(Overlap::AllowAll, 1) }).await;
    assert_eq!(asked.backfill.details.total, 3);
}

/// What runs when it is cancelled goes on; what waits does not, and nothing more is made.
#[tokio::test]
async fn cancelling_it_stops_what_has_not_started() {
    let bench = bench(|_| ()).await;
    let gate = bench.executor.hold();
    let asked = ask(&bench, order(Overlap::BufferAll, 5)).await;
    bench.look_after("0s").await;
    bench.executor.started(1).await;
    let cancelled = bench.scheduler.cancel_backfill("default", asked.backfill.id).await.unwrap();
    assert_eq!(cancelled.backfill.details.state, BackfillState::Cancelled);
    gate.open();
    bench.settled_count(1).await;
    bench.look_after("10s").await;
    assert_eq!(progress(&bench, &asked).await.runs, [(RunStatus::Succeeded, 1)]);
    let again = bench.scheduler.cancel_backfill("default", asked.backfill.id).await;
    assert!(matches!(again, Err(SchedulerError::Conflict(_))), "{again:?}");
}

#[tokio::test]
async fn it_ends_with_its_job() {
    let bench = bench(|_| ()).await;
    let asked = ask(&bench, order(Overlap::BufferAll, 5)).await;
    bench.scheduler.delete("default", &key("report"), None).await.unwrap();
    bench.look_after("6s").await;
    bench.quiet().await;
    let ended = progress(&bench, &asked).await;
    let details = ended.backfill.details;
    assert_eq!((details.state, details.reason), (BackfillState::Cancelled, Some(Reason::Deleted)));
    assert_eq!(ended.runs, [(RunStatus::Cancelled, 1)]);
    assert!(bench.store.due_backfills(at("2099-01-01T00:00:00Z"), 10).await.unwrap().is_empty());
}

/// The process that saw a run end may die before it makes the next one: whoever looks a little later does.
#[tokio::test]
async fn it_is_carried_on_by_whoever_is_left() {
    let bench = bench(|_| ()).await;
    let asked = ask(&bench, order(Overlap::BufferAll, 3)).await;
    let gone = bench.another("gone", 10);
    gone.look().await.unwrap();
    bench.settled_count(1).await;
    drop(gone);
    assert_eq!(progress(&bench, &asked).await.backfill.details.created, 1);
    bench.look_after("6s").await;
    assert_eq!(progress(&bench, &asked).await.backfill.details.created, 2);
    assert_eq!(carried_out(&bench, &asked).await.runs, [(RunStatus::Succeeded, 3)]);
}

/// Two workers on it at once, and a store that fails now and then: still each occurrence once.
#[tokio::test]
async fn two_workers_and_a_failing_store_make_each_run_once() {
    let bench = bench(|draft| draft.schedule = job("x").every("10m").draft().schedule).await;
    let other = bench.another("b", 100);
    let asked = ask(&bench, order(Overlap::AllowAll, 11)).await;
    let mut calls = 0_u32;
    bench.store.fail_by(move |call, _| {
        if !call.contains("backfill") {
            return Fault::None;
        }
        calls += 1;
        match calls % 7 {
            2 => Fault::Before,
            5 => Fault::After,
            _ => Fault::None,
        }
    });
    for _ in 0..300 {
        bench.manual.advance(TimeDelta::milliseconds(700));
        let _ = tokio::join!(bench.dispatcher.look(), other.look());
        bench.quiet().await;
    }
    bench.store.heal();
    let ended = carried_out(&bench, &asked).await;
    assert_eq!((ended.backfill.details.created, ended.runs), (66, vec![(RunStatus::Succeeded, 66)]));
}
