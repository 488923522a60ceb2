//! Examples of jobs with calendars and jitter, told by the instants at which they are due.

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use domain::plan::Timing;
use domain::{HumanDuration, Instant, JobId, Plan, Schedule, parse};
use serde_json::{Value, json};

use crate::never::{cron, plan};

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).expect("an instant").with_timezone(&Utc)
}

/// The next occurrences, without what they all have in common: `Thu 2026-12-24 08:00`.
fn next(plan: &Plan, after: &str, count: usize) -> Vec<String> {
    plan.after(at(after)).take(count).map(|at| at.format("%a %Y-%m-%d %H:%M").to_string()).collect()
}

fn left_out(plan: &Plan, after: &str, until: &str) -> Vec<String> {
    let left_out = plan.each_left_out(at(after), at(until));
    left_out.map(|(at, calendar)| format!("{} {calendar}", at.format("%a %Y-%m-%d"))).collect()
}

fn weekend() -> Value {
    json!({"weekly": [{"days": ["sat", "sun"]}]})
}

#[test]
fn a_report_at_nine_keeps_christmas() {
    let holidays = json!({"dates": ["12-25", "12-26", "01-01"]});
    let report = plan(
        cron("0 9 * * *", "Europe/Berlin"),
        &[(json!({"name": "weekend"}), weekend()), (json!({"name": "holidays"}), holidays)],
    );
    // Nine in Berlin is eight in UTC. In 2026 Christmas Day is a Friday, and so is New Year's Day of 2027.
    assert_eq!(
        next(&report, "2026-12-23T12:00:00Z", 6),
        [
            "Thu 2026-12-24 08:00",
            "Mon 2026-12-28 08:00",
            "Tue 2026-12-29 08:00",
            "Wed 2026-12-30 08:00",
            "Thu 2026-12-31 08:00",
            "Mon 2027-01-04 08:00",
        ]
    );
    // The 26th is left out by both calendars; the first in the job's list is named.
    assert_eq!(
        left_out(&report, "2026-12-23T12:00:00Z", "2026-12-31T00:00:00Z"),
        ["Fri 2026-12-25 holidays", "Sat 2026-12-26 weekend", "Sun 2026-12-27 weekend"]
    );
}

#[test]
fn what_falls_on_a_weekend_at_the_end_of_a_month_is_done_on_friday() {
    let invoices =
        plan(cron("0 9 L * *", "UTC"), &[(json!({"name": "weekend", "roll": "previous"}), weekend())]);
    assert_eq!(
        next(&invoices, "2027-01-01T00:00:00Z", 4),
        ["Fri 2027-01-29 09:00", "Fri 2027-02-26 09:00", "Wed 2027-03-31 09:00", "Fri 2027-04-30 09:00"]
    );
    assert_eq!(invoices.moved_from(at("2027-01-29T09:00:00Z")), Some(at("2027-01-31T09:00:00Z")));
    assert_eq!(invoices.moved_from(at("2027-03-31T09:00:00Z")), None);
    assert!(left_out(&invoices, "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z").is_empty());
}

/// Monday's own occurrence stays where it is; those of the weekend only join it.
#[test]
fn an_occurrence_that_others_join_has_not_moved() {
    let daily = plan(cron("0 9 * * *", "UTC"), &[(json!({"name": "weekend", "roll": "next"}), weekend())]);
    assert_eq!(
        next(&daily, "2026-11-27T00:00:00Z", 3),
        ["Fri 2026-11-27 09:00", "Mon 2026-11-30 09:00", "Tue 2026-12-01 09:00"]
    );
    assert_eq!(daily.moved_from(at("2026-11-30T09:00:00Z")), None);
}

#[test]
fn an_hourly_job_in_paris_follows_the_office_hours_of_new_york() {
    let office = json!({
        "timezone": "America/New_York",
        "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:00"}],
    });
    let sync =
        plan(cron("0 * * * *", "Europe/Paris"), &[(json!({"name": "office", "mode": "only"}), office)]);
    // In winter the office is open from 14:00 to 22:00 UTC: eight times a day, the last at 21:00.
    let winter = next(&sync, "2026-11-27T00:00:00Z", 9);
    assert_eq!((&*winter[0], &*winter[7]), ("Fri 2026-11-27 14:00", "Fri 2026-11-27 21:00"));
    assert_eq!(winter[8], "Mon 2026-11-30 14:00");
    // New York changes its clocks two weeks before Paris does, and the job goes with the office.
    assert_eq!(next(&sync, "2027-03-13T00:00:00Z", 1), ["Mon 2027-03-15 13:00"]);
}

/// The plan of a job due every minute, with half a minute of jitter.
fn jittered(job: u128) -> Plan {
    let schedule: Schedule =
        parse::from_value(json!({"type": "interval", "every": "1m", "anchor": "2026-11-24T00:00:00Z"}))
            .expect("a schedule");
    let timing = Timing {
        schedule: &schedule,
        start_at: None,
        end_at: None,
        calendars: &[],
        jitter: HumanDuration::from_secs(30),
    };
    Plan::compile(JobId::new(at("2026-11-24T00:00:00Z"), job), &timing, &[]).expect("a sound plan")
}

#[test]
fn three_jobs_of_one_minute_are_spread_and_stay_where_they_are() {
    let minute = at("2026-11-24T09:30:00Z");
    let due = [1, 2, 3].map(|job| (jittered(job).due_at(minute) - minute).num_milliseconds());
    // Written down, so that no release ever moves them: an update must not make a job due twice.
    assert_eq!(due, [29_479, 6_658, 9_739]);
}

#[test]
fn jitter_is_drawn_evenly() {
    let hour = jittered(1).after(at("2026-11-24T00:00:00Z")).take(600).collect::<Vec<_>>();
    let plan = jittered(1);
    let mut thirds = [0; 3];
    for nominal in hour {
        let waits = (plan.due_at(nominal) - nominal).num_milliseconds();
        thirds[usize::try_from(waits / 10_000).expect("less than half a minute")] += 1;
    }
    assert!(thirds.iter().all(|third| (150..250).contains(third)), "{thirds:?}");
}

/// Not even the end of a job makes an occurrence disappear: one that would move beyond it is left out.
#[test]
fn what_would_move_out_of_the_bounds_is_left_out() {
    let bounded = |roll: &str, start: Option<&str>, end: Option<&str>| {
        let schedule: Schedule = parse::from_value(cron("0 9 * * *", "UTC")).expect("a schedule");
        let uses = [parse::from_value(json!({"name": "weekend", "roll": roll})).expect("a use")];
        let draft = parse::from_value(weekend()).expect("a calendar");
        let copies = [domain::calendar::CalendarCopy { name: "weekend".to_owned(), version: 1, draft }];
        let timing = Timing {
            schedule: &schedule,
            start_at: start.map(at),
            end_at: end.map(at),
            calendars: &uses,
            jitter: HumanDuration::ZERO,
        };
        Plan::compile(JobId::NIL, &timing, &copies).expect("a sound plan")
    };
    let ends = bounded("next", None, Some("2026-11-29T12:00:00Z"));
    assert_eq!(next(&ends, "2026-11-27T00:00:00Z", 9), ["Fri 2026-11-27 09:00"]);
    assert_eq!(
        left_out(&ends, "2026-11-27T00:00:00Z", "2026-12-02T00:00:00Z"),
        ["Sat 2026-11-28 weekend", "Sun 2026-11-29 weekend"]
    );
    let starts = bounded("previous", Some("2026-11-28T12:00:00Z"), None);
    assert_eq!(next(&starts, "2026-11-27T00:00:00Z", 1), ["Mon 2026-11-30 09:00"]);
    assert_eq!(left_out(&starts, "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z"), ["Sun 2026-11-29 weekend"]);
}

/// Between two summers' closings there is one open weekend day at most, and no occurrence for thousands in a row.
#[test]
fn a_job_is_not_given_up_over_a_long_closing() {
    let office =
        json!({"weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:00"}]});
    let closed = json!({"ranges": [
        {"from": "2027-06-01", "until": "2027-07-16"},
        {"from": "2027-07-19", "until": "2027-08-27"},
    ]});
    for roll in ["none", "next", "previous"] {
        let hourly = plan(
            cron("0 * * * *", "Europe/Paris"),
            &[
                (json!({"name": "office", "mode": "only"}), office.clone()),
                (json!({"name": "closed", "roll": roll}), closed.clone()),
            ],
        );
        assert_eq!(next(&hourly, "2027-05-31T20:00:00Z", 1), ["Mon 2027-08-30 07:00"], "{roll}");
        let last = hourly.last_until(at("2027-08-30T00:00:00Z")).expect("some");
        assert_eq!(last.date_naive().to_string(), "2027-05-31", "{roll}");
    }
}

/// 2100 is no leap year, and nothing is due beyond it.
#[test]
fn the_last_year_there_is_ends_like_any_other() {
    let yearly = plan(
        json!({"type": "calendar_interval", "every": {"months": 1}, "time": "12:00", "start_date": "2099-01-31"}),
        &[(json!({"name": "leap"}), json!({"dates": ["02-29", "03-31"]}))],
    );
    let year: Vec<_> = yearly.after(at("2100-01-01T00:00:00Z")).collect();
    assert_eq!(year.len(), 11);
    assert!(year.iter().all(|at| at.year() == 2100 && at.month() != 3));
    assert!(year.contains(&at("2100-02-28T12:00:00Z")), "29 February excludes nothing but itself");
    assert_eq!(yearly.last_until(at("2100-12-31T23:59:59Z") + TimeDelta::days(40_000)), year.last().copied());
}

/// Santiago's clocks go forward at midnight, so that Sunday, 6 September 2026, begins at one.
#[test]
fn a_midnight_that_the_clock_skips_is_the_instant_of_the_jump() {
    let open = json!({"weekly": [{"days": ["sun"]}]});
    let daily = plan(
        cron("0 0 * * *", "America/Santiago"),
        &[(json!({"name": "sundays", "mode": "only", "roll": "next"}), open)],
    );
    assert_eq!(next(&daily, "2026-08-31T00:00:00Z", 2), ["Sun 2026-09-06 04:00", "Sun 2026-09-13 03:00"]);
    let once = json!({"type": "date", "at": "2026-09-06T00:00:00", "timezone": "America/Santiago"});
    assert_eq!(next(&plan(once, &[]), "2026-01-01T00:00:00Z", 2), ["Sun 2026-09-06 04:00"]);
}

/// An interval goes on for ever, but nothing comes back from 2101.
#[test]
fn what_lies_beyond_the_last_year_does_not_roll_back_into_it() {
    let monthly = json!({"type": "interval", "every": "30d", "anchor": "2100-12-05T09:00:00Z"});
    let day = json!({"dates": ["2100-12-20"]});
    let plan = plan(monthly, &[(json!({"name": "day", "mode": "only", "roll": "previous"}), day)]);
    assert_eq!(plan.next_after(at("2100-12-01T00:00:00Z")), None);
    assert_eq!(plan.last_until(at("2100-12-31T23:59:59Z")), None);
}
