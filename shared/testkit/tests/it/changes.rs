//! Creating, editing, pausing, resuming: what becomes of the past and of the next occurrence.

use domain::time::Zone;
use domain::{Invalid, Job, JobDraft, JobId, JobState, Reason, Run, RunStatus, fire, parse};
use serde_json::json;
use testkit::fixtures::calendar;
use testkit::{at, job};

use crate::misfires::words;

fn create(draft: JobDraft, now: &str) -> Result<Job, Invalid> {
    let now = at(now);
    Job::create(draft, "default", JobId::new(now, 1), &Zone::default(), now)
}

fn refused(result: Result<Job, Invalid>) -> (String, String) {
    let Invalid(errors) = result.expect_err("refused");
    (errors[0].pointer.clone(), errors[0].code.clone())
}

/// The one record of a closed past.
fn only(closing: Vec<Run>) -> Run {
    let [run] = <[Run; 1]>::try_from(closing).unwrap();
    run
}

#[test]
fn a_new_job_is_due_after_its_creation() {
    let job = create(job("report").cron("0 * * * *", "UTC").draft(), "2026-11-24T01:00:00Z").unwrap();
    assert_eq!(job.next_fire_at, Some(at("2026-11-24T02:00:00Z")), "never at the instant of creation");
}

#[test]
fn a_date_a_moment_ago_still_runs() {
    let once = |now: &str| create(job("once").once("2026-11-24T01:00:00Z").draft(), now);
    assert_eq!(once("2026-11-24T01:00:05Z").unwrap().next_fire_at, Some(at("2026-11-24T01:00:00Z")));
    let too_late = refused(once("2026-11-25T01:00:00.001Z"));
    assert_eq!(too_late, ("/schedule/at".to_owned(), "in_the_past".to_owned()));
}

#[test]
fn a_date_outside_start_and_end_never_fires() {
    let never = ("/schedule".to_owned(), "never_fires".to_owned());
    let once = || job("once").once("2026-11-24T01:00:00Z");
    for now in ["2026-11-24T00:00:00Z", "2026-11-24T01:00:05Z"] {
        assert_eq!(refused(create(once().starting("2026-11-24T02:00:00Z").draft(), now)), never, "{now}");
        assert_eq!(refused(create(once().ending("2026-11-24T00:30:00Z").draft(), now)), never, "{now}");
    }
    assert!(
        create(
            once().starting("2026-11-24T01:00:00Z").ending("2026-11-24T01:00:00Z").draft(),
            "2026-11-24T01:00:05Z"
        )
        .is_ok()
    );
}

#[test]
fn start_and_end_are_inclusive() {
    let bounded =
        job("report").every("1h").starting("2026-11-24T03:00:00Z").ending("2026-11-24T04:00:00Z").build();
    assert_eq!(bounded.next_fire_at, Some(at("2026-11-24T03:00:00Z")));
    assert_eq!(bounded.plan.next_after(at("2026-11-24T03:00:00Z")), Some(at("2026-11-24T04:00:00Z")));
    assert_eq!(bounded.plan.next_after(at("2026-11-24T04:00:00Z")), None);
    let draft =
        job("report").every("1h").starting("2026-11-24T03:00:01Z").ending("2026-11-24T03:59:59Z").draft();
    assert_eq!(refused(create(draft, "2026-11-24T00:00:00Z")).1, "never_fires");
}

#[test]
fn class_9_a_rename_keeps_what_is_due() {
    let old = job("old").build();
    // The job has been due for a while, and nobody has looked.
    let edited = old.edit(job("new").draft(), &Zone::default(), at("2026-11-24T00:01:30Z")).unwrap();
    assert_eq!((edited.job.next_fire_at, edited.job.version), (old.next_fire_at, 2));
    assert!(edited.closing.is_empty());
}

#[test]
fn class_9_a_new_schedule_counts_from_now_and_closes_the_old() {
    let old = job("report").build();
    let draft = job("report").cron("0 * * * *", "UTC").draft();
    let edited = old.edit(draft, &Zone::default(), at("2026-11-24T00:03:30Z")).unwrap();
    assert_eq!(edited.job.next_fire_at, Some(at("2026-11-24T01:00:00Z")));
    assert_eq!(words(&only(edited.closing)), "missed(edited) 24 00:01:00..24 00:03:00 x3");
}

#[test]
fn an_interval_keeps_its_grid_over_edits() {
    let old = job("report").every("10m").build();
    let draft = job("renamed").every("10m").draft();
    let edited = old.edit(draft, &Zone::default(), at("2026-11-24T00:07:00Z")).unwrap().job;
    assert_eq!(edited.next_fire_at, Some(at("2026-11-24T00:10:00Z")));
    let draft = job("renamed").every("15m").draft();
    let edited = edited.edit(draft, &Zone::default(), at("2026-11-24T00:08:00Z")).unwrap().job;
    assert_eq!(
        edited.next_fire_at,
        Some(at("2026-11-24T00:23:00Z")),
        "another interval has a grid of its own"
    );
}

#[test]
fn a_resumed_job_does_not_fire_its_pause() {
    let paused = job("report").build().paused(Some("holiday".to_owned()), at("2026-11-24T00:00:30Z"));
    assert_eq!((paused.state, paused.next_fire_at), (JobState::Paused, None));
    let resumed = paused.resumed(at("2026-11-24T00:05:00Z"));
    assert_eq!(
        (resumed.job.state, resumed.job.next_fire_at),
        (JobState::Active, Some(at("2026-11-24T00:06:00Z")))
    );
    assert_eq!(words(&only(resumed.closing)), "missed(paused) 24 00:01:00..24 00:05:00 x5");
}

#[test]
fn a_pause_between_occurrences_leaves_no_record() {
    let paused = job("report").every("1h").build().paused(None, at("2026-11-24T00:10:00Z"));
    let resumed = paused.resumed(at("2026-11-24T00:20:00Z"));
    assert!(resumed.closing.is_empty());
    assert_eq!(resumed.job.next_fire_at, Some(at("2026-11-24T01:00:00Z")));
}

#[test]
fn pausing_twice_keeps_the_beginning() {
    let first = job("report").build().paused(Some("a".to_owned()), at("2026-11-24T00:00:30Z"));
    let second = first.paused(Some("b".to_owned()), at("2026-11-24T00:09:30Z"));
    let closing = only(second.resumed(at("2026-11-24T00:10:30Z")).closing);
    assert_eq!(words(&closing), "missed(paused) 24 00:01:00..24 00:10:00 x10");
    assert_eq!(second.pause.unwrap().reason.as_deref(), Some("b"));
}

#[test]
fn a_pause_over_the_end_completes_the_job() {
    let bounded = job("report").ending("2026-11-24T00:03:00Z").build();
    let resumed = bounded.paused(None, at("2026-11-24T00:00:30Z")).resumed(at("2026-11-24T01:00:00Z"));
    assert_eq!((resumed.job.state, resumed.job.next_fire_at), (JobState::Completed, None));
    let closing = only(resumed.closing);
    assert_eq!(words(&closing), "missed(paused) 24 00:01:00..24 00:03:00 x3");
}

#[test]
fn rescheduling_while_paused_closes_and_waits() {
    let paused = job("report").build().paused(None, at("2026-11-24T00:00:30Z"));
    let draft = job("report").every("1h").draft();
    let edited = paused.edit(draft, &Zone::default(), at("2026-11-24T00:02:30Z")).unwrap();
    assert_eq!((edited.job.state, edited.job.next_fire_at), (JobState::Paused, None));
    let closing = only(edited.closing);
    assert_eq!((closing.status, closing.reason, closing.count), (RunStatus::Missed, Some(Reason::Paused), 2));
    let resumed = edited.job.resumed(at("2026-11-24T03:00:00Z"));
    assert_eq!(only(resumed.closing).count, 2, "01:02:30 and 02:02:30 of the new schedule");
}

#[test]
fn resuming_what_is_not_paused_changes_nothing() {
    let active = job("report").build();
    let resumed = active.resumed(at("2026-11-24T00:05:00Z"));
    assert_eq!((resumed.job.version, resumed.job.next_fire_at), (1, active.next_fire_at));
    assert!(resumed.closing.is_empty());
}

#[test]
fn a_completed_job_comes_back_with_a_new_schedule() {
    let mut done = job("once").once("2026-11-24T00:01:00Z").build();
    (done.state, done.next_fire_at) = (JobState::Completed, None);
    let renamed = job("renamed").once("2026-11-24T00:01:00Z").draft();
    let renamed = done.edit(renamed, &Zone::default(), at("2026-11-24T02:00:00Z")).unwrap().job;
    assert_eq!((renamed.state, renamed.next_fire_at), (JobState::Completed, None));
    let again = job("once").once("2026-11-25T00:00:00Z").draft();
    let again = renamed.edit(again, &Zone::default(), at("2026-11-24T02:00:00Z")).unwrap().job;
    assert_eq!((again.state, again.next_fire_at), (JobState::Active, Some(at("2026-11-25T00:00:00Z"))));
}

#[test]
fn a_completed_job_stays_completed_over_a_pause() {
    let mut done = job("once").once("2026-11-24T00:01:00Z").build();
    (done.state, done.next_fire_at) = (JobState::Completed, None);
    let resumed = done.paused(None, at("2026-11-24T01:00:00Z")).resumed(at("2026-11-24T02:00:00Z"));
    assert_eq!((resumed.job.state, resumed.job.next_fire_at), (JobState::Completed, None));
    assert!(resumed.closing.is_empty());
}

#[test]
fn a_date_paused_over_its_instant_is_missed() {
    let once = job("once").once("2026-11-24T01:00:00Z").build();
    let resumed = once.paused(None, at("2026-11-24T00:30:00Z")).resumed(at("2026-11-24T02:00:00Z"));
    assert_eq!(resumed.job.state, JobState::Completed);
    assert_eq!(words(&only(resumed.closing)), "missed(paused) 24 01:00:00");
}

/// Nodes estimate the database's time from below: the one that changes a job may be behind the one that fired it.
#[test]
fn a_change_by_a_clock_that_is_behind_makes_nothing_due_again() {
    let mut fired = job("report").build();
    fired.next_fire_at = Some(at("2026-11-24T00:06:00Z"));
    let behind = at("2026-11-24T00:03:10Z");
    let edited = fired.edit(job("report").every("30s").draft(), &Zone::default(), behind).unwrap();
    assert_eq!(edited.job.next_fire_at, Some(at("2026-11-24T00:05:30Z")));
    let resumed = fired.paused(None, behind).resumed(behind);
    assert_eq!(resumed.job.next_fire_at, Some(at("2026-11-24T00:06:00Z")));
    assert!(edited.closing.is_empty() && resumed.closing.is_empty());
}

/// A job that is due every minute, except for 00:02 and 00:03, and paused meanwhile.
fn paused_over_a_gap() -> Job {
    let gap =
        json!({"timezone": "UTC", "ranges": [{"from": "2026-11-24T00:02", "until": "2026-11-24T00:04"}]});
    let gap = calendar("gap", parse::from_value(gap).unwrap());
    let job = job("report").excluding(&gap).build();
    let job = Job { next_fire_at: Some(at("2026-11-24T00:04:00Z")), ..job };
    job.paused_until(None, Some(at("2026-11-24T00:03:30Z")), at("2026-11-24T00:01:30Z"))
}

#[test]
fn what_calendars_leave_out_is_recorded_though_a_pause_will_end_by_itself() {
    let draft = job("report").draft();
    let edited = paused_over_a_gap().edit(draft, &Zone::default(), at("2026-11-24T00:02:30Z")).unwrap();
    assert_eq!(words(&only(edited.closing)), "skipped(calendar) 24 00:02:00");
}

#[test]
fn what_calendars_leave_out_is_recorded_when_a_pause_ends_by_itself() {
    let until = at("2026-11-24T00:03:30Z");
    let firing = fire(&paused_over_a_gap(), until, until, 0, 0);
    assert_eq!(words(&only(firing.runs)), "skipped(calendar) 24 00:02:00..24 00:03:00 x2");
}
