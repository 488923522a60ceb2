//! What calendars and jitter leave in the ledger: examples, and what must hold at its edges.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::calendar::{CalendarCopy, CalendarDraft, CalendarMode, Roll};
use domain::time::Zone;
use domain::{HumanDuration, Job, JobState, Misfire, MisfirePolicy, Run, RunStatus, fire, parse};
use serde_json::json;
use testkit::fixtures::{calendar, days};
use testkit::{at, job};

use crate::misfires::{ledger, words};

/// A calendar called `name`, from its JSON.
fn written(name: &str, json: serde_json::Value) -> domain::Calendar {
    calendar(name, parse::from_value::<CalendarDraft>(json).unwrap())
}

fn weekend() -> domain::Calendar {
    written("weekend", json!({"weekly": [{"days": ["sat", "sun"]}]}))
}

/// The calendar as its author has changed it.
fn changed(of: &domain::Calendar, draft: CalendarDraft) -> Vec<CalendarCopy> {
    vec![CalendarCopy::from(&of.edit(draft, at("2026-11-24T00:00:00Z")).unwrap())]
}

/// Looks at each instant that anything is due at, up to `until`.
fn watched(job: &mut Job, until: &str) -> Vec<Run> {
    let mut all = Vec::new();
    while let Some(due) = job.next_fire_at.filter(|due| *due <= at(until)) {
        let firing = fire(job, due, due, 0, 0);
        (job.next_fire_at, job.state) = (firing.next_fire_at, firing.state);
        all.extend(firing.runs);
    }
    all
}

fn in_words(runs: &[Run]) -> Vec<String> {
    runs.iter().map(words).collect()
}

#[test]
fn christmas_is_left_out_and_said_to_be() {
    let holidays = calendar("holidays", days(["12-25", "12-26"]));
    let mut job = job("report")
        .created("2026-12-23T12:00:00Z")
        .cron("0 9 * * *", "Europe/Berlin")
        .excluding(&holidays)
        .excluding(&weekend())
        .build();
    // 24 December is a Thursday. Friday and Saturday are holidays, and the weekend ends with Sunday.
    assert_eq!(
        in_words(&watched(&mut job, "2026-12-29T12:00:00Z")),
        [
            "pending 24 08:00:00",
            "skipped(calendar) 25 08:00:00..27 08:00:00 x3",
            "pending 28 08:00:00",
            "pending 29 08:00:00",
        ]
    );
}

#[test]
fn the_end_of_a_month_moves_to_its_last_working_day() {
    let mut job = job("invoices")
        .created("2027-01-01T00:00:00Z")
        .cron("0 9 L * *", "UTC")
        .calendar(&weekend(), CalendarMode::Exclude, Roll::Previous)
        .build();
    // 31 January 2027 and 28 February are Sundays; 31 March is a Wednesday. What has moved is not left out.
    assert_eq!(
        in_words(&watched(&mut job, "2027-03-31T12:00:00Z")),
        ["pending 29 09:00:00", "pending 26 09:00:00", "pending 31 09:00:00"]
    );
}

#[test]
fn office_hours_are_those_of_the_office_wherever_the_job_lives() {
    let office = written(
        "office",
        json!({
            "timezone": "America/New_York",
            "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:00"}],
        }),
    );
    let mut job = job("sync")
        .created("2026-11-26T12:00:00Z")
        .cron("0 * * * *", "Europe/Paris")
        .calendar(&office, CalendarMode::Only, Roll::None)
        .build();
    // Nine in New York is 14:00 UTC in winter, and five is no office hour any more.
    let runs = in_words(&watched(&mut job, "2026-11-30T14:00:00Z"));
    assert_eq!(runs[..3], ["skipped(calendar) 26 13:00:00", "pending 26 14:00:00", "pending 26 15:00:00"]);
    assert_eq!(runs[8..10], ["pending 26 21:00:00", "skipped(calendar) 26 22:00:00..27 13:00:00 x16"]);
    assert_eq!(runs[18..], ["skipped(calendar) 27 22:00:00..30 13:00:00 x64", "pending 30 14:00:00"]);
}

#[test]
fn jitter_spreads_jobs_and_never_moves_one_twice() {
    let due = ["a", "b", "c"].map(|name| {
        let job = job(name).jitter("30s").build();
        let (nominal, due) = (at("2026-11-24T00:01:00Z"), job.next_fire_at.unwrap());
        assert!(nominal <= due && due < nominal + TimeDelta::seconds(30), "{name} is due at {due}");
        let run = fire(&job, due, due, 0, 0).runs.remove(0);
        assert_eq!((run.scheduled_for, run.due_for()), (nominal, due), "the nominal time stays");
        assert_eq!(run, fire(&job, due, due, 0, 0).runs[0]);
        due
    });
    assert_eq!(BTreeSet::from(due).len(), 3, "{due:?}");
}

#[test]
fn lateness_is_measured_from_when_it_was_due() {
    let (skip, tolerance) = (MisfirePolicy::Skip, HumanDuration::from_secs(10));
    let misfire = Misfire { policy: skip, tolerance, window: tolerance, max: 1 };
    let job = job("report").every("1h").jitter("10m").with(|draft| draft.misfire = misfire).build();
    let due = job.next_fire_at.unwrap();
    assert!(due > at("2026-11-24T01:00:10Z"), "drawn far enough to tell: {due}");
    let looked = |late: i64| ledger(&fire(&job, due, due + TimeDelta::milliseconds(late), 0, 0));
    assert!(looked(-1).is_empty(), "never early");
    assert_eq!(looked(0), ["pending 24 01:00:00"]);
    assert_eq!(looked(10_000), ["pending 24 01:00:00"]);
    assert_eq!(looked(10_001), ["missed(window) 24 01:00:00"]);
}

/// A job that has had its last occurrence may get another one: its calendar is continued.
#[test]
fn a_day_that_was_left_out_of_the_rest_runs_once_it_is_admitted() {
    let season = calendar("season", days(["2026-11-24"]));
    let mut job = job("report").cron("0 9 * * *", "UTC").only(&season).build();
    let first = watched(&mut job, "2026-11-24T09:00:00Z");
    assert_eq!(job.state, JobState::Completed);
    let continued = changed(&season, days(["2026-11-24", "2026-11-25"]));
    let mut job = job.with_calendars(&continued, at("2026-11-24T12:00:00Z")).unwrap().unwrap().job;
    assert_eq!(job.next_fire_at, Some(at("2026-11-25T09:00:00Z")));
    let second = watched(&mut job, "2026-11-25T09:00:00Z");
    let run = second.iter().find(|run| run.status == RunStatus::Pending).unwrap();
    assert_eq!(run.scheduled_for, at("2026-11-25T09:00:00Z"));
    // A store keeps the first record of an id, so a run that shares one with it would never start.
    assert!(first.iter().all(|earlier| earlier.id != run.id), "{:?}", in_words(&first));
}

#[test]
fn what_a_completed_job_left_out_is_recorded_once_its_calendar_changes() {
    let season = calendar("season", days(["2026-11-24"]));
    let mut job = job("report").cron("0 9 * * *", "UTC").only(&season).build();
    assert_eq!(in_words(&watched(&mut job, "2026-11-24T09:00:00Z")), ["pending 24 09:00:00"]);
    let continued = changed(&season, days(["2026-11-28"]));
    let continued = job.with_calendars(&continued, at("2026-11-26T12:00:00Z")).unwrap().unwrap();
    assert_eq!(in_words(&continued.closing), ["skipped(calendar) 25 09:00:00..26 09:00:00 x2"]);
    let mut job = continued.job;
    assert_eq!(
        in_words(&watched(&mut job, "2026-11-28T09:00:00Z")),
        ["skipped(calendar) 27 09:00:00", "pending 28 09:00:00"]
    );
}

#[test]
fn a_jitter_edit_between_nominal_and_due_time_neither_loses_nor_doubles() {
    let nominal = at("2026-11-24T01:00:00Z");
    for most in ["0s", "1s", "5m", "30m", "1h"] {
        let before = job("report").every("1h").jitter("40m").build();
        let due = before.next_fire_at.unwrap();
        let now = nominal + (due - nominal) / 2;
        assert!(nominal < now && now < due);
        let draft = job("report").every("1h").jitter(most).draft();
        let edited = before.edit(draft, &Zone::default(), now).unwrap();
        assert!(edited.closing.is_empty(), "{most}");
        let mut after = edited.job;
        assert_eq!(after.plan.due_for(after.next_fire_at.unwrap()), nominal, "{most}");
        let firing = fire(&after, after.next_fire_at.unwrap(), now.max(after.next_fire_at.unwrap()), 0, 0);
        assert_eq!(ledger(&firing), ["pending 24 01:00:00"], "{most}");
        after.next_fire_at = firing.next_fire_at;
        let next = watched(&mut after, "2026-11-24T03:00:00Z");
        assert_eq!(next.first().map(|run| run.scheduled_for), Some(at("2026-11-24T02:00:00Z")), "{most}");
    }
}
