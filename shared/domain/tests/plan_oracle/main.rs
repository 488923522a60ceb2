//! Random jobs against a naive oracle: walk two years of a schedule occurrence by occurrence, ask each calendar
//! entry by entry, and move what rolls day by day. Shares nothing with the engine but the schedule and its zones.
//!
//! `PLAN_ORACLE_CASES=10000 cargo test --release -p domain --test plan_oracle` runs the large size.

mod examples;
mod naive;
mod never;
mod random;

use chrono::TimeDelta;
use domain::{HumanDuration, Instant, Plan};
use proptest::prelude::*;

use self::naive::{Fate, Oracle};
use self::random::{Random, random};

const MILLI: TimeDelta = TimeDelta::milliseconds(1);

/// 25 jobs by default, which is a few seconds in a debug build.
#[expect(clippy::disallowed_methods, reason = "the size of a test run is set from outside")]
fn cases() -> ProptestConfig {
    let cases = std::env::var("PLAN_ORACLE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(25);
    ProptestConfig { cases, failure_persistence: None, max_shrink_time: 20_000, ..ProptestConfig::default() }
}

/// The plan of a random job, unless it rolls and is due too often for that.
fn compiled(random: &Random) -> Option<Plan> {
    match random.plan() {
        Ok(plan) => Some(plan),
        Err(invalid) if random.rolls() && invalid.0[0].pointer.ends_with("/roll") => None,
        Err(invalid) => panic!("{invalid}: {random:?}"),
    }
}

/// Instants all over the time that the oracle knows; every other one close to an occurrence of job or schedule.
fn probes(oracle: &Oracle<'_>, seed: u64) -> Vec<Instant> {
    let interesting: Vec<_> = oracle.fates.iter().map(|(at, _)| *at).chain(oracle.nominal.clone()).collect();
    let span = (oracle.until - oracle.from).num_milliseconds().unsigned_abs();
    let probe = |(index, random): (i32, u64)| {
        let anywhere = oracle.from + HumanDuration::from_millis(random % span).to_delta();
        let near = usize::try_from(random)
            .ok()
            .and_then(|random| interesting.get(random % interesting.len().max(1)));
        let near = near.filter(|_| index % 2 == 0).map(|at| *at + MILLI * (index % 3 - 1));
        near.unwrap_or(anywhere).clamp(oracle.from, oracle.until)
    };
    // Numbers of a linear congruential generator; its upper bits are the random ones.
    let random = std::iter::successors(Some(seed), |last| {
        Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    });
    (0..12).zip(random.skip(1).map(|random| random >> 20)).map(probe).collect()
}

/// When the job's occurrences take place.
fn takes_place(plan: &Plan, oracle: &Oracle<'_>, probes: &[Instant]) -> Result<(), TestCaseError> {
    let nominal = &oracle.nominal;
    for (probe, other) in probes.iter().copied().zip(probes.iter().rev().copied()) {
        let after = nominal.partition_point(|at| *at <= probe);
        match nominal.get(after) {
            Some(next) => prop_assert_eq!(plan.next_after(probe), Some(*next), "next after {}", probe),
            None => prop_assert!(plan.next_after(probe).is_none_or(|next| next > oracle.until)),
        }
        match after.checked_sub(1) {
            Some(last) => {
                prop_assert_eq!(plan.last_until(probe), Some(nominal[last]), "last until {}", probe);
            }
            None => prop_assert!(plan.last_until(probe).is_none_or(|last| last < oracle.from)),
        }
        let between = nominal.iter().filter(|at| (probe..=other).contains(at)).count();
        prop_assert_eq!(plan.count(probe, other), between as u64, "from {} until {}", probe, other);
        let few = nominal[after..].iter().copied().take(3);
        prop_assert!(plan.after(probe).zip(few.clone()).all(|(next, expected)| next == expected));
        prop_assert!(plan.after(probe).take(3).count() >= few.count());
    }
    prop_assert_eq!(plan.count(oracle.from, oracle.until), nominal.len() as u64);
    Ok(())
}

/// What does not take place, and what takes place elsewhere.
fn is_left_out(plan: &Plan, oracle: &Oracle<'_>, probes: &[Instant]) -> Result<(), TestCaseError> {
    for (probe, other) in probes.iter().copied().zip(probes.iter().rev().copied()) {
        let within = |at: Instant| probe < at && at < other && oracle.is_within(at);
        let expected: Vec<_> = oracle
            .fates
            .iter()
            .filter(|(at, fate)| *fate == Fate::LeftOut && within(*at))
            .map(|it| it.0)
            .collect();
        let left_out: Vec<_> = plan.each_left_out(probe, other).collect();
        for (at, calendar) in &left_out {
            prop_assert!(!oracle.is_admitted_by(calendar, *at), "{} admits {}", calendar, at);
        }
        let left_out: Vec<_> = left_out.into_iter().map(|(at, _)| at).collect();
        prop_assert_eq!(left_out, expected, "after {} until {}", probe, other);
    }
    for at in oracle.nominal.iter().take(8) {
        prop_assert_eq!(plan.moved_from(*at), oracle.moved_from(*at), "{}", at);
    }
    Ok(())
}

/// When what takes place is due.
fn is_due(plan: &Plan, oracle: &Oracle<'_>, jitter: HumanDuration) -> Result<(), TestCaseError> {
    // Of the last one that is known, the next is not.
    let known = oracle.nominal.windows(2).take(8);
    let mut due = Vec::new();
    for pair in known {
        let (nominal, next) = (pair[0], pair[1]);
        let at = plan.due_at(nominal);
        prop_assert!(nominal <= at && at < next, "{} is due at {}", nominal, at);
        prop_assert!(at == nominal || at < nominal + jitter.to_delta());
        prop_assert_eq!(plan.due_for(at), nominal, "due at {}", at);
        let most = jitter.to_delta().min(next - nominal);
        let latest = if jitter == HumanDuration::ZERO { nominal } else { nominal + most - MILLI };
        prop_assert_eq!(plan.due_by(nominal), latest);
        prop_assert!(at <= latest);
        due.push((at, nominal));
    }
    prop_assert!(due.is_sorted(), "the order of what is due is that of what it is due for");
    for (at, nominal) in &due {
        for now in [*nominal, *at - MILLI, *at] {
            let expected = due.iter().rfind(|(at, _)| *at <= now).map(|(_, nominal)| *nominal);
            let last = plan.last_due(now);
            match expected {
                Some(expected) => prop_assert_eq!(last, Some(expected), "due by {}", now),
                None => prop_assert!(last.is_none_or(|last| last < due[0].1)),
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn occurrences_agree_with_a_walk_over_two_years(random in random(), seed in any::<u64>()) {
        let Some(plan) = compiled(&random) else { return Ok(()) };
        let oracle = Oracle::of(&random, plan.timetable());
        let probes = probes(&oracle, seed);
        takes_place(&plan, &oracle, &probes)?;
        is_left_out(&plan, &oracle, &probes)?;
        is_due(&plan, &oracle, random.jitter)?;
    }
}
