//! One holder at a time: a lease is granted when the one before is over, and only its holder writes.

use domain::RunStatus;
use engine::Renewal;

use super::super::event::Event;
use super::super::history::History;
use super::replay::Replay;
use super::{Judgement, Violation};

pub(super) fn check(history: &History) -> Judgement {
    let mut runs = Replay::default();
    for entry in &history.entries {
        let broken =
            |run, what: String| Err(Violation::new("one holder at a time", what).at(entry.at).of_run(run));
        match &entry.event {
            Event::Leased { run, was } => {
                let Some(known) = runs.get(run.id) else {
                    return broken(run.id, "a run was leased that nobody had inserted".to_owned());
                };
                if known.status != *was || was.is_finished() {
                    let status = known.status.as_str();
                    return broken(run.id, format!("leased as {}, but it is {status}", was.as_str()));
                }
                if let Some(due_at) = known.due_at.filter(|due_at| *due_at > entry.at) {
                    let what = match was {
                        RunStatus::Running => "leased again while its lease lasts",
                        _ => "leased before it is due,",
                    };
                    return broken(run.id, format!("{what} until {due_at}"));
                }
                if run.token != known.token + 1 {
                    return broken(run.id, format!("token {} follows {}", run.token, known.token));
                }
            }
            Event::Renewed { run, token, renewal, .. } => {
                let ours =
                    runs.get(*run).is_some_and(|it| it.token == *token && it.status == RunStatus::Running);
                if ours == (*renewal == Renewal::Lost) {
                    return broken(*run, format!("token {token} was prolonged: {renewal:?}"));
                }
            }
            Event::Settled { run, token, written } => {
                let ours = runs.get(run.id).is_some_and(|it| it.token == *token && !it.status.is_finished());
                if *written && !ours {
                    return broken(
                        run.id,
                        format!("a stale write landed: {} by token {token}", run.status.as_str()),
                    );
                }
                if !*written && ours {
                    return broken(run.id, format!("a write by the current token {token} was refused"));
                }
            }
            Event::Reopened(run) => {
                let again = [RunStatus::Failed, RunStatus::TimedOut, RunStatus::Cancelled];
                if !runs.get(run.id).is_some_and(|it| it.token == run.token && again.contains(&it.status)) {
                    return broken(run.id, "reopened although it has not ended badly".to_owned());
                }
            }
            _ => {}
        }
        runs.pass(entry);
    }
    kept(history, &runs)
}

/// What the store acknowledged is what it holds in the end.
fn kept(history: &History, runs: &Replay) -> Judgement {
    for (id, known) in runs.iter() {
        let broken = |what: String| Err(Violation::new("what is written is kept", what).of_run(*id));
        match history.runs.get(id) {
            None => return broken("the run is gone".to_owned()),
            Some(run) if (run.status, run.token) != (known.status, known.token) => {
                let (is, was) = (run.status.as_str(), known.status.as_str());
                return broken(format!(
                    "it is {is} with token {}, not {was} with {}",
                    run.token, known.token
                ));
            }
            Some(_) => {}
        }
    }
    match history.runs.keys().find(|id| runs.get(**id).is_none()) {
        Some(id) => Err(Violation::new("what is written is kept", "a run nobody inserted").of_run(*id)),
        None => Ok(()),
    }
}
