//! The engine as a whole: what the corpus and the oracle under `tests/` do not reach.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::time::{HORIZON, Zone};

fn cron(expression: &str, zone: &str) -> Cron {
    Cron {
        expression: expression.to_owned(),
        dialect: None,
        timezone: Some(Zone::named(zone).expect(zone)),
        gap: Gap::NextValid,
        fold: Fold::First,
    }
}

fn occurrences(expression: &str, zone: &str) -> Occurrences {
    Occurrences::compile(&cron(expression, zone)).expect(expression)
}

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).expect(text).to_utc()
}

fn next(occurrences: &Occurrences, after: &str, count: usize) -> Vec<String> {
    let mut now = at(after);
    let mut found = Vec::new();
    while found.len() < count
        && let Some(next) = occurrences.next_after(now)
    {
        found.push(next.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        now = next;
    }
    found
}

#[test]
fn a_fixed_time_in_the_gap_runs_at_its_end_or_not_at_all() {
    // 02:00 becomes 03:00 in Paris on 2027-03-28 at 01:00Z.
    let paris = cron("0,30 2 * * *", "Europe/Paris");
    let runs = Occurrences::compile(&paris).expect("valid");
    assert_eq!(next(&runs, "2027-03-27T02:00:00Z", 2), ["2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z"]);
    let stands_for = runs.stands_for(at("2027-03-28T01:00:00Z")).map(|local| local.to_string());
    assert_eq!(stands_for.as_deref(), Some("2027-03-28 02:00:00"));
    assert_eq!(runs.stands_for(at("2027-03-29T00:00:00Z")), None);
    let skips = Occurrences::compile(&Cron { gap: Gap::Skip, ..paris }).expect("valid");
    assert_eq!(next(&skips, "2027-03-27T02:00:00Z", 1), ["2027-03-29T00:00:00Z"]);
    // An occurrence that has the instant of the jump for its own stands for nothing else.
    let both = occurrences("30 2,3 * * *", "Europe/Paris");
    assert_eq!(both.stands_for(at("2027-03-28T01:30:00Z")), None);
    let merged = occurrences("0 2,3 * * *", "Europe/Paris");
    assert_eq!(next(&merged, "2027-03-27T02:00:00Z", 2), ["2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z"]);
    assert_eq!(merged.count(at("2027-03-28T00:00:00Z"), at("2027-03-28T12:00:00Z")), 1);
    assert_eq!(merged.stands_for(at("2027-03-28T01:00:00Z")), None);
}

#[test]
fn a_fixed_time_in_the_fold_runs_first_second_or_both_times() {
    // 03:00 becomes 02:00 in Paris on 2026-10-25 at 01:00Z.
    let cron = |fold| Cron { fold, ..cron("30 2 25 10 *", "Europe/Paris") };
    let runs = |fold| next(&Occurrences::compile(&cron(fold)).expect("valid"), "2026-01-01T00:00:00Z", 2);
    assert_eq!(runs(Fold::First), ["2026-10-25T00:30:00Z", "2027-10-25T00:30:00Z"]);
    assert_eq!(runs(Fold::Second), ["2026-10-25T01:30:00Z", "2027-10-25T00:30:00Z"]);
    assert_eq!(runs(Fold::Both), ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]);
}

#[test]
fn a_wildcard_job_keeps_its_cadence() {
    let every = occurrences("*/30 * * * *", "Australia/Lord_Howe");
    // A shift by half an hour in each direction.
    for start in ["2026-04-04T12:00:00Z", "2026-10-03T12:00:00Z"] {
        let (start, end) = (at(start), at(start) + TimeDelta::hours(12));
        assert_eq!(every.count(start, end), 25);
    }
}

#[test]
fn a_year_of_seconds_is_counted() {
    let every = occurrences("* * * * * *", "America/New_York");
    assert_eq!(every.count(at("2026-01-01T00:00:00Z"), at("2026-12-31T23:59:59Z")), 365 * 86_400);
    assert_eq!(every.count(at("2026-01-01T00:00:00.001Z"), at("2026-01-01T00:00:01.999Z")), 1);
    assert_eq!(every.count(at("2026-01-01T00:00:01Z"), at("2026-01-01T00:00:00Z")), 0);
}

#[test]
fn class_20_time_ends_with_the_year_2100() {
    for (zone, last) in
        [("Pacific/Kiritimati", "2100-12-31T09:59:59Z"), ("Pacific/Honolulu", "2100-12-31T23:59:59Z")]
    {
        let every = occurrences("* * * * * *", zone);
        assert_eq!(every.last_until(DateTime::<Utc>::MAX_UTC), Some(at(last)), "{zone}");
        assert_eq!(every.next_after(at(last)), None, "{zone}");
        assert_eq!(every.count(at(last), DateTime::<Utc>::MAX_UTC), 1, "{zone}");
        assert_eq!(every.last_until(at("1969-12-31T23:59:59Z")), None, "{zone}");
        assert_eq!(every.count(DateTime::<Utc>::MIN_UTC, at("1969-12-31T23:59:59Z")), 0, "{zone}");
    }
    let every = occurrences("* * * * * *", "UTC");
    assert_eq!(next(&every, "1900-01-01T00:00:00Z", 1), ["1970-01-01T00:00:00Z"]);
    assert_eq!(every.last_until(at("1970-01-01T00:00:00Z")), Some(DateTime::UNIX_EPOCH));
}

#[test]
fn what_never_fires_is_refused() {
    for text in
        ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 29 2 ? 2027", "0 0 0 1 1 ? 2101-2199", "0 0 L-30 2 *"]
    {
        let Invalid(errors) = Occurrences::compile(&cron(text, "UTC")).expect_err(text);
        assert_eq!(errors[0].code, "never_fires", "{text}");
    }
}

#[test]
fn class_12_the_day_rule_is_told() {
    let rule = |text| occurrences(text, "UTC").day_rule();
    assert_eq!(rule("0 0 13 * 5"), Some(DayRule::Or));
    assert_eq!(rule("0 0 */2 * 5"), Some(DayRule::And));
    assert_eq!(rule("0 0 13 * *"), None);
    assert_eq!(rule("0 0 0 ? * 2"), None);
}

/// Text made of what expressions are made of, so that many are valid.
fn likely() -> impl Strategy<Value = String> {
    let number = prop_oneof![0..60u32, 0..8u32, Just(4_294_967_295)].prop_map(|n| n.to_string());
    let token = prop_oneof![
        4 => number,
        4 => Just("*".to_owned()),
        1 => "[?,/#LW-]",
        1 => prop_oneof![Just("MON"), Just("sun"), Just("JAN"), Just("dec")].prop_map(str::to_owned),
    ];
    let field = proptest::collection::vec(token, 1..=3).prop_map(|tokens| tokens.concat());
    let fields = proptest::collection::vec(prop_oneof![2 => Just("*".to_owned()), 1 => field], 5..=7);
    prop_oneof![
        8 => fields.clone().prop_map(|fields| fields.join(" ")),
        1 => fields.prop_map(|fields| format!("cron({})", fields.join(" "))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        let _ = Occurrences::compile(&cron(&text, "UTC"));
    }

    #[test]
    fn class_11_next_last_and_count_agree_and_always_advance(
        text in likely(),
        zone in prop_oneof![Just("UTC"), Just("America/New_York"), Just("Africa/Casablanca"), Just("Pacific/Apia")],
        start in 0..HORIZON * 1000,
    ) {
        let Ok(occurrences) = Occurrences::compile(&cron(&text, zone)) else { return Ok(()) };
        let start = DateTime::from_timestamp_millis(start).expect("in range");
        let millisecond = TimeDelta::milliseconds(1);
        let mut now = start;
        let mut steps = 0;
        while steps < 10
            && let Some(next) = occurrences.next_after(now)
        {
            steps += 1;
            prop_assert!(next > now, "{text}");
            prop_assert_eq!(occurrences.last_until(next), Some(next), "{}", text);
            prop_assert_eq!(occurrences.last_until(next + millisecond), Some(next), "{}", text);
            let before = occurrences.last_until(next - millisecond);
            prop_assert!(before.is_none_or(|before| before <= now), "{text}");
            prop_assert_eq!(occurrences.count(now + millisecond, next), 1, "{}", text);
            prop_assert_eq!(occurrences.count(start + millisecond, next), steps, "{}", text);
            now = next;
        }
        let echo = occurrences.normalized();
        let again = Cron { dialect: Some(occurrences.dialect()), ..cron(&echo, zone) };
        let again = Occurrences::compile(&again).expect(&echo);
        prop_assert_eq!(again.next_after(start), occurrences.next_after(start), "{}: {}", text, echo);
        prop_assert_eq!(again.describe(), occurrences.describe(), "{}: {}", text, echo);
        prop_assert_eq!(again.is_wildcard(), occurrences.is_wildcard(), "{}: {}", text, echo);
    }
}
