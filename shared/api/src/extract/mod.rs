//! From a request to what a handler needs, refusing what cannot be meant.

pub mod bearer;
pub mod body;
pub mod caller;
pub mod if_match;
pub mod path;
pub mod project;
pub mod query;

pub use self::bearer::Bearer;
pub use self::body::{CalendarBody, JsonBody, MergePatch, OptionalJson};
pub use self::caller::Caller;
pub use self::if_match::IfMatch;
pub use self::path::{BackfillPath, CalendarPath, JobPath, KeyPath, RunPath};
pub use self::project::Project;
