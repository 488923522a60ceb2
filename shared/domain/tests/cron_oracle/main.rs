//! Random schedules against a brute-force oracle: walk two years of a zone's wall clock and note, minute by
//! minute, what must fire. Shares nothing with the engine but the zone's offsets.
//!
//! `CRON_ORACLE_CASES=10000 cargo test --release -p domain --test cron_oracle` runs the large size.

mod clock;
mod interval;
mod schedule;

use chrono::{DateTime, TimeDelta, Utc};
use domain::Schedule;
use domain::schedule::{Cron, Fold, Gap};
use domain::time::{Timetable, Zone};
use proptest::prelude::*;

use self::clock::{Clock, PLACES};
use self::schedule::Random;

/// 100 schedules by default, which is a few seconds in a debug build.
#[expect(clippy::disallowed_methods, reason = "the size of a test run is set from outside")]
fn cases() -> ProptestConfig {
    let cases = std::env::var("CRON_ORACLE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn compiled(random: &Random, zone: &str, gap: Gap, fold: Fold) -> Option<Timetable> {
    let cron = Cron {
        expression: random.text.clone(),
        dialect: Some(random.dialect),
        timezone: Some(Zone::named(zone).expect("a zone")),
        gap,
        fold,
    };
    match Timetable::compile(&Schedule::Cron(cron)) {
        Ok(timetable) => Some(timetable),
        Err(invalid) if invalid.0[0].code == "never_fires" => None,
        Err(invalid) => panic!("{}: {invalid}", random.text),
    }
}

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).expect("an instant")
}

/// A schedule in the zone of a place, and what a walk says of it.
struct Compared {
    timetable: Timetable,
    clock: &'static Clock,
    /// Every fire of the two years, in milliseconds.
    expected: Vec<i64>,
    context: String,
}

impl Compared {
    /// Probes the timetable all over the two years, and closely around the changes of the clock.
    fn check(&self, probes: &[(u32, u16)]) -> Result<(), TestCaseError> {
        let Self { timetable, clock, expected, context } = self;
        let (start, end) = (clock.start * 1000, clock.end * 1000 - 1);
        prop_assert_eq!(timetable.count(at(start), at(end)), expected.len() as u64, "count {}", context);

        // Half of the probes fall anywhere, half near a change of the clock.
        for (index, (anywhere, near)) in probes.iter().enumerate() {
            let span = end - start;
            let probe = match clock.changes.get(index / 2 % clock.changes.len().max(1)) {
                Some(change) if index % 2 == 0 => change * 1000 + (i64::from(*near) - 32_768) * 300,
                _ => start + (span * i64::from(*anywhere >> 8)) / (1 << 24),
            };
            let probe = if index % 3 == 0 { probe / 60_000 * 60_000 } else { probe };
            let after = expected.partition_point(|fire| *fire <= probe);
            if let Some(next) = expected.get(after) {
                prop_assert_eq!(timetable.next_after(at(probe)), Some(at(*next)), "next {}", context);
            } else {
                prop_assert!(
                    timetable.next_after(at(probe)).is_none_or(|next| next > at(end)),
                    "{}",
                    context
                );
            }
            if let Some(last) = after.checked_sub(1).and_then(|before| expected.get(before)) {
                prop_assert_eq!(timetable.last_until(at(probe)), Some(at(*last)), "last {}", context);
            } else {
                prop_assert!(
                    timetable.last_until(at(probe)).is_none_or(|last| last < at(start)),
                    "{}",
                    context
                );
            }
            let from = expected.partition_point(|fire| *fire < probe);
            let until = probe + TimeDelta::hours(30).num_milliseconds();
            let upto = expected.partition_point(|fire| *fire <= until);
            if until <= end {
                prop_assert_eq!(timetable.count(at(probe), at(until)), (upto - from) as u64, "{}", context);
            }
        }

        // Through each change of the clock step by step.
        for change in &clock.changes {
            let mut now = (change - 4 * 3600) * 1000;
            for _ in 0..40 {
                let Some(next) = expected.get(expected.partition_point(|fire| *fire <= now)) else { break };
                prop_assert_eq!(timetable.next_after(at(now)), Some(at(*next)), "step {}", context);
                now = *next;
            }
        }
        Ok(())
    }
}

fn gaps() -> impl Strategy<Value = Gap> {
    prop_oneof![Just(Gap::NextValid), Just(Gap::Skip)]
}

fn folds() -> impl Strategy<Value = Fold> {
    prop_oneof![Just(Fold::First), Just(Fold::Second), Just(Fold::Both)]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn class_10_cron_agrees_with_a_walk_over_two_years_of_changing_clocks(
        random in schedule::random(),
        place in 0..PLACES.len(),
        gap in gaps(),
        fold in folds(),
        probes in proptest::collection::vec((any::<u32>(), any::<u16>()), 60),
    ) {
        let (zone, year) = PLACES[place];
        let clock = Clock::of(place);
        let (gap_applies, fold_applies) =
            if random.wildcard { (Gap::Skip, Fold::Both) } else { (gap, fold) };
        let expected = clock.fires(&random, gap_applies, fold_applies);
        let Some(timetable) = compiled(&random, zone, gap, fold) else {
            prop_assert_eq!(expected.len(), 0, "{}", random.text);
            return Ok(());
        };
        let context = format!("{:?} “{}” {zone} {year} {gap:?} {fold:?}", random.dialect, random.text);
        let expected = expected.iter().map(|second| second * 1000).collect();
        Compared { timetable, clock, expected, context }.check(&probes)?;
    }

    #[test]
    fn calendar_intervals_agree_with_a_walk_over_two_years(
        random in interval::random(),
        place in 0..PLACES.len(),
        gap in gaps(),
        fold in folds(),
        probes in proptest::collection::vec((any::<u32>(), any::<u16>()), 60),
    ) {
        let (zone, _) = PLACES[place];
        let clock = Clock::of(place);
        let random = random.at(clock);
        let timetable = Timetable::compile(&random.schedule(zone, gap, fold)).expect("a sound schedule");
        let context = format!("{random:?} {zone} {gap:?} {fold:?}");
        let expected = clock.fires(&random, gap, fold).iter().map(|second| second * 1000).collect();
        Compared { timetable, clock, expected, context }.check(&probes)?;
    }
}
