//! What the API shows of jobs and runs.

pub mod backfill;
pub mod calendar;
pub mod gist;
pub mod job;
pub mod page;
pub mod run;
pub mod timestamp;

pub use self::backfill::BackfillView;
pub use self::calendar::CalendarView;
pub use self::gist::GistView;
pub use self::job::JobView;
pub use self::page::Page;
pub use self::run::RunView;
pub use self::timestamp::Timestamp;
