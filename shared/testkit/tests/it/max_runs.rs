//! `max_runs`: the schedule ends with the last run it admits, and nothing else about the job changes.

use domain::time::Zone;
use domain::{Instant, Job, JobDraft, JobState, MisfirePolicy, Overlap, RunStatus, fire};
use proptest::prelude::*;
use testkit::{at, job};

use crate::misfires::{ledger, words};

fn limited(most: u32) -> Job {
    job("report").overlap(Overlap::AllowAll).with(|draft| draft.max_runs = Some(most)).build()
}

fn edited(job: &Job, change: impl FnOnce(&mut JobDraft), now: &str) -> domain::job::Changed {
    let mut draft = job.draft.clone();
    change(&mut draft);
    job.edit(draft, &Zone::default(), at(now)).unwrap()
}

/// Fires `job` once at `now`, as the engine does.
fn fired(job: Job, now: &str) -> Job {
    let firing = fire(&job, job.next_fire_at.unwrap(), at(now), 0, job.runs_started);
    let started = job.runs_started + firing.started();
    Job { runs_started: started, ..job.as_fired(firing.state, firing.next_fire_at) }
}

#[test]
fn the_last_run_completes_the_job_and_later_occurrences_are_none() {
    let first = at("2026-11-24T00:01:00Z");
    let all = limited(2).draft.misfire.clone();
    let job = job("report")
        .overlap(Overlap::AllowAll)
        .with(|draft| {
            draft.max_runs = Some(2);
            draft.misfire = domain::Misfire { policy: MisfirePolicy::All, ..all };
        })
        .build();
    let firing = fire(&job, first, at("2026-11-24T00:05:30Z"), 0, 0);
    assert_eq!(ledger(&firing), ["pending 24 00:01:00", "pending 24 00:02:00"]);
    assert_eq!((firing.state, firing.next_fire_at, firing.started()), (JobState::Completed, None, 2));
    let none = fire(&job, first, at("2026-11-24T00:05:30Z"), 0, 2);
    assert_eq!((ledger(&none).len(), none.state, none.next_fire_at), (0, JobState::Completed, None));
}

#[test]
fn what_does_not_run_does_not_count() {
    let job = limited(1);
    let late = fire(&job, at("2026-11-24T00:01:00Z"), at("2026-11-24T00:03:30Z"), 0, 0);
    assert_eq!(ledger(&late), ["missed(downtime) 24 00:01:00..24 00:02:00 x2", "pending 24 00:03:00"]);
    let skipping = Job { draft: JobDraft { overlap: Overlap::Skip, ..job.draft.clone() }, ..job };
    let busy = fire(&skipping, at("2026-11-24T00:01:00Z"), at("2026-11-24T00:01:00Z"), 1, 0);
    assert_eq!(ledger(&busy), ["skipped(overlap) 24 00:01:00"]);
    assert_eq!((busy.state, busy.started()), (JobState::Active, 0));
}

#[test]
fn raising_it_lets_a_completed_job_go_on_from_now() {
    let done = fired(limited(1), "2026-11-24T00:01:00Z");
    assert_eq!((done.state, done.runs_started), (JobState::Completed, 1));
    let on = edited(&done, |draft| draft.max_runs = Some(2), "2026-11-24T05:00:30Z");
    assert_eq!((on.job.state, on.job.next_fire_at), (JobState::Active, Some(at("2026-11-24T05:01:00Z"))));
    assert!(on.closing.is_empty(), "a schedule that had ended has missed nothing: {:?}", on.closing);
    let free = edited(&done, |draft| draft.max_runs = None, "2026-11-24T05:00:30Z");
    assert_eq!(free.job.state, JobState::Active);
}

#[test]
fn lowering_it_ends_the_schedule_and_closes_what_was_due() {
    let running = fired(limited(5), "2026-11-24T00:01:00Z");
    let ended = edited(&running, |draft| draft.max_runs = Some(1), "2026-11-24T00:03:30Z");
    assert_eq!((ended.job.state, ended.job.next_fire_at), (JobState::Completed, None));
    let closing: Vec<_> = ended.closing.iter().map(words).collect();
    assert_eq!(closing, ["missed(edited) 24 00:02:00..24 00:03:00 x2"]);
}

#[test]
fn other_edits_calendars_and_pauses_keep_the_count() {
    let done = fired(limited(1), "2026-11-24T00:01:00Z");
    let renamed = edited(&done, |draft| "other".clone_into(&mut draft.name), "2026-11-24T00:02:00Z").job;
    assert_eq!((renamed.state, renamed.runs_started), (JobState::Completed, 1));
    let hourly =
        edited(&done, |draft| draft.schedule = job("x").every("1h").draft().schedule, "2026-11-24T00:02:00Z");
    assert_eq!((hourly.job.state, hourly.job.next_fire_at), (JobState::Completed, None));
    assert!(hourly.closing.is_empty());
    let resumed = done.paused(None, at("2026-11-24T00:02:00Z")).resumed(at("2026-11-24T00:09:00Z"));
    assert_eq!((resumed.job.state, resumed.job.next_fire_at), (JobState::Completed, None));
    assert!(resumed.closing.is_empty());
}

/// A definition may be cached from before the last run: the count it is fired with is what counts.
#[test]
fn a_pause_that_ends_after_the_last_run_completes_the_job() {
    let until = at("2026-11-24T00:10:00Z");
    let paused = limited(1).paused_until(None, Some(until), at("2026-11-24T00:01:30Z"));
    let firing = fire(&paused, until, until, 0, 1);
    assert_eq!((firing.state, firing.next_fire_at, firing.runs), (JobState::Completed, None, Vec::new()));
    let firing = fire(&paused, until, until, 0, 0);
    assert_eq!(firing.state, JobState::Active);
    assert_eq!(firing.runs[0].status, RunStatus::Missed);
}

#[test]
fn a_job_mended_under_its_old_count_does_not_start_again() {
    let mended = limited(3).having_started(3);
    assert_eq!((mended.state, mended.next_fire_at), (JobState::Completed, None));
    assert_eq!(limited(3).having_started(2).state, JobState::Active);
}

/// Fires whenever `looks` say, until the job is completed.
fn story(job: &Job, looks: &[i64], active: u64) -> (Vec<String>, u64, Option<Instant>) {
    let (mut next, mut started, mut records) = (job.next_fire_at, job.runs_started, Vec::new());
    let mut now = job.created_at;
    for seconds in looks {
        now += chrono::TimeDelta::seconds(*seconds);
        while let Some(first) = next.filter(|first| *first <= now) {
            let firing = fire(job, first, now, active, started);
            started += firing.started();
            records.extend(firing.runs.iter().map(words));
            next = firing.next_fire_at;
        }
    }
    (records, started, next)
}

proptest! {
    /// With a limit a job does what it would do without one, and stops with its last run.
    #[test]
    fn a_limited_job_is_an_unlimited_one_that_stops(
        looks in proptest::collection::vec(0..400_i64, 1..12),
        policy in 0..3_usize,
        every in 1..90_u64,
        most in 1..12_u32,
        active in 0..2_u64,
    ) {
        let policy = [MisfirePolicy::Latest, MisfirePolicy::All, MisfirePolicy::Skip][policy];
        let shape = |max_runs| {
            job("report").every(&format!("{every}s")).misfire(policy).with(|draft| {
                draft.max_runs = max_runs;
                draft.overlap = if active == 0 { Overlap::AllowAll } else { Overlap::Skip };
            }).build()
        };
        let (free, started, _) = story(&shape(None), &looks, active);
        let (kept, counted, next) = story(&shape(Some(most)), &looks, active);
        prop_assert_eq!(counted, started.min(most.into()));
        prop_assert_eq!(next.is_none(), counted == u64::from(most));
        prop_assert_eq!(&free[..kept.len()], &kept[..]);
        let ran = kept.iter().filter(|words| words.starts_with("pending")).count() as u64;
        prop_assert_eq!(ran, counted);
        if next.is_none() {
            prop_assert!(kept.last().unwrap().starts_with("pending"), "nothing follows the last run");
        } else {
            prop_assert_eq!(free.len(), kept.len());
        }
    }
}
