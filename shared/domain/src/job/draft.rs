//! What a user writes of a job, and what may be wrong with it by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::CalendarUse;
use crate::duration::shorten;
use crate::invalid::{Findings, Invalid};
use crate::name::check_name;
use crate::plan::Timing;
use crate::policy::{Misfire, Overlap, Retry};
use crate::schedule::{Schedule, with_millis};
use crate::target::Target;
use crate::{HumanDuration, Instant};

/// What a user writes: everything about a job that is theirs to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobDraft {
    /// Unique within the project.
    #[schema(example = "nightly-report", min_length = 1, max_length = 128)]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub description: String,
    /// For finding and grouping.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// When it is due.
    pub schedule: Schedule,
    /// What it calls.
    pub target: Target,
    /// What happens after a failed attempt.
    #[serde(default)]
    pub retry: Retry,
    /// How long one attempt may take.
    #[serde(default = "thirty_seconds")]
    #[schema(value_type = String, default = "30s")]
    pub timeout: HumanDuration,
    /// How long after it was due a run may take in all, with waiting and retries. No attempt begins later, one that
    /// goes on is stopped, and the run ends as `timed_out`, or as `missed` where it was never tried; reason `deadline`.
    /// A run on request counts from the request.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "1h")]
    pub deadline: Option<HumanDuration>,
    /// What happens to occurrences noticed late.
    #[serde(default)]
    pub misfire: Misfire,
    /// What happens to an occurrence that is due while an earlier run is not finished.
    #[serde(default)]
    pub overlap: Overlap,
    /// At most so many of its runs are carried out at a time, whatever made them; others wait, in order. No limit where not
    /// given. A run that waits for its next attempt takes no place.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    pub concurrency: Option<u32>,
    /// Pauses the job after so many failed runs in a row.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    pub pause_after_failures: Option<u32>,
    /// Spreads jobs due at the same time: each occurrence is due up to so much after its nominal time, always
    /// the same for the same occurrence, and always before the next one.
    #[serde(default)]
    #[schema(value_type = String, default = "0s", example = "30s")]
    pub jitter: HumanDuration,
    /// Which calendars it leaves out or keeps to. An occurrence must be admitted by all of them.
    #[serde(default)]
    #[schema(max_items = 16)]
    pub calendars: Vec<CalendarUse>,
    /// No occurrence before this instant.
    #[serde(default, serialize_with = "with_millis")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_at: Option<Instant>,
    /// No occurrence after this instant.
    #[serde(default, serialize_with = "with_millis")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end_at: Option<Instant>,
    /// Ends the schedule after so many of its runs have started, counted since the job was created. Skipped and missed
    /// occurrences, manual runs, backfills and retries do not count.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub max_runs: Option<u32>,
}

fn thirty_seconds() -> HumanDuration {
    HumanDuration::from_secs(30)
}

impl JobDraft {
    /// What of it says when the job is due.
    pub fn timing(&self) -> Timing<'_> {
        Timing {
            schedule: &self.schedule,
            start_at: self.start_at,
            end_at: self.end_at,
            calendars: &self.calendars,
            jitter: self.jitter,
        }
    }

    /// Everything wrong with the draft, apart from its timing.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        findings.nest("/name", check_name(&self.name));
        findings.require(self.description.len() <= 4096, "/description", "too_long", || {
            "longer than 4096 bytes".to_owned()
        });
        findings.nest("/labels", check_labels(&self.labels));
        findings.nest("/target", self.target.check());
        findings.nest("/retry", self.retry.check());
        findings.nest("/misfire", self.misfire.check());
        let concurrency = self.concurrency.is_none_or(|most| (1..=1_000).contains(&most));
        findings
            .require(concurrency, "/concurrency", "out_of_range", || "must be between 1 and 1000".to_owned());
        let failures = self.pause_after_failures.is_none_or(|failures| (1..=1_000).contains(&failures));
        findings.require(failures, "/pause_after_failures", "out_of_range", || {
            "must be between 1 and 1000".to_owned()
        });
        findings.nest("", check_max_runs(self.max_runs));
        let shortest = HumanDuration::from_millis(1);
        let longest = self.target.longest_timeout();
        findings.require((shortest..=longest).contains(&self.timeout), "/timeout", "out_of_range", || {
            format!("{} is outside {shortest}–{longest}", self.timeout)
        });
        let (least, most) = (HumanDuration::from_secs(1), HumanDuration::from_secs(31 * 86_400));
        if let Some(deadline) = self.deadline {
            findings.require((least..=most).contains(&deadline), "/deadline", "out_of_range", || {
                format!("{deadline} is outside {least}–{most}")
            });
        }
        findings.finish()
    }
}

/// More than a job that is due every second makes in thirty years.
const MOST_RUNS: u32 = 1_000_000_000;

/// What is wrong with a job's `max_runs`, or with what is to be one.
///
/// # Errors
/// Where it is given and outside 1–1 000 000 000.
pub fn check_max_runs(max_runs: Option<u32>) -> Result<(), Invalid> {
    if max_runs.is_none_or(|runs| (1..=MOST_RUNS).contains(&runs)) {
        return Ok(());
    }
    Err(Invalid::one("/max_runs", "out_of_range", format!("must be between 1 and {MOST_RUNS}")))
}

fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), Invalid> {
    let mut findings = Findings::default();
    findings.require(labels.len() <= 32, "", "too_long", || "more than 32 labels".to_owned());
    for (key, value) in labels.iter().take(32) {
        let pointer = format!("/{}", shorten(key).replace('~', "~0").replace('/', "~1"));
        let plain = (1..=63).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte));
        findings.require(plain, &pointer, "invalid_value", || {
            "a label's key is 1–63 letters, digits, dots, dashes, slashes or underscores".to_owned()
        });
        let printable = value.chars().count() <= 128 && !value.chars().any(char::is_control);
        findings.require(printable, &pointer, "invalid_value", || {
            "a label's value is at most 128 printable characters".to_owned()
        });
    }
    findings.finish()
}
