//! The judge on trial: bugs are planted, and each must be objected to, by the rule it breaks.

use super::results::{Results, SEEDS};
use super::simulate::Failure;
use super::wrong::Bug;

fn is_caught(bug: Bug, rule: &str) {
    let objects = |failure: &Failure| failure.rules.contains(&rule);
    let results = Results::of(0..SEEDS, Some(bug), objects);
    let Some(failure) = results.failures.iter().find(|it| objects(it)) else {
        panic!("{bug:?} is not objected to by “{rule}”:\n{results}");
    };
    println!("{bug:?}: seed {}: {}", failure.seed, failure.rules.join("; "));
}

macro_rules! caught {
    ($($name:ident: $bug:ident breaks $rule:literal;)*) => {
        $(
            #[test]
            fn $name() {
                is_caught(Bug::$bug, $rule);
            }
        )*
    };
}

caught! {
    no_fencing: NoFencing breaks "one holder at a time";
    next_occurrence_computed_from_now: NextFromNow breaks "one record for each occurrence";
    runs_started_before_the_commit: StartsBeforeCommit breaks "calls are made under a lease";
    runs_inserted_twice_when_firing_is_tried_again: InsertsTwice breaks "one record for each occurrence";
    paused_jobs_fire: FiresPausedJobs breaks "changes follow each other";
    resuming_fires_the_past: ResumeFiresThePast breaks "one record for each occurrence";
    runs_lost: LosesRuns breaks "one record for each occurrence";
    leases_judged_by_the_own_clock: LeaseByOwnClock breaks "one holder at a time";
    active_runs_overlooked: OverlooksActiveRuns breaks "runs overlap only where they may";
    turns_overlooked: OverlooksTurns breaks "runs overlap only where they may";
    concurrency_overlooked: OverlooksSlots breaks "runs overlap only where they may";
    updates_lost: LosesUpdates breaks "changes follow each other";
    an_edit_turns_the_clock_back: TurnsTheClockBack breaks "changes follow each other";
    cancellations_forgotten: ForgetsCancellations breaks "what is to be stopped is stopped";
    outcomes_lost: LosesOutcomes breaks "one holder at a time";
    dead_workers_runs_taken_over_late: TakesOverLate breaks "nothing waits";
    attempts_forgotten: ForgetsAttempts breaks "attempts are counted";
    clocks_ahead: ClockAhead breaks "calls are made under a lease";
    deleted_jobs_kept: KeepsDeletedJobs breaks "changes follow each other";
    calendars_not_carried_to_jobs: HidesJobs breaks "jobs carry true copies of their calendars";
}
