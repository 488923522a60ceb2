//! What a schedule, a job and a run are, and the two decisions the service lives by:
//! [`fire()`] turns a due job into runs, [`settle()`] turns an attempt's outcome into the run's next state.
//!
//! Everything here is pure: no I/O, no async, no clock, no randomness. `now` is always an argument,
//! and whatever looks random (jitter) is derived from ids by hashing.

pub mod access;
pub mod api_key;
pub mod asked;
pub mod backfill;
pub mod calendar;
pub mod credential;
pub mod details;
pub mod duration;
pub mod fire;
pub mod ids;
pub mod invalid;
pub mod job;
pub mod log;
mod name;
pub mod parse;
pub mod plan;
pub mod policy;
pub mod run;
pub mod schedule;
pub mod settle;
pub mod target;
pub mod time;
pub mod time_of_day;
pub mod upcoming;

pub use access::{Principal, Reach, Role};
pub use asked::Asked;
pub use backfill::{Backfill, BackfillOrder, BackfillState};
pub use calendar::{Calendar, CalendarDraft};
pub use credential::{Credential, CredentialDraft};
pub use details::Details;
pub use duration::HumanDuration;
pub use fire::{Firing, fire, fire_ahead};
pub use ids::{BackfillId, CredentialId, JobId, RunId};
pub use invalid::{FieldError, Invalid};
pub use job::{Job, JobDraft, JobState};
pub use log::{LogLevel, LogLine, LogStream};
pub use plan::Plan;
pub use policy::{Misfire, MisfirePolicy, Overlap, Retry};
pub use run::{Attempt, Reason, Run, RunKind, RunStatus};
pub use schedule::Schedule;
pub use settle::{Outcome, Verdict, settle};
pub use target::Target;

use chrono::{DateTime, SubsecRound, Utc};

/// An instant as the whole service uses it: UTC, on a whole millisecond.
///
/// Every store keeps exactly this precision, so an instant read back equals the one written and may
/// take part in a compare-and-set.
pub type Instant = DateTime<Utc>;

/// Whether `at` lies within the time the service knows, 1970 to 2100. Arithmetic on such instants cannot overflow.
pub fn is_in_range(at: Instant) -> bool {
    Instant::UNIX_EPOCH <= at && at < time::horizon()
}

/// Cuts `at` down to the service's precision, one millisecond, never rounding up: a job must not
/// become due before its time.
pub fn whole_millis(at: Instant) -> Instant {
    at.trunc_subsecs(3)
}
