//! The classes of bugs that schedulers are known for, as far as a simulation can meet them: each named, with the rules
//! that exclude it and with what must have been seen for that to mean anything.

use super::results::{Results, SEEDS};

/// None of the rules was broken, and in all seeds together each of the sights was seen.
fn holds(rules: &[&str], sights: &[&str]) {
    let results = Results::of_all_seeds();
    let broken = results.failures.iter().find(|failure| failure.rules.iter().any(|it| rules.contains(it)));
    if let Some(failure) = broken {
        panic!("\n{failure}");
    }
    let tried = results.reports.len() + results.failures.len();
    for sight in sights {
        assert!(super::sights::all().any(|it| it == *sight), "“{sight}” is no sight");
        // One seed alone need not show everything.
        assert!(SEEDS > tried as u64 || results.saw(sight) > 0, "{tried} seeds do not show “{sight}”");
    }
}

const LEDGER: &str = "one record for each occurrence";
const LEASES: &str = "one holder at a time";
const CALLS: &str = "calls are made under a lease";
const CHANGES: &str = "changes follow each other";
const POLICY: &str = "late occurrences follow the policy";
const WAITS: &str = "nothing waits";
const KEPT: &str = "what is written is kept";

#[test]
fn class_1_nothing_fires_twice_with_several_instances() {
    holds(
        &[LEDGER, LEASES, CALLS],
        &["answer lost", "transaction rolled back", "attempt made twice at a time"],
    );
}

#[test]
fn class_2_who_comes_back_from_a_freeze_writes_nothing() {
    holds(&[LEASES, KEPT], &["stale outcome refused", "stale renewal refused", "effect after death"]);
}

#[test]
fn class_3_a_job_longer_than_its_lease_runs_once() {
    holds(&[CALLS, LEASES, "attempts are counted"], &["success after more than a lease"]);
}

#[test]
fn class_4_nothing_is_stuck_after_a_crash() {
    holds(&[WAITS, "every run ends"], &["attempt abandoned", "taken over while a node was well"]);
}

#[test]
fn class_5_what_a_busy_or_frozen_node_notices_late_is_not_dropped() {
    holds(
        &[LEDGER, POLICY],
        &["missed in downtime", "missed after the window", "one record for many missed"],
    );
}

#[test]
fn class_6_nothing_is_lost_over_downtime_and_deployment() {
    holds(&[LEDGER, POLICY, "nodes end when told to"], &["no node up", "missed in downtime"]);
}

#[test]
fn class_8_resuming_fires_nothing_of_the_past() {
    holds(&[LEDGER, CHANGES], &["missed in a pause", "pause ended by itself"]);
}

#[test]
fn class_9_edits_neither_lose_nor_repeat_an_occurrence() {
    holds(&[LEDGER, CHANGES, "promises are kept"], &["missed by an edit", "change by a clock that lags"]);
}

#[test]
fn class_13_restarts_leave_intervals_on_their_grid() {
    holds(&[LEDGER], &["interval fired after a restart"]);
}

#[test]
fn class_15_clocks_that_lag_and_jump_make_nothing_early_and_nothing_double() {
    holds(&[LEDGER, POLICY, CALLS], &["clock jumped", "change by a clock that lags"]);
}

#[test]
fn class_16_the_loops_outlive_the_database() {
    holds(
        &[WAITS, LEDGER, "nodes end when told to"],
        &["store out of everybody's reach", "call that never returns"],
    );
}

#[test]
fn class_18_shutting_down_costs_no_run_an_attempt() {
    holds(&["nodes end when told to", "attempts are counted"], &["attempt interrupted", "run put back"]);
}

#[test]
fn class_19_what_is_deleted_or_paused_elsewhere_does_not_start() {
    holds(&[CHANGES, CALLS], &["job deleted", "cancelled with its job", "missed in a pause"]);
}

#[test]
fn runs_of_one_job_keep_their_turns() {
    holds(
        &["runs overlap only where they may"],
        &["skipped for overlap", "skipped for a full buffer", "cancelled for the next"],
    );
}

#[test]
fn calendars_are_carried_to_jobs_and_account_for_what_they_leave_out() {
    holds(
        &["jobs carry true copies of their calendars", LEDGER],
        &["skipped by a calendar", "calendar changed under its jobs"],
    );
}
