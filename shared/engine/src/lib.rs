//! What the service does, through ports: [`Scheduler`] keeps jobs, [`Dispatcher`] fires and runs them,
//! [`tick`] decides when to look.
//!
//! Nothing here knows SQL, HTTP, processes or AWS. Rules about time, misfires, overlap and retries are not here
//! either: they are pure functions in `domain`, and this crate only carries their answers to the ports.

pub mod access;
mod aftermath;
pub mod backfills;
pub mod bell;
pub mod calendars;
pub mod callbacks;
pub mod dispatcher;
pub mod error;
pub mod events;
mod hosts;
pub mod idempotency;
pub mod insights;
pub mod logs;
pub mod overview;
pub mod ports;
pub mod query;
pub mod record;
pub mod records;
pub mod retention;
pub mod scheduler;
pub mod settler;
pub mod slots;
pub mod tick;
mod worker;

pub use access::{Access, Denied, Proof, SessionKey};
pub use backfills::{BackfillQuery, Backfills};
pub use bell::{Bell, LocalAlarm};
pub use calendars::{CalendarQuery, Calendars};
pub use callbacks::{Callbacks, Reported, Reports, RunToken, TokenKey};
pub use dispatcher::{Dispatcher, Settings};
pub use error::{SchedulerError, StoreError};
pub use events::{Cursor, Deed, Entry, Event, EventKind, Events, Feed, News, Place, Standing, Telling};
pub use idempotency::{Begun, Idempotency, SavedResponse};
pub use insights::Insights;
pub use logs::{Journal, LogChunk, LogEnd, LogEntry, LogPage, Logs, RunLogs, StoredChunk};
pub use overview::Overview;
pub use ports::{
    Alarm, Call, Clock, Counts, DueJob, Entropy, Executor, Expected, InvalidJob, LastRun, LeasedRun, Renewal,
    Settled, Store, StoredJob,
};
pub use query::{JobKey, JobQuery, Page, RunQuery};
pub use records::{Record, RecordKind, Records};
pub use retention::{Purge, Purged, Retention};
pub use scheduler::{BackfillProgress, CalendarPut, Scheduler};
pub use slots::Slots;
