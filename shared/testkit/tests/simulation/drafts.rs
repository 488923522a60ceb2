//! Jobs of all kinds, by dice.

use std::collections::BTreeMap;

use chrono::{SubsecRound, TimeDelta};
use domain::calendar::{CalendarDraft, CalendarMode, CalendarRange, CalendarUse, Edge, Roll};
use domain::schedule::{At, Cron, Date, Fold, Gap, Interval};
use domain::target::{HttpTarget, LogTarget, NoopTarget};
use domain::time::Zone;
use domain::{HumanDuration, Instant, JobDraft, Misfire, MisfirePolicy, Overlap, Retry, Schedule, Target};

use super::dice::Dice;
use testkit::fixtures::job;

/// Cron expressions that are due a few times a minute, or a few times a run.
const CRONS: [(&str, &str); 6] = [
    ("*/7 * * * * *", "UTC"),
    ("*/20 * * * * *", "Asia/Kathmandu"),
    ("10,15,50 * * * * *", "America/New_York"),
    ("* * * * *", "Europe/Paris"),
    ("*/2 * * * *", "Australia/Lord_Howe"),
    ("30 */1 * * * *", "Europe/Berlin"),
];

/// A job of that name, written at `now`.
pub(crate) fn draft(dice: &Dice, name: &str, now: Instant) -> JobDraft {
    let seconds = |range| TimeDelta::from_std(dice.millis(range)).unwrap_or_default();
    let tolerance = dice.duration(0..=12_000);
    let window = tolerance.max(dice.pick(&[
        HumanDuration::ZERO,
        HumanDuration::from_secs(15),
        HumanDuration::from_secs(60),
        HumanDuration::from_secs(86_400),
    ]));
    JobDraft {
        schedule: schedule(dice, now),
        target: target(dice),
        retry: retry(dice),
        timeout: dice.duration(200..=20_000),
        misfire: Misfire {
            policy: dice.pick(&[MisfirePolicy::Latest, MisfirePolicy::All, MisfirePolicy::Skip]),
            tolerance,
            window,
            max: dice.pick(&[1, 2, 5, 100]),
        },
        overlap: dice.pick(&[
            Overlap::Skip,
            Overlap::AllowAll,
            Overlap::BufferOne,
            Overlap::BufferAll,
            Overlap::CancelOther,
        ]),
        concurrency: dice.chance(200).then(|| dice.pick(&[1, 2])),
        max_runs: dice.chance(80).then(|| dice.pick(&[1, 3, 10])),
        pause_after_failures: dice.chance(100).then(|| dice.pick(&[1, 2, 3])),
        jitter: if dice.chance(150) { dice.duration(1..=8_000) } else { HumanDuration::ZERO },
        calendars: if dice.chance(200) { uses(dice) } else { Vec::new() },
        start_at: dice.chance(100).then(|| now + seconds(0..=40_000)),
        end_at: dice.chance(100).then(|| now + seconds(45_000..=90_000)),
        ..job(name).draft()
    }
}

/// When a job is due that is written at `now`.
pub(crate) fn schedule(dice: &Dice, now: Instant) -> Schedule {
    match dice.number(0..=9) {
        0..=5 => Schedule::Interval(Interval {
            every: dice.pick(
                &[1_000, 2_000, 3_000, 5_000, 7_500, 10_000, 20_000, 30_000].map(HumanDuration::from_millis),
            ),
            anchor: dice.chance(300).then_some(now - dice.duration(0..=3_600_000).to_delta()),
            timezone: None,
        }),
        6..=8 => {
            let (expression, zone) = dice.pick(&CRONS);
            Schedule::Cron(Cron {
                expression: expression.to_owned(),
                dialect: None,
                timezone: Zone::named(zone).ok(),
                gap: Gap::default(),
                fold: Fold::default(),
            })
        }
        // Now and then a moment ago: the request was on its way.
        _ => {
            let at = now + dice.duration(0..=90_000).to_delta() - TimeDelta::seconds(3);
            Schedule::Date(Date { at: At::Instant(at), timezone: None })
        }
    }
}

/// The calendars there may be.
pub(crate) const CALENDARS: [&str; 2] = ["maintenance", "office"];

fn uses(dice: &Dice) -> Vec<CalendarUse> {
    let mode = dice.pick(&[CalendarMode::Exclude, CalendarMode::Exclude, CalendarMode::Only]);
    vec![CalendarUse { name: dice.pick(&CALENDARS).to_owned(), mode, roll: Roll::None }]
}

/// A calendar of a few ranges around `now` and later.
pub(crate) fn calendar(dice: &Dice, now: Instant) -> CalendarDraft {
    let range = |_| {
        let from = (now + dice.duration(0..=90_000).to_delta() - TimeDelta::seconds(20)).trunc_subsecs(0);
        let until = from + TimeDelta::seconds(i64::try_from(dice.number(1..=30)).unwrap_or(1));
        CalendarRange { from: Edge::Time(from.naive_utc()), until: Edge::Time(until.naive_utc()) }
    };
    let ranges = (0..dice.number(1..=3)).map(range).collect();
    CalendarDraft { timezone: Zone::named("UTC").ok(), ranges, ..CalendarDraft::default() }
}

fn target(dice: &Dice) -> Target {
    match dice.number(0..=9) {
        0..=1 => Target::Noop(NoopTarget {}),
        2 => Target::Log(LogTarget { message: "done".to_owned() }),
        _ => Target::Http(HttpTarget {
            method: "POST".to_owned(),
            url: format!("https://{}.example.com/", dice.pick(&["a", "b", "c"])),
            headers: BTreeMap::new(),
            body: None,
            success: vec!["2xx".parse().expect("a range of status codes")],
            callback: false,
            heartbeat: None,
        }),
    }
}

fn retry(dice: &Dice) -> Retry {
    let initial = dice.duration(100..=4_000);
    Retry {
        max_attempts: dice.pick(&[1, 2, 3, 4]),
        initial,
        factor: dice.pick(&[1.0, 1.5, 2.0]),
        max: initial.max(HumanDuration::from_secs(8)),
        jitter: dice.chance(500),
    }
}
