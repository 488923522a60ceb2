//! Runs without their attempts: what lists of very many need of each.

use domain::{HumanDuration, Instant, JobId, Reason, Run, RunId, RunKind, RunStatus};
use serde::Deserialize;
use uuid::Uuid;

use crate::record::numbered;

/// The gist of a run: everything but its attempts and its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunGist {
    /// Its id.
    pub id: RunId,
    /// Its job.
    pub job_id: JobId,
    /// What made it.
    pub kind: RunKind,
    /// Where it stands.
    pub status: RunStatus,
    /// Why it was not executed, or was cancelled.
    pub reason: Option<Reason>,
    /// The nominal time.
    pub scheduled_for: Instant,
    /// The last of the occurrences it stands for, where it stands for several.
    pub scheduled_until: Option<Instant>,
    /// How many occurrences it stands for.
    pub count: u64,
    /// How much later than its nominal time it was due.
    pub jitter: HumanDuration,
    /// When its first attempt started.
    pub started_at: Option<Instant>,
    /// When its last attempt ended, or it was decided that there will be none.
    pub finished_at: Option<Instant>,
}

impl RunGist {
    /// How long after it was due it started.
    pub fn lag(&self) -> Option<HumanDuration> {
        Some(HumanDuration::between(self.scheduled_for + self.jitter.to_delta(), self.started_at?))
    }

    /// How long it took, from its first attempt to its end.
    pub fn duration(&self) -> Option<HumanDuration> {
        Some(HumanDuration::between(self.started_at?, self.finished_at?))
    }
}

impl From<&Run> for RunGist {
    fn from(run: &Run) -> Self {
        Self {
            id: run.id,
            job_id: run.job_id,
            kind: run.kind,
            status: run.status,
            reason: run.reason,
            scheduled_for: run.scheduled_for,
            scheduled_until: run.scheduled_until,
            count: run.count,
            jitter: run.jitter,
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}

/// A gist as a row: the run's columns, and the beginning of its document.
///
/// A document may hold long answers of targets, and what is wanted comes before them: so stores read no more of it than
/// [`GistRecord::HEAD`] characters.
#[derive(Clone, Debug)]
pub struct GistRecord {
    /// Key.
    pub id: Uuid,
    /// Its job's.
    pub job_id: Uuid,
    /// [`RunKind`] as a number.
    pub kind: i16,
    /// [`RunStatus`] as a number.
    pub status: i16,
    /// The nominal time.
    pub scheduled_for: Instant,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// The beginning of its document.
    pub head: String,
}

#[derive(Default, Deserialize)]
struct Head {
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    scheduled_until: Option<Instant>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    jitter: Option<HumanDuration>,
    #[serde(default)]
    started_at: Option<Instant>,
}

impl GistRecord {
    /// How much of a document is read.
    pub const HEAD: i32 = 4_096;

    /// The gist. Where the document cannot be read its details are empty, as they are of the run itself.
    pub fn into_gist(self) -> RunGist {
        let head = read(&self.head);
        RunGist {
            id: RunId(self.id),
            job_id: JobId(self.job_id),
            kind: numbered(&RunKind::ALL, self.kind).unwrap_or(RunKind::Manual),
            status: numbered(&RunStatus::ALL, self.status).unwrap_or(RunStatus::Failed),
            reason: head.reason,
            scheduled_for: self.scheduled_for,
            scheduled_until: head.scheduled_until,
            count: head.count.unwrap_or(1),
            jitter: head.jitter.unwrap_or_default(),
            started_at: head.started_at,
            finished_at: self.finished_at,
        }
    }
}

/// Reads what comes before the attempts and what was asked for. Quotes within a JSON string are escaped, so these keys
/// are found nowhere before.
fn read(head: &str) -> Head {
    let ends = [r#","attempts":"#, r#","asked":"#].iter().filter_map(|key| head.find(key));
    match ends.min() {
        Some(end) => serde_json::from_str(&format!("{}}}", &head[..end])).unwrap_or_default(),
        None => serde_json::from_str(head).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use domain::Asked;
    use domain::run::{Attempt, AttemptOutcome};

    use super::*;
    use crate::record::RunRecord;

    fn at(millis: i64) -> Instant {
        Instant::from_timestamp_millis(millis).unwrap()
    }

    fn run(job_name: &str) -> Run {
        let job_id = JobId::new(at(1_790_000_000_000), 7);
        let attempt = Attempt {
            number: 1,
            started_at: at(1_790_000_001_000),
            finished_at: at(1_790_000_002_000),
            outcome: AttemptOutcome::Failed,
            error: None,
            request: None,
            response: None,
            details: None,
            worker: Some("x".repeat(10_000)),
        };
        Run {
            id: RunId::derive(job_id, at(1_790_000_000_000), RunKind::Schedule, 0),
            project: "default".to_owned(),
            job_id,
            job_name: job_name.to_owned(),
            kind: RunKind::Schedule,
            status: RunStatus::Failed,
            reason: Some(Reason::Requested),
            scheduled_for: at(1_790_000_000_000),
            scheduled_until: Some(at(1_790_000_000_500)),
            count: 7,
            jitter: HumanDuration::from_millis(250),
            due_at: None,
            token: 1,
            worker: None,
            cancel_requested: false,
            created_at: at(1_790_000_000_100),
            started_at: Some(at(1_790_000_001_000)),
            finished_at: Some(at(1_790_000_002_000)),
            attempts: vec![attempt],
            asked: None,
            accepted: None,
            reopened_at: None,
        }
    }

    fn from_row(record: &RunRecord, head: &str) -> RunGist {
        let RunRecord { id, job_id, kind, status, scheduled_for, finished_at, .. } = *record;
        GistRecord { id, job_id, kind, status, scheduled_for, finished_at, head: head.to_owned() }.into_gist()
    }

    /// The beginning of a row's document says all that the whole run would.
    #[test]
    fn the_beginning_of_a_document_is_enough() {
        let longest = "\u{10ffff}".repeat(128);
        for name in ["nightly", r#"a,"attempts":[]"#, r#"","attempts":"#, "\\", &longest] {
            let run = run(name);
            let record = RunRecord::from(&run);
            let most = usize::try_from(GistRecord::HEAD).unwrap();
            let head: String = record.document.chars().take(most).collect();
            assert_eq!(from_row(&record, &head), RunGist::from(&run), "{name}");
        }
        let payload = Some(serde_json::json!({"a": 1, "attempts": ["x".repeat(10_000)]}));
        let asked = Asked { payload, ..Asked::default() }.boxed();
        for attempts in [Vec::new(), run("nightly").attempts] {
            let asked_for = Run { asked: asked.clone(), attempts, ..run("nightly") };
            let record = RunRecord::from(&asked_for);
            let head = record.document[..4_096].to_owned();
            assert_eq!(from_row(&record, &head), RunGist::from(&asked_for));
        }
        let waiting = Run { started_at: None, finished_at: None, attempts: Vec::new(), ..run("nightly") };
        let record = RunRecord::from(&waiting);
        let document = record.document.clone();
        assert_eq!(from_row(&record, &document), RunGist::from(&waiting));
    }

    #[test]
    fn a_document_that_cannot_be_read_costs_the_details() {
        for head in ["", "{", r#"{"v":1,"job_name":7,"count":"many"}"#, "null", r#"{"v":1,"attempts":[{"#] {
            let gist = from_row(&RunRecord::from(&run("nightly")), head);
            assert_eq!((gist.count, gist.started_at, gist.status), (1, None, RunStatus::Failed), "{head}");
        }
    }

    #[test]
    fn lag_and_duration_are_measured_from_what_was_due() {
        let gist = RunGist::from(&run("nightly"));
        assert_eq!(gist.lag(), Some(HumanDuration::from_millis(750)));
        assert_eq!(gist.duration(), Some(HumanDuration::from_secs(1)));
    }
}
