//! Downtime by misfire policy: the exact ledger of each.

use domain::{Firing, Instant, Job, JobState, MisfirePolicy, Overlap, Run, fire};
use testkit::fixtures::duration;
use testkit::{at, job};

/// One record in a few words: `pending 00:05:00`, `missed(downtime) 00:01:00..00:04:00 x4`.
pub(crate) fn words(run: &Run) -> String {
    let time = |at: Instant| at.format("%d %H:%M:%S%.f").to_string();
    let reason = run.reason.map(|reason| format!("({reason:?})").to_lowercase()).unwrap_or_default();
    let until = run.scheduled_until.map(|until| format!("..{}", time(until))).unwrap_or_default();
    let count = if run.count == 1 { String::new() } else { format!(" x{}", run.count) };
    format!("{}{reason} {}{until}{count}", run.status.as_str(), time(run.scheduled_for))
}

pub(crate) fn ledger(firing: &Firing) -> Vec<String> {
    firing.runs.iter().map(words).collect()
}

fn noticed(job: &Job, now: &str) -> Vec<String> {
    ledger(&fire(job, job.next_fire_at.unwrap(), at(now), 0, 0))
}

/// Due every minute from 00:01 on, each policy, runs side by side.
fn by_policy(now: &str) -> [Vec<String>; 3] {
    [MisfirePolicy::Latest, MisfirePolicy::All, MisfirePolicy::Skip]
        .map(|policy| noticed(&job("report").misfire(policy).overlap(Overlap::AllowAll).build(), now))
}

#[test]
fn on_time_means_up_to_the_tolerance() {
    for now in ["2026-11-24T00:01:00Z", "2026-11-24T00:01:00.001Z", "2026-11-24T00:01:10Z"] {
        for ledger in by_policy(now) {
            assert_eq!(ledger, ["pending 24 00:01:00"], "{now}");
        }
    }
}

#[test]
fn a_moment_later_is_late() {
    let [latest, all, skip] = by_policy("2026-11-24T00:01:10.001Z");
    assert_eq!(latest, ["pending 24 00:01:00"]);
    assert_eq!(all, ["pending 24 00:01:00"]);
    assert_eq!(skip, ["missed(downtime) 24 00:01:00"]);
}

#[test]
fn what_is_on_time_runs_beside_what_is_late() {
    let [latest, all, skip] = by_policy("2026-11-24T00:02:05Z");
    assert_eq!(latest, ["pending 24 00:01:00", "pending 24 00:02:00"]);
    assert_eq!(all, ["pending 24 00:01:00", "pending 24 00:02:00"]);
    assert_eq!(skip, ["missed(downtime) 24 00:01:00", "pending 24 00:02:00"]);
}

#[test]
fn class_6_five_minutes_of_downtime_by_policy() {
    let [latest, all, skip] = by_policy("2026-11-24T00:05:30Z");
    assert_eq!(latest, ["missed(downtime) 24 00:01:00..24 00:04:00 x4", "pending 24 00:05:00"]);
    let five = [1, 2, 3, 4, 5].map(|minute| format!("pending 24 00:0{minute}:00"));
    assert_eq!(all, five);
    assert_eq!(skip, ["missed(downtime) 24 00:01:00..24 00:05:00 x5"]);
}

#[test]
fn class_6_two_days_of_downtime_reach_beyond_the_window() {
    let [latest, all, skip] = by_policy("2026-11-26T00:00:30Z");
    let window = "missed(window) 24 00:01:00..25 00:00:00 x1440";
    assert_eq!(latest, [window, "missed(downtime) 25 00:01:00..25 23:59:00 x1439", "pending 26 00:00:00"]);
    assert_eq!(all.len(), 102);
    assert_eq!(all[0], window);
    assert_eq!((all[1].as_str(), all[100].as_str()), ("pending 25 00:01:00", "pending 25 01:40:00"));
    assert_eq!(all[101], "missed(downtime) 25 01:41:00..26 00:00:00 x1340");
    assert_eq!(skip, [window, "missed(downtime) 25 00:01:00..26 00:00:00 x1440"]);
}

#[test]
fn the_window_holds_its_own_edge() {
    let job = job("report").every("1h").with(|draft| draft.misfire.window = duration("2h")).build();
    assert_eq!(noticed(&job, "2026-11-24T03:00:00Z")[0], "missed(downtime) 24 01:00:00");
    assert_eq!(noticed(&job, "2026-11-24T03:00:00.001Z")[0], "missed(window) 24 01:00:00");
}

#[test]
fn nothing_is_fired_early() {
    let job = job("report").build();
    let first = job.next_fire_at.unwrap();
    let firing = fire(&job, first, at("2026-11-24T00:00:59.999Z"), 0, 0);
    assert_eq!((firing.next_fire_at, firing.state, firing.runs), (Some(first), JobState::Active, vec![]));
}

#[test]
fn the_next_occurrence_keeps_to_the_grid() {
    let job = job("report").build();
    for now in ["00:01:00", "00:01:59.999", "00:37:12.345"] {
        let now = at(&format!("2026-11-24T{now}Z"));
        let next = fire(&job, job.next_fire_at.unwrap(), now, 0, 0).next_fire_at.unwrap();
        assert_eq!(next.timestamp_millis() % 60_000, 0);
        assert!(next > now && next - now <= chrono::TimeDelta::minutes(1));
    }
}

#[test]
fn a_date_noticed_late_runs_once_within_its_window() {
    let job = job("once").once("2026-11-24T06:00:00Z").build();
    let first = job.next_fire_at.unwrap();
    for (now, expected) in [
        ("2026-11-24T06:00:00Z", "pending 24 06:00:00"),
        ("2026-11-25T06:00:00Z", "pending 24 06:00:00"),
        ("2026-11-25T06:00:00.001Z", "missed(window) 24 06:00:00"),
    ] {
        let firing = fire(&job, first, at(now), 0, 0);
        assert_eq!(ledger(&firing), [expected], "{now}");
        assert_eq!((firing.next_fire_at, firing.state), (None, JobState::Completed));
    }
}

#[test]
fn an_overlapping_occurrence_is_skipped_and_recorded() {
    let job = job("report").build();
    let first = job.next_fire_at.unwrap();
    let busy = fire(&job, first, at("2026-11-24T00:01:00Z"), 1, 0);
    assert_eq!(ledger(&busy), ["skipped(overlap) 24 00:01:00"]);
    assert_eq!(busy.next_fire_at, Some(at("2026-11-24T00:02:00Z")));
    // The first of several that are due together keeps the others from running.
    let late = fire(&job, first, at("2026-11-24T00:03:05Z"), 0, 0);
    assert_eq!(
        ledger(&late),
        ["missed(downtime) 24 00:01:00", "pending 24 00:02:00", "skipped(overlap) 24 00:03:00"]
    );
    let all = testkit::job("report").overlap(Overlap::AllowAll).build();
    assert_eq!(ledger(&fire(&all, first, at("2026-11-24T00:01:00Z"), 7, 0)), ["pending 24 00:01:00"]);
}

#[test]
fn an_end_completes_the_job_and_nothing_fires_after_it() {
    let job = job("report")
        .ending("2026-11-24T00:03:00Z")
        .overlap(Overlap::AllowAll)
        .misfire(MisfirePolicy::All)
        .build();
    let first = job.next_fire_at.unwrap();
    let firing = fire(&job, first, at("2026-11-24T00:10:00Z"), 0, 0);
    assert_eq!(ledger(&firing), ["pending 24 00:01:00", "pending 24 00:02:00", "pending 24 00:03:00"]);
    assert_eq!((firing.next_fire_at, firing.state), (None, JobState::Completed));
    let earlier = fire(&job, first, at("2026-11-24T00:02:00Z"), 0, 0);
    assert_eq!((earlier.next_fire_at, earlier.state), (Some(at("2026-11-24T00:03:00Z")), JobState::Active));
}

/// The outage of a year, by policy, in few records and little time.
#[test]
fn class_7_a_year_of_every_second_is_a_few_records() {
    let year = "2027-11-24T00:00:00Z";
    let records = |policy| {
        let job = job("tick").every("1s").misfire(policy).overlap(Overlap::AllowAll).build();
        noticed(&job, year)
    };
    let window = "missed(window) 24 00:00:01..22 23:59:59 x31449599";
    let on_time: Vec<_> = (50..60)
        .map(|second| format!("pending 23 23:59:{second}"))
        .chain(["pending 24 00:00:00".to_owned()])
        .collect();
    let latest = records(MisfirePolicy::Latest);
    assert_eq!(
        latest[..3],
        [window, "missed(downtime) 23 00:00:00..23 23:59:48 x86389", "pending 23 23:59:49"]
    );
    assert_eq!(latest[3..], on_time);
    let all = records(MisfirePolicy::All);
    assert_eq!((all.len(), all[0].as_str()), (1 + 100 + 1 + 11, window));
    assert_eq!(all[101], "missed(downtime) 23 00:01:40..23 23:59:49 x86290");
    let skip = records(MisfirePolicy::Skip);
    assert_eq!(skip[..2], [window, "missed(downtime) 23 00:00:00..23 23:59:49 x86390"]);
    assert_eq!(skip[2..], on_time);
}

#[test]
fn class_7_a_year_of_cron_is_a_few_records() {
    let every_second = job("tick").cron("* * * * * *", "Europe/Paris").overlap(Overlap::AllowAll).build();
    let ledger = noticed(&every_second, "2027-11-24T00:00:00Z");
    assert_eq!(ledger[0], "missed(window) 24 00:00:01..22 23:59:59 x31449599");
    assert_eq!(ledger.len(), 14);
    let nightly = job("nightly").cron("30 2 * * *", "Europe/Paris").build();
    let ledger = noticed(&nightly, "2027-11-24T00:00:00Z");
    assert_eq!(ledger, ["missed(window) 24 01:30:00..22 01:30:00 x364", "pending 23 01:30:00"]);
}

/// A tolerance longer than the downtime makes everything on time; it comes in bounded portions.
#[test]
fn more_than_a_thousand_on_time_come_in_portions() {
    let job = job("tick")
        .every("1s")
        .overlap(Overlap::AllowAll)
        .with(|draft| draft.misfire.tolerance = duration("1h"))
        .build();
    let now = at("2026-11-24T00:41:40Z");
    let (mut next, mut seen) = (job.next_fire_at, Vec::new());
    for portion in [1_000, 1_000, 500, 0] {
        let firing = fire(&job, next.unwrap(), now, 0, 0);
        assert_eq!(firing.runs.len(), portion);
        seen.extend(firing.runs.iter().map(|run| run.scheduled_for));
        next = firing.next_fire_at;
    }
    assert_eq!(next, Some(at("2026-11-24T00:41:41Z")));
    assert!(seen.windows(2).all(|pair| pair[1] - pair[0] == chrono::TimeDelta::seconds(1)));
    assert_eq!(seen.len(), 2_500);
}
