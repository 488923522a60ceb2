//! The contract of [`engine::Store`], [`engine::Calendars`], [`engine::Idempotency`], [`engine::RunLogs`],
//! [`engine::Records`], [`engine::Reports`] and [`engine::Events`], as tests any store can be put to.
//!
//! ```ignore
//! // shared/sql/tests/it/main.rs
//! async fn sqlite() -> Option<testkit::Fixture> {
//!     let directory = tempfile::tempdir().unwrap();
//!     let store = Arc::new(Sqlite::open(&directory.path().join("test.db")).await.unwrap());
//!     Some(testkit::Fixture {
//!         store: store.clone(),
//!         calendars: store.clone(),
//!         insights: store.clone(),
//!         idempotency: store.clone(),
//!         logs: store.clone(),
//!         records: store.clone(),
//!         reports: store.clone(),
//!         events: Some(store.clone()),
//!         backdoor: store,                  // impl testkit::Backdoor
//!         guard: Box::new(directory),
//!     })
//! }
//! testkit::conformance!(sqlite, sqlite);    // sqlite::firing::a_due_job_fires_and_advances, …, sqlite::model
//! ```
//!
//! That is all the macro needs: a name, which becomes a module of plain `#[test]`s, and an
//! `async fn() -> Option<Fixture>` that makes a fresh, empty, migrated store. It brings its own runtime, so the
//! caller's crate needs neither tokio nor proptest for it.
//!
//! `None` means that the store cannot be had on this machine (no server): each test then returns at once after one
//! loud `SKIPPED` line for the store; where the environment has `CI`, it fails instead.
//!
//! Every case is deterministic: instants are arguments, nobody sleeps, no clock is read. Only the racing cases let
//! the scheduler of the machine choose, and they accept every order that is right. Where rows tie (same due
//! instant) a store may take them in any order, and no case minds.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "cases are tests: they fail by panicking"
)]

pub mod backfills;
pub mod calendars;
pub mod cancelling;
pub mod corrupt;
pub mod events;
pub mod firing;
pub mod idempotency;
pub mod insights;
pub mod jobs;
pub mod leasing;
pub mod listing;
pub mod logs;
pub mod purge;
pub mod racing;
pub mod records;
pub mod reports;
pub(crate) mod run;
pub mod runs;
pub mod settling;
pub mod slots;
pub(crate) mod support;

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use domain::JobId;
use engine::{Calendars, Events, Idempotency, Insights, Records, Reports, RunLogs, Store};

pub use self::run::case;

/// A fresh, empty store under test.
pub struct Fixture {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The port for calendars, usually the same object.
    pub calendars: Arc<dyn Calendars>,
    /// The port for overviews, likewise.
    pub insights: Arc<dyn Insights>,
    /// The port for answers to repeated requests, likewise.
    pub idempotency: Arc<dyn Idempotency>,
    /// The port for the logs of runs, likewise.
    pub logs: Arc<dyn RunLogs>,
    /// The port for small records, likewise.
    pub records: Arc<dyn Records>,
    /// The port for what targets report, likewise.
    pub reports: Arc<dyn Reports>,
    /// The port for what is told, likewise; `None` where the store tells nothing, which the cases about it then do not
    /// look at.
    pub events: Option<Arc<dyn Events>>,
    /// What the ports do not offer and the tests need.
    pub backdoor: Arc<dyn Backdoor>,
    /// Dropped last: a temporary directory, a database. `Box::new(())` where there is nothing to clean up.
    pub guard: Box<dyn Any + Send + Sync>,
}

/// What a test does to a store behind its back.
#[async_trait]
pub trait Backdoor: Send + Sync {
    /// Overwrites the job's document with something that is no job, as a defect or a newer program might, **and
    /// raises its version by one**: a document never changes without its version, and stores may cache by that.
    ///
    /// In SQL: `update jobs set document = '{"v":1}', version = version + 1 where id = $1`.
    async fn corrupt(&self, job: JobId);

    /// Does the same to a calendar.
    async fn corrupt_calendar(&self, project: &str, name: &str);

    /// Forgets all jobs, runs, logs, reports, calendars, records and idempotency keys. Ids are not used again afterwards.
    async fn reset(&self);
}

/// Makes one module of tests for a store; see [`mod@crate::conformance`].
#[macro_export]
macro_rules! conformance {
    ($store:ident, $fixture:expr $(,)?) => {
        /// The contract of stores.
        mod $store {
            #[allow(unused_imports, reason = "the fixture may be named by a full path")]
            use super::*;

            $crate::__conformance_cases!(tests $store, $fixture);

            #[test]
            fn model() {
                $crate::model::run(stringify!($store), async || ($fixture)().await);
            }
        }
    };
}

/// The list of all cases. A test compares it with the functions there are.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($($then:tt)*) => {
        $crate::__conformance_emit! {
            [$($then)*]
            jobs {
                an_inserted_job_is_found_by_id_and_by_name
                every_field_of_a_job_survives
                names_are_unique_within_a_project
                a_job_of_another_project_is_not_found
                replacing_writes_all_of_the_job
                replacing_compares_the_version
                replacing_compares_the_next_occurrence
                replacing_compares_an_absent_next_occurrence
                replacing_brings_its_runs_once
                a_refused_replacement_writes_nothing
                replacing_a_deleted_job_is_refused
                a_renamed_job_frees_its_name
                deleting_compares_the_version
                a_deleted_job_leaves_its_runs
                deleting_touches_no_other_job
                counts_are_of_everything
                the_next_due_instant_is_of_jobs_and_runs
                a_ready_store_answers_a_ping
                every_kind_of_schedule_and_target_survives
            }
            runs {
                an_inserted_run_waits
                a_run_is_inserted_once
                a_run_needs_its_job
                a_run_of_another_project_is_not_found
                every_field_of_a_run_survives
                unfinished_runs_come_oldest_first
                runs_are_listed_in_both_directions
                runs_are_filtered
                runs_are_listed_within_a_range
                runs_are_paged_in_both_directions
                a_page_tells_whether_more_follows
                the_last_run_is_the_newest_finished_one
            }
            listing {
                jobs_are_listed_by_creation
                names_are_ordered_by_bytes
                jobs_without_next_occurrence_come_last
                jobs_are_paged_in_every_order
                a_cursor_outlives_its_row
                jobs_are_filtered_by_state
                jobs_are_filtered_by_labels
                jobs_are_searched_by_a_piece_of_the_name
                lists_keep_to_their_project
            }
            firing {
                a_due_job_fires_and_advances
                a_job_is_due_at_its_instant
                a_job_fires_once_an_occurrence
                nobody_is_asked_where_nothing_is_due
                the_longest_due_fire_first
                the_decider_is_told_what_it_needs
                a_paused_job_does_not_fire
                an_edited_job_fires_as_edited
                a_deleted_job_does_not_fire
                a_last_occurrence_completes_the_job
                started_runs_are_counted
                a_replacement_writes_the_count
                runs_that_exist_are_not_fired_again
                runs_are_stored_as_decided
                a_decision_may_change_nothing
                a_large_batch_is_written_whole
                many_jobs_fire_in_one_batch
            }
            leasing {
                a_waiting_run_is_leased
                a_run_is_leased_when_it_is_due
                the_longest_due_are_leased_first
                a_lease_is_taken_over_when_it_runs_out
                every_lease_grows_the_token
                a_finished_run_is_not_leased
                a_renewed_lease_lasts_longer
                a_late_renewal_makes_no_lease_shorter
                a_late_renewal_shortens_no_first_lease
                only_a_lease_that_is_held_is_renewed
                a_stale_token_renews_nothing
                a_leased_run_comes_with_the_newest_definition
                a_run_of_a_deleted_job_is_leased_without_it
                runs_of_all_projects_are_leased
                runs_leased_together_part_ways
                nothing_is_due_once_all_have_ended
                nothing_is_due_once_all_have_ended_late
                nothing_is_due_after_a_run_that_existed
            }
            settling {
                a_success_finishes_the_run
                a_failure_waits_for_its_retry
                a_stale_token_writes_nothing
                a_finished_run_is_not_written_again
                a_batch_is_answered_in_order
                a_batch_may_name_a_run_twice
                a_waiting_run_can_be_closed
                a_finished_run_is_reopened
                reopening_compares_the_token
                a_run_handed_back_is_due_at_once
                a_run_may_go_on_without_a_lease
            }
            cancelling {
                a_running_run_is_told_at_its_renewal
                a_waiting_run_is_marked_and_closed
                only_an_unfinished_run_is_marked
                asking_twice_changes_nothing
                the_wish_outlives_a_settlement
                the_wish_outlives_its_worker
                a_cancelled_run_is_active_no_more
            }
            corrupt {
                the_others_fire
                what_is_left_is_shown
                its_runs_come_without_it
                it_is_repaired_by_replacing_it
                it_can_be_deleted
            }
            calendars {
                a_calendar_is_found_by_its_name
                the_next_version_replaces_a_calendar
                a_stale_put_changes_nothing
                deleting_compares_its_version
                a_calendars_version_is_told_whatever_it_holds
                a_deleted_calendar_frees_its_name
                calendars_are_listed_by_the_bytes_of_their_names
                a_cursor_need_not_exist
                calendars_keep_to_their_project
                every_field_of_a_calendar_survives
                a_name_that_cannot_be_is_not_found
                a_big_calendar_survives
                an_unreadable_calendar_hides_no_other
                an_unreadable_calendar_is_replaced_or_deleted
                jobs_due_are_counted_with_both_ends
                jobs_due_are_counted_up_to_a_limit
                only_the_next_occurrence_is_counted
                a_job_with_calendars_and_jitter_survives
                a_run_with_jitter_survives
            }
            backfills {
                every_field_of_a_backfill_survives
                a_backfill_needs_its_job
                the_next_version_brings_its_runs
                its_runs_are_made_once
                backfills_are_found_when_they_are_due
                backfills_are_listed_by_job
                its_runs_are_not_counted_as_active
                a_large_payload_survives
            }
            slots {
                slots_are_taken_up_to_the_limit
                a_slot_is_taken_again_by_its_run
                a_slot_lasts_as_long_as_its_lease
                slots_are_of_one_job
                a_deleted_job_has_no_slots
            }
            purge {
                old_runs_go_but_for_the_latest_and_the_unfinished
                a_run_that_waits_is_not_the_latest
                runs_of_deleted_jobs_go_altogether
                age_counts_from_the_end
                old_runs_go_in_steps
                logs_and_reports_go_with_their_run
                runs_beyond_a_number_go
                jobs_are_looked_at_in_steps
                ended_backfills_go
                a_round_is_claimed_once
            }
            insights {
                a_window_reaches_as_far_as_its_newest_runs
                runs_are_tallied_by_part_status_and_kind
                jobs_are_tallied_worst_first
                a_gist_is_that_of_its_run
                a_gist_passes_by_long_attempts
                gists_are_filtered_and_limited
                a_share_of_the_runs_is_drawn_by_their_ids
                histories_are_cut_job_by_job
                runs_of_jobs_are_tallied_by_part
                jobs_are_found_by_many_ids
                idle_jobs_are_listed_newest_first
                overdue_jobs_are_told_with_their_instants
                a_run_is_overdue_when_the_lease_it_was_fired_with_runs_out
                jobs_of_a_project_are_counted_by_state
            }
            idempotency {
                a_key_is_reserved_once
                an_answer_is_repeated
                another_request_with_the_key_is_refused
                a_released_key_is_free
                an_abandoned_key_is_free_after_a_while
                an_answer_is_forgotten_after_a_day
                keys_keep_to_their_project
                a_late_answer_is_dropped
                old_keys_are_forgotten_in_batches
            }
            logs {
                lines_come_back_in_order_and_whole
                a_page_begins_behind_the_line_asked_for
                reading_stops_at_the_limit_and_goes_on
                skipped_lines_keep_their_numbers
                the_middle_is_left_out_and_no_number_changes
                logs_keep_to_their_run
                many_writers_of_one_log_lose_no_line
            }
            records {
                a_record_is_found_as_it_was_put
                a_record_is_new_once
                a_record_is_replaced_by_its_next_version
                a_record_is_removed_by_its_version
                records_are_listed_by_the_bytes_of_their_keys
                kinds_keep_to_themselves
            }
            reports {
                the_newest_progress_is_kept
                the_first_end_stands
                reports_keep_to_their_attempt
                one_of_many_decides_how_an_attempt_ended
                all_replicas_share_one_secret
            }
            events {
                the_life_of_a_job_is_told
                the_life_of_a_run_is_told
                firing_tells_of_its_runs_and_of_jobs_that_end
                what_was_not_done_is_not_told
                events_are_read_on_from_any_place
                a_place_that_is_gone_is_not_read_on_from
                old_events_go_but_for_the_last
                a_firing_of_many_is_told_whole
                nothing_is_told_behind_a_readers_back
            }
            racing {
                one_of_many_fires_a_due_job
                many_fire_many_due_jobs_once
                one_of_many_leases_a_run
                many_lease_many_runs_once
                one_of_many_settles_a_run
                one_of_many_replaces_a_job
                one_of_many_takes_a_name
                one_of_many_inserts_a_run
                a_replacement_races_a_firing
                a_deletion_races_a_firing
                a_settlement_races_a_takeover
                a_renewal_races_a_takeover
                a_cancellation_races_a_settlement
                one_of_many_reserves_a_key
                one_of_many_puts_a_calendar
                a_deletion_races_a_put
                one_of_many_claims_a_round
                few_of_many_take_slots
                one_of_many_carries_a_backfill_on
            }
        }
    };
}

/// What becomes of the list: tests, or their names.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_emit {
    ([tests $store:ident, $fixture:expr] $($group:ident { $($case:ident)* })*) => {
        $crate::__conformance_emit! { @each [$store] [$fixture] $([$group $($case)*])* }
    };
    (@each [$store:ident] [$fixture:expr] $($rest:tt)*) => {
        $( $crate::__conformance_emit! { @group [$store] [$fixture] $rest } )*
    };
    (@group [$store:ident] [$fixture:expr] [$group:ident $($case:ident)*]) => {
        mod $group {
            #[allow(unused_imports, reason = "the fixture may be named by a full path")]
            use super::*;

            $crate::__conformance_emit! { @tests $store, $group, $fixture, $($case)* }
        }
    };
    (@tests $store:ident, $group:ident, $fixture:expr, $first:ident $($rest:ident)*) => {
        #[test]
        fn $first() {
            $crate::conformance::case(
                stringify!($store),
                async || ($fixture)().await,
                $crate::conformance::$group::$first,
            );
        }

        $crate::__conformance_emit! { @tests $store, $group, $fixture, $($rest)* }
    };
    (@tests $store:ident, $group:ident, $fixture:expr,) => {};
    ([calls $call:ident] $($group:ident { $($case:ident)* })*) => {
        $($($call!($group, $case);)*)*
    };
    ([names] $($group:ident { $($case:ident)* })*) => {
        &[$($(concat!(stringify!($group), "::", stringify!($case)),)*)*]
    };
}

/// Every case, as `group::name`.
pub const CASES: &[&str] = crate::__conformance_cases!(names);
