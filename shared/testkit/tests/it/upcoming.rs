//! Looking ahead agrees with what firing does.

use chrono::TimeDelta;
use domain::upcoming::{Occurrence, Upcoming, upcoming};
use domain::{Instant, Job, fire};
use testkit::{at, job};

fn each(job: &Job, from: &str, until: &str) -> Vec<Occurrence> {
    match upcoming(job, at(from), at(until), 1_000, &[]) {
        Upcoming::Each(occurrences) => occurrences,
        Upcoming::Parts(_) => panic!("there are not so many"),
    }
}

fn nominal(occurrences: &[Occurrence]) -> Vec<Instant> {
    occurrences.iter().map(|it| it.scheduled_for).collect()
}

/// Whatever is told to come is what comes when the job is fired at each of its due instants.
#[test]
fn what_is_told_to_come_comes() {
    for job in [
        job("plain").every("7m").build(),
        job("spread").every("7m").jitter("5m").build(),
        job("daily").cron("30 2 * * *", "Europe/Paris").build(),
        job("ending").every("7m").ending("2026-11-24T03:00:00Z").build(),
        job("counted").every("7m").with(|draft| draft.max_runs = Some(5)).build(),
        job("once").once("2026-11-24T04:00:00Z").jitter("1h").build(),
    ] {
        let told = each(&job, "2026-11-24T00:00:00Z", "2026-11-26T00:00:00Z");
        let (mut came, mut next) = (Vec::new(), job.next_fire_at);
        while let Some(due) = next.filter(|due| *due < at("2026-11-26T00:00:00Z")) {
            let firing = fire(&job, due, due, 0, came.len() as u64);
            came.extend(
                firing.runs.iter().map(|run| Occurrence { scheduled_for: run.scheduled_for, due_at: due }),
            );
            next = firing.next_fire_at;
        }
        assert!(!told.is_empty());
        assert_eq!(told, came, "{}", job.draft.name);
    }
}

/// A range cut in two tells each occurrence once, also where jitter carries it over the cut.
#[test]
fn ranges_join() {
    let job = job("spread").every("10m").jitter("10m").build();
    let whole = each(&job, "2026-11-24T00:00:00Z", "2026-11-24T06:00:00Z");
    for minute in 0..60 {
        let cut = at("2026-11-24T02:00:00Z") + TimeDelta::minutes(minute);
        let cut = cut.to_rfc3339();
        let joined =
            [each(&job, "2026-11-24T00:00:00Z", &cut), each(&job, &cut, "2026-11-24T06:00:00Z")].concat();
        assert_eq!(joined, whole, "{cut}");
    }
}

#[test]
fn nothing_comes_of_a_job_that_is_paused_unless_it_is_resumed() {
    let now = at("2026-11-24T00:00:30Z");
    let job = job("minutely").build();
    assert_eq!(each(&job.paused(None, now), "2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z"), []);
    let until = job.paused_until(None, Some(at("2026-11-24T00:57:30Z")), now);
    let told = each(&until, "2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z");
    assert_eq!(nominal(&told), ["2026-11-24T00:58:00Z", "2026-11-24T00:59:00Z"].map(at));
}

/// A job ends with its last run, also where that lies beyond the beginning of what is asked for, or among very many.
#[test]
fn no_more_is_told_than_the_job_may_start() {
    let mut job = job("counted").with(|draft| draft.max_runs = Some(100)).build();
    job.runs_started = 40;
    let all = each(&job, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    assert_eq!((all.len(), all[59].scheduled_for), (60, at("2026-11-24T01:00:00Z")));
    assert_eq!(each(&job, "2026-11-24T00:51:00Z", "2026-11-25T00:00:00Z").len(), 10);
    assert_eq!(each(&job, "2026-11-24T02:00:00Z", "2026-11-25T00:00:00Z"), []);
    let parts =
        ["2026-11-24T00:00:00Z", "2026-11-24T00:30:00Z", "2026-11-24T01:00:00Z", "2026-11-24T01:30:00Z"]
            .map(at);
    let counted = upcoming(&job, parts[0], at("2026-11-24T02:00:00Z"), 10, &parts);
    assert_eq!(counted, Upcoming::Parts(vec![(parts[0], 29), (parts[1], 30), (parts[2], 1)]));
}

/// What has been due is told by runs, not again.
#[test]
fn the_past_is_not_told() {
    let mut job = job("minutely").build();
    job.next_fire_at = Some(at("2026-11-24T00:30:00Z"));
    let told = each(&job, "2026-11-24T00:00:00Z", "2026-11-24T00:32:00Z");
    assert_eq!(nominal(&told), ["2026-11-24T00:30:00Z", "2026-11-24T00:31:00Z"].map(at));
    assert_eq!(each(&job, "2026-11-24T00:00:00Z", "2026-11-24T00:30:00Z"), []);
}

#[test]
fn very_many_are_counted_by_parts() {
    let mut job = job("minutely").build();
    job.next_fire_at = Some(at("2026-11-24T00:45:00Z"));
    let parts =
        ["2026-11-24T00:00:00Z", "2026-11-24T00:30:00Z", "2026-11-24T01:00:00Z", "2026-11-24T01:30:00Z"]
            .map(at);
    let counted = upcoming(&job, parts[0], at("2026-11-24T01:31:00Z"), 10, &parts);
    assert_eq!(counted, Upcoming::Parts(vec![(parts[1], 15), (parts[2], 30), (parts[3], 1)]));
    let all: Vec<_> = each(&job, "2026-11-24T00:00:00Z", "2026-11-24T01:31:00Z");
    assert_eq!(all.len(), 46);
}

/// A job of every second, and a range of a century: an answer at once, and no more than asked for.
#[test]
fn a_long_range_costs_no_more_than_its_parts() {
    let job = job("busy").every("1s").build();
    let parts: Vec<Instant> =
        (0..60).map(|year| at("2026-11-24T00:00:00Z") + TimeDelta::days(365 * year)).collect();
    let Upcoming::Parts(counted) = upcoming(&job, parts[0], *parts.last().unwrap(), 100, &parts) else {
        panic!("there are very many")
    };
    assert_eq!(counted.len(), 59);
    assert_eq!(counted[1], (parts[1], 365 * 86_400));
}
