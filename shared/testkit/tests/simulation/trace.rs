//! A history as people read it: one line for each event, and only those that matter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::calendar::Edge;
use domain::{Calendar, Instant, Job, JobId, Run, RunId, RunKind};

use super::event::{Answer, Entry, Event};
use super::history::History;
use super::judge::Violation;

/// At most so many lines, the last ones.
const LINES: usize = 60;

/// What happened around a violation.
pub(crate) fn trace(history: &History, violation: &Violation) -> String {
    let names = Names::of(history);
    let (job, run) = (violation.job, violation.run);
    let until = violation.at.unwrap_or(Instant::MAX_UTC);
    let lines: Vec<String> = history
        .entries
        .iter()
        .filter(|entry| entry.at <= until && Names::concerns(&entry.event, job, run))
        .map(|entry| names.line(entry))
        .collect();
    let from = lines.len().saturating_sub(LINES);
    let mut text = String::new();
    if from > 0 {
        let _ = writeln!(text, "  … {from} earlier events");
    }
    for line in &lines[from..] {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// Everything that happened.
pub(crate) fn retell(history: &History) -> String {
    let names = Names::of(history);
    history.entries.iter().map(|entry| names.line(entry) + "\n").collect()
}

/// What jobs and runs are called.
struct Names {
    start: Instant,
    of_jobs: BTreeMap<JobId, String>,
    of_runs: BTreeMap<RunId, String>,
}

impl Names {
    fn of(history: &History) -> Self {
        let start = history.entries.first().map(|entry| entry.at).unwrap_or_default();
        let mut names = Self { start, of_jobs: BTreeMap::new(), of_runs: BTreeMap::new() };
        for entry in &history.entries {
            match &entry.event {
                Event::JobInserted(job) => {
                    let number = names.of_jobs.len();
                    names.of_jobs.insert(job.id, format!("j{number}"));
                }
                Event::Fired { firing, .. } => firing.runs.iter().for_each(|run| names.learn(run)),
                Event::JobReplaced(_, closing) => closing.iter().for_each(|run| names.learn(run)),
                Event::RunInserted(run) => names.learn(run),
                _ => {}
            }
        }
        names
    }

    fn learn(&mut self, run: &Run) {
        let kind = if run.kind == RunKind::Manual { "manual" } else { "" };
        let name = format!("{}@{}{kind}", self.job(run.job_id), self.time(run.scheduled_for));
        self.of_runs.insert(run.id, name);
    }

    fn job(&self, job: JobId) -> &str {
        self.of_jobs.get(&job).map_or("a job", String::as_str)
    }

    fn run(&self, run: RunId) -> &str {
        self.of_runs.get(&run).map_or("a run", String::as_str)
    }

    fn time(&self, at: Instant) -> String {
        format!("{:.3}", (at - self.start).as_seconds_f64())
    }

    /// Whether an event names the run, or else the job, or befalls nodes.
    fn concerns(event: &Event, job: Option<JobId>, run: Option<RunId>) -> bool {
        if matches!(event, Event::Node(_) | Event::Healed) {
            return true;
        }
        let text = format!("{event:?}");
        match (job, run) {
            (_, Some(run)) => text.contains(&format!("{run:?}")),
            (Some(job), None) => text.contains(&format!("{job:?}")),
            (None, None) => true,
        }
    }

    fn line(&self, entry: &Entry) -> String {
        format!("{:>8} {:<5} {}", self.time(entry.at), entry.by.to_string(), self.say(&entry.event))
    }

    fn say(&self, event: &Event) -> String {
        match event {
            Event::JobInserted(job) => format!("stored {}", self.definition(job)),
            Event::JobReplaced(job, closing) => {
                format!("changed {}{}", self.definition(job), self.runs(closing))
            }
            Event::JobDeleted(job) => format!("deleted {}", self.job(*job)),
            Event::Fired { now, firing } => format!(
                "fired {} at {}, next {}{}",
                self.job(firing.job_id),
                self.time(*now),
                self.next(firing.next_fire_at),
                self.runs(&firing.runs)
            ),
            Event::RunInserted(run) => format!("inserted {}", self.state(run)),
            Event::Leased { run, was } => format!("leased, was {}: {}", was.as_str(), self.state(run)),
            Event::Renewed { run, token, until, renewal } => {
                format!("renewed {} #{token} until {}: {renewal:?}", self.run(*run), self.time(*until))
            }
            Event::Settled { run, token, written } => {
                let done = if *written { "settled" } else { "settles too late" };
                format!("{done} by #{token}: {}", self.state(run))
            }
            Event::CancelRequested(run) => format!("is to cancel {}", self.run(*run)),
            Event::CalendarPut(calendar) => self.calendar(calendar),
            Event::Reopened(run) => format!("reopened {}", self.state(run)),
            Event::Called { run, attempt, clock, .. } => {
                format!(
                    "called the target of {}, attempt {attempt}, at {}",
                    self.run(*run),
                    self.time(*clock)
                )
            }
            Event::Ended { run, attempt, verdict: Some(verdict), .. } => {
                format!("heard of {}, attempt {attempt}: {verdict:?}", self.run(*run))
            }
            Event::Ended { run, attempt, verdict: None, .. } => {
                format!("gave up on {}, attempt {attempt}", self.run(*run))
            }
            Event::Asked(number, request) => format!("asks {number}: {request:?}"),
            Event::Told(number, answer) => match answer {
                Answer::Job(job) => format!("is told {number}: {}", self.definition(job)),
                Answer::Run(run) => format!("is told {number}: {}", self.state(run)),
                other => format!("is told {number}: {other:?}"),
            },
            Event::Node(fate) => format!("{fate:?}"),
            Event::Trouble { call, trouble } => format!("{call}: {trouble:?}"),
            Event::Healed => "all faults are over".to_owned(),
        }
    }

    fn definition(&self, job: &Job) -> String {
        let draft = &job.draft;
        let schedule = serde_json::to_string(&draft.schedule).unwrap_or_default();
        let modes = draft.calendars.iter().zip(&job.calendars);
        let calendars: Vec<_> =
            modes.map(|(it, copy)| format!(" {:?} {} v{}", it.mode, it.name, copy.version)).collect();
        let calendars = calendars.concat();
        format!(
            "{} v{} {:?} next {} by {} {schedule} {:?} {:?} {:?}–{:?} jitter {}{calendars}",
            self.job(job.id),
            job.version,
            job.state,
            self.next(job.next_fire_at.or(job.pause.as_ref().and_then(|pause| pause.since))),
            self.time(job.updated_at),
            draft.misfire,
            draft.overlap,
            draft.start_at.map(|at| self.time(at)),
            draft.end_at.map(|at| self.time(at)),
            draft.jitter,
        )
    }

    fn calendar(&self, calendar: &Calendar) -> String {
        let ranges = calendar.draft.ranges.iter().map(|range| match (range.from, range.until) {
            (Edge::Time(from), Edge::Time(until)) => {
                format!(" {}–{}", self.time(from.and_utc()), self.time(until.and_utc()))
            }
            _ => String::new(),
        });
        format!("put {} v{}:{}", calendar.name, calendar.version, ranges.collect::<String>())
    }

    fn next(&self, at: Option<Instant>) -> String {
        at.map_or("never".to_owned(), |at| self.time(at))
    }

    fn runs(&self, runs: &[Run]) -> String {
        let runs: Vec<String> = runs.iter().map(|run| format!("; {}", self.state(run))).collect();
        runs.concat()
    }

    fn state(&self, run: &Run) -> String {
        let mut text = format!("{} #{} {}", self.run(run.id), run.token, run.status.as_str());
        if let Some(reason) = run.reason {
            let _ = write!(text, " ({reason:?})");
        }
        if let Some(until) = run.scheduled_until {
            let _ = write!(text, " ×{} to {}", run.count, self.time(until));
        }
        if let Some(worker) = &run.worker {
            let _ = write!(text, " of {worker}");
        }
        if let Some(due_at) = run.due_at {
            let _ = write!(text, " until {}", self.time(due_at));
        }
        if let Some(last) = run.attempts.last() {
            let _ = write!(text, ", attempt {} {}", last.number, last.outcome.as_str());
        }
        text
    }
}
