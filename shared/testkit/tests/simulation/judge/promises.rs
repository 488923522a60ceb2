//! What users were told is done was done, and stays so.

use std::collections::BTreeMap;

use domain::{Job, RunId};

use super::super::event::{Answer, Event, Request};
use super::super::history::History;
use super::{Judgement, Violation};

pub(super) fn check(history: &History) -> Judgement {
    let mut asked: BTreeMap<u32, (usize, &Request)> = BTreeMap::new();
    for (index, entry) in history.entries.iter().enumerate() {
        match &entry.event {
            Event::Asked(number, request) => drop(asked.insert(*number, (index, request))),
            Event::Told(number, answer) => {
                let Some((since, request)) = asked.remove(number) else { continue };
                let meanwhile = Meanwhile { history, since, until: index };
                meanwhile.kept(request, answer).map_err(|what| {
                    Violation::new("promises are kept", format!("request {number}, {request:?}: {what}"))
                        .at(entry.at)
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The time between a request and its answer.
struct Meanwhile<'a> {
    history: &'a History,
    since: usize,
    until: usize,
}

impl Meanwhile<'_> {
    fn kept(&self, request: &Request, answer: &Answer) -> Result<(), String> {
        match (request, answer) {
            (_, Answer::Job(job)) => self.changed(request, job),
            (_, Answer::Deleted) => self.happened(
                |event| matches!((request, event), (Request::Delete(job), Event::JobDeleted(it)) if job == it),
                "it was not deleted",
            ),
            (Request::RunNow(_), Answer::Run(run)) => self.is_kept(run.id),
            (Request::Cancel(_), Answer::Run(run)) => self.happened(
                |event| matches!(event, Event::CancelRequested(it) if *it == run.id),
                "nobody marked it to be cancelled",
            ),
            (Request::Retry(_), Answer::Run(run)) => self.happened(
                |event| matches!(event, Event::Reopened(it) if it.id == run.id),
                "nobody opened it again",
            ),
            _ => Ok(()),
        }
    }

    /// The answer is a definition that the job has had, and what was asked for is true of it.
    fn changed(&self, request: &Request, answer: &Job) -> Result<(), String> {
        let known = self.history.definitions(answer.id).take_while(|(index, _)| *index < self.until);
        let Some((_, job)) = known.last().filter(|(_, job)| job.version >= answer.version) else {
            return Err(format!("version {} was never stored", answer.version));
        };
        let same = self.history.definitions(answer.id).find(|(_, it)| it.version == answer.version);
        let ended =
            |it: &Job| answer.pause.is_none() && it.pause.as_ref().is_some_and(|it| it.until.is_some());
        let is_it = |it: &Job| it.draft == answer.draft && (it.pause == answer.pause || ended(it));
        if !same.is_some_and(|(_, it)| is_it(it)) {
            return Err(format!("version {} was stored with other contents", answer.version));
        }
        let true_of_it = match request {
            Request::Pause(_) => answer.pause.is_some(),
            Request::Resume(_) => answer.pause.is_none(),
            Request::Create(name) => answer.draft.name == *name,
            _ => true,
        };
        if true_of_it { Ok(()) } else { Err(format!("it was answered with {:?}", job.state)) }
    }

    fn happened(&self, what: impl Fn(&Event) -> bool, otherwise: &str) -> Result<(), String> {
        let mut meanwhile = self.history.entries[self.since..self.until].iter();
        if meanwhile.any(|entry| what(&entry.event)) { Ok(()) } else { Err(otherwise.to_owned()) }
    }

    fn is_kept(&self, run: RunId) -> Result<(), String> {
        if self.history.runs.contains_key(&run) { Ok(()) } else { Err("the run is nowhere".to_owned()) }
    }
}
