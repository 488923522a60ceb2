//! The complete ledger: every occurrence is accounted for exactly once, whatever happens when.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::time::Zone;
use domain::{HumanDuration, Instant, Job, JobState, Misfire, MisfirePolicy, Overlap, Run, RunStatus, fire};
use proptest::prelude::*;
use testkit::fixtures::START;
use testkit::{at, job};

const CRONS: [(&str, &str); 7] = [
    ("* * * * *", "UTC"),
    ("*/7 * * * * *", "Asia/Kathmandu"),
    ("0 2 * * 1-5", "Europe/Paris"),
    ("30 2 * * *", "America/New_York"),
    ("15,45 */3 * * *", "Australia/Lord_Howe"),
    ("0 0 L * *", "America/Santiago"),
    ("@hourly", "Africa/Casablanca"),
];

fn schedules() -> impl Strategy<Value = Job> {
    let interval = (1..20_000_u64, any::<bool>()).prop_map(|(millis, fast)| {
        let every = HumanDuration::from_millis(if fast { 1_000 + millis } else { 1_000 * millis });
        job("job").every(&every.to_string())
    });
    // In spring and in autumn, so that clocks change now and then.
    let cron = (0..CRONS.len(), 0..300_i64).prop_map(|(index, days)| {
        let (expression, zone) = CRONS[index];
        job("job").created_at(at(START) + TimeDelta::days(days)).cron(expression, zone)
    });
    let misfire =
        (0..3_usize, 0..90_000_u64, 0..10_u64, 1..20_u32).prop_map(|(policy, tolerance, extra, max)| {
            let policy = [MisfirePolicy::Latest, MisfirePolicy::All, MisfirePolicy::Skip][policy];
            let window = HumanDuration::from_millis(tolerance + extra * 3_600_000);
            Misfire { policy, tolerance: HumanDuration::from_millis(tolerance), window, max }
        });
    let overlap = prop_oneof![Just(Overlap::Skip), Just(Overlap::AllowAll)];
    (prop_oneof![interval, cron], misfire, overlap, proptest::option::of(1..2_000_000_i64)).prop_map(
        |(builder, misfire, overlap, ends)| {
            let created = builder.clone().build().next_fire_at.unwrap();
            let end_at = ends.map(|seconds| created + TimeDelta::seconds(seconds));
            builder.overlap(overlap).with(|draft| (draft.misfire, draft.end_at) = (misfire, end_at)).build()
        },
    )
}

/// Fires until nothing is due at `now`; returns the records and the next occurrence.
fn fire_all(job: &Job, mut next: Option<Instant>, now: Instant, active: u64) -> (Vec<Run>, Option<Instant>) {
    let mut runs = Vec::new();
    while let Some(first) = next.filter(|first| *first <= now) {
        let firing = fire(job, first, now, active, 0);
        assert!(firing.runs.len() <= 1_100, "records are bounded");
        assert!(firing.next_fire_at.is_none_or(|next| next > first), "it moves on");
        assert_eq!(firing.state == JobState::Completed, firing.next_fire_at.is_none());
        runs.extend(firing.runs);
        next = firing.next_fire_at;
    }
    (runs, next)
}

/// That `runs` account for every occurrence in `[first, until]` once, in order.
fn accounts_for(job: &Job, runs: &[Run], first: Instant, until: Instant) -> Result<(), TestCaseError> {
    let until = job.draft.end_at.map_or(until, |end| end.min(until));
    let counted: u64 = runs.iter().map(|run| run.count).sum();
    prop_assert_eq!(counted, job.plan.count(first, until));
    let mut expected = Some(first).filter(|first| *first <= until);
    for run in runs {
        let last = run.scheduled_until.unwrap_or(run.scheduled_for);
        prop_assert_eq!(Some(run.scheduled_for), expected, "no gap and no overlap");
        prop_assert_eq!(run.count, job.plan.count(run.scheduled_for, last));
        prop_assert_eq!(job.plan.last_until(last), Some(last), "records end at occurrences");
        prop_assert_eq!(run.status.is_finished(), run.due_at.is_none());
        expected = job.plan.next_after(last).filter(|next| *next <= until);
    }
    prop_assert_eq!(expected, None, "nothing is left out");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// One look after any downtime.
    #[test]
    fn downtime_is_accounted_for(job in schedules(), late in 0..3_000_000_i64, active in 0..2_u64) {
        let first = job.next_fire_at.unwrap();
        let now = first + TimeDelta::milliseconds(late * 37);
        let (runs, next) = fire_all(&job, Some(first), now, active);
        prop_assert_eq!(next, job.plan.next_after(now));
        accounts_for(&job, &runs, first, now)?;
    }

    /// Many looks at any times: the same occurrences, each once, under ids of their own.
    #[test]
    fn class_5_ticks_delayed_by_minutes_drop_nothing(job in schedules(), looks in proptest::collection::vec(0..200_000_i64, 1..30)) {
        let first = job.next_fire_at.unwrap();
        let (mut now, mut next, mut all) = (first - TimeDelta::seconds(90), Some(first), Vec::new());
        for look in looks {
            now += TimeDelta::milliseconds(look);
            let (runs, then) = fire_all(&job, next, now, 0);
            prop_assert!(runs.iter().all(|run| run.scheduled_for <= now), "never early");
            all.extend(runs);
            next = then;
        }
        accounts_for(&job, &all, first, now)?;
        let ids: BTreeSet<_> = all.iter().map(|run| run.id).collect();
        prop_assert_eq!(ids.len(), all.len());
    }

    /// Two schedulers that fire the same state make the same runs: the second changes nothing.
    #[test]
    fn firing_twice_is_firing_once(job in schedules(), late in 0..1_000_000_i64, skew in -5_000..5_000_i64) {
        let first = job.next_fire_at.unwrap();
        let now = first + TimeDelta::milliseconds(late * 37);
        let one = fire(&job, first, now, 0, 0);
        prop_assert_eq!(&one, &fire(&job, first, now, 0, 0));
        // By another clock the decision may differ, but an occurrence that runs keeps its id.
        let other = fire(&job, first, (now + TimeDelta::milliseconds(skew)).max(first), 0, 0);
        for run in &one.runs {
            let twin = other.runs.iter().find(|other| other.scheduled_for == run.scheduled_for);
            prop_assert!(twin.is_none_or(|twin| twin.id == run.id));
        }
    }

    /// Firing, pausing, resuming, renaming and rescheduling in any order: every occurrence of every schedule that
    /// was in force has one record, and none runs that a change had put in the past.
    #[test]
    fn class_9_changes_at_any_moment_are_accounted_for(steps in proptest::collection::vec((0..5_u8, 0..400_000_i64), 1..40)) {
        let mut job = job("job").every("7s").overlap(Overlap::AllowAll).build();
        let mut now = job.created_at;
        let mut all: Vec<Run> = Vec::new();
        // Occurrences of the schedules that were in force before, and since when this one is.
        let (mut expected, mut since, mut changed) = (0, now, now);
        for (step, wait) in steps.into_iter().chain([(2, 0), (0, 0)]) {
            now += TimeDelta::milliseconds(wait);
            match step {
                0 => {
                    let (runs, next) = fire_all(&job, job.next_fire_at, now, 0);
                    let executed = runs.iter().filter(|run| run.status == RunStatus::Pending);
                    for run in executed {
                        prop_assert!(run.scheduled_for > changed, "{} fires the past", run.scheduled_for);
                    }
                    all.extend(runs);
                    job.next_fire_at = next;
                }
                1 => job = job.paused(None, now),
                2 => {
                    let resumed = job.resumed(now);
                    if job.pause.is_some() {
                        changed = now;
                    }
                    all.extend(resumed.closing);
                    job = resumed.job;
                }
                3 => {
                    let name = format!("{}'", job.draft.name.chars().take(30).collect::<String>());
                    let draft = domain::JobDraft { name, ..job.draft.clone() };
                    let edited = job.edit(draft, &Zone::default(), now).unwrap();
                    prop_assert!(edited.closing.is_empty());
                    prop_assert_eq!(edited.job.next_fire_at, job.next_fire_at, "a new name keeps what is due");
                    job = edited.job;
                }
                _ => {
                    let every = format!("{}s", 3 + now.timestamp_millis() % 11);
                    let draft = testkit::job("job").every(&every).overlap(Overlap::AllowAll).draft();
                    let edited = job.edit(draft, &Zone::default(), now).unwrap();
                    if edited.job.draft.schedule != job.draft.schedule {
                        expected += job.plan.count(since + TimeDelta::milliseconds(1), now);
                        (since, changed) = (now, now);
                    }
                    all.extend(edited.closing);
                    job = edited.job;
                }
            }
            prop_assert_eq!(job.next_fire_at.is_some(), job.state == JobState::Active);
        }
        expected += job.plan.count(since + TimeDelta::milliseconds(1), now);
        prop_assert_eq!(all.iter().map(|run| run.count).sum::<u64>(), expected);
        let ids: BTreeSet<_> = all.iter().map(|run| run.id).collect();
        prop_assert_eq!(ids.len(), all.len(), "every record has its own id");
    }
}
