//! The judge: reads the history of a run and finds what must not have happened.
//!
//! It trusts no decision of the engine. What was due it works out from the definitions themselves, who held a lease
//! it follows grant by grant, and what was executed it takes from the targets. Each rule is a file of its own.

mod attempts;
mod calendars;
mod calls;
mod definitions;
mod due;
mod endings;
mod leases;
mod ledger;
mod misfires;
mod overlap;
mod promises;
mod replay;
mod stops;
mod timely;
mod wellness;

use std::fmt;

use domain::{Instant, JobId, RunId};

pub(crate) use self::wellness::Wellness;
use super::history::History;

/// What must not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The rule that was broken.
    pub(crate) rule: &'static str,
    /// What happened.
    pub(crate) what: String,
    /// When, as far as it has a time.
    pub(crate) at: Option<Instant>,
    pub(crate) job: Option<JobId>,
    pub(crate) run: Option<RunId>,
}

impl Violation {
    fn new(rule: &'static str, what: impl Into<String>) -> Self {
        Self { rule, what: what.into(), at: None, job: None, run: None }
    }

    fn at(self, at: Instant) -> Self {
        Self { at: Some(at), ..self }
    }

    fn of_job(self, job: JobId) -> Self {
        Self { job: Some(job), ..self }
    }

    fn of_run(self, run: RunId) -> Self {
        Self { run: Some(run), ..self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(run) = self.run {
            write!(f, "; {run}")?;
        }
        if let Some(job) = self.job {
            write!(f, "; {job}")?;
        }
        Ok(())
    }
}

type Judgement = Result<(), Violation>;

/// The first violation of each rule, if any.
pub(crate) fn judge(history: &History) -> Vec<Violation> {
    let rules = [
        leases::check,
        calls::check,
        definitions::check,
        ledger::check,
        attempts::check,
        overlap::check,
        misfires::check,
        calendars::check,
        promises::check,
        endings::check,
        stops::check,
        timely::check,
    ];
    rules.into_iter().filter_map(|rule| rule(history).err()).collect()
}
