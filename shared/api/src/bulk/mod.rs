//! What requests about many jobs or runs have in common.

use std::fmt::Display;

use domain::{FieldError, Invalid};
use engine::SchedulerError;
use engine::scheduler::Acted;
use serde::Serialize;

use crate::problem::{Code, PartProblem, Problem};

/// At most so many jobs or runs are changed by one request.
pub const MOST: u32 = 1_000;

/// What a request about many jobs or runs has done, or would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkAnswer {
    /// Whether nothing has been changed: `results` say what would.
    pub dry_run: bool,
    /// How many of this request's jobs or runs have been changed.
    pub changed: usize,
    /// How many were so already.
    pub unchanged: usize,
    /// How many could not be changed.
    pub failed: usize,
    /// One for each, in the order of `ids`, or of a list by this filter.
    pub results: Vec<BulkResult>,
    /// Where the filter matches more than one request changes: send the same request again with this as `cursor`.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Whether the filter matches more.
    pub has_more: bool,
}

/// What has become of one of many.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkResult {
    /// Its id, or the name it was asked for by.
    #[schema(example = "job_01kc0000000000000000000000")]
    pub id: String,
    /// What has become of it, or would.
    pub outcome: BulkOutcome,
    /// The run, where one was made.
    #[schema(required, example = "run_01kc0000000000000000000000")]
    pub run_id: Option<String>,
    /// Why it could not be changed, where it could not.
    #[schema(required)]
    pub problem: Option<BulkProblem>,
}

/// What has become of one of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkOutcome {
    /// It has been changed.
    Changed,
    /// It was so already.
    Unchanged,
    /// It could not be changed.
    Failed,
}

/// Why one of many could not be changed: what a request about it alone would have been answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkProblem {
    /// What kind of problem it is, for programs.
    pub code: Code,
    /// The HTTP status a request about it alone would have had.
    #[schema(minimum = 400, maximum = 599, example = 409)]
    pub status: u16,
    /// What happened.
    pub detail: String,
    /// What is wrong, part by part.
    pub errors: Vec<PartProblem>,
}

impl BulkAnswer {
    /// What has become of each of `ids`.
    pub fn new<T: Display>(
        dry_run: bool,
        ids: &[T],
        acted: Vec<Result<Acted, SchedulerError>>,
        next_cursor: Option<String>,
    ) -> Self {
        let results: Vec<_> = ids.iter().zip(acted).map(|(id, acted)| BulkResult::new(id, acted)).collect();
        let count = |outcome| results.iter().filter(|it| it.outcome == outcome).count();
        Self {
            dry_run,
            changed: count(BulkOutcome::Changed),
            unchanged: count(BulkOutcome::Unchanged),
            failed: count(BulkOutcome::Failed),
            has_more: next_cursor.is_some(),
            results,
            next_cursor,
        }
    }
}

impl BulkResult {
    fn new(id: &impl Display, acted: Result<Acted, SchedulerError>) -> Self {
        let (outcome, run_id, problem) = match acted {
            Ok(Acted::Changed) => (BulkOutcome::Changed, None, None),
            Ok(Acted::Unchanged) => (BulkOutcome::Unchanged, None, None),
            Ok(Acted::Running(run)) => (BulkOutcome::Changed, Some(run.to_string()), None),
            Err(error) => (BulkOutcome::Failed, None, Some(Problem::from(error).into())),
        };
        Self { id: id.to_string(), outcome, run_id, problem }
    }
}

impl From<Problem> for BulkProblem {
    fn from(Problem { code, detail, errors, .. }: Problem) -> Self {
        Self { code, status: code.status().as_u16(), detail: detail.into_owned(), errors }
    }
}

/// Refuses what names no jobs or runs, or names them in two ways, or too many of them.
pub fn check_selection(ids: Option<usize>, filtered: bool, cursor: bool) -> Result<(), Invalid> {
    let refuse =
        |pointer: &str, code, detail: &str| Err(Invalid(vec![FieldError::new(pointer, code, detail)]));
    match (ids, filtered) {
        (None, false) => refuse("", "missing_field", "give either ids or a filter; {} matches everything"),
        (Some(_), true) => refuse("/filter", "invalid_value", "give either ids or a filter, not both"),
        (Some(0), false) => refuse("/ids", "too_short", "names none"),
        (Some(ids), false) if ids > MOST as usize => refuse("/ids", "too_long", "names more than 1000"),
        (Some(_), false) if cursor => refuse("/cursor", "invalid_value", "goes with a filter only"),
        _ => Ok(()),
    }
}
