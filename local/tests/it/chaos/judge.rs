//! Compares three accounts of what happened: the receiver's, the service's records, and what was due.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::receiver::Received;
use super::world::due_for;
use crate::quickstart::instant;

/// What a scenario came to.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) occurrences: i64,
    pub(super) executed: usize,
    pub(super) calls: usize,
    pub(super) abandoned: usize,
    /// From the start of an attempt until the loss of its worker was noticed, at most.
    pub(super) takeover: TimeDelta,
}

/// Fails where an occurrence is lost, recorded twice, carried out early, or changed by a worker that had lost it.
pub(super) fn judge(jobs: &[Value], runs: &[Value], calls: &[Received]) -> Verdict {
    let mut verdict = Verdict { calls: calls.len(), ..Verdict::default() };
    for job in jobs {
        let mine: Vec<&Value> = runs.iter().filter(|run| run["job_id"] == job["id"]).collect();
        verdict.occurrences += every_occurrence_has_one_record(job, &mine);
    }
    let mut calls_of: BTreeMap<&str, Vec<&Received>> = BTreeMap::new();
    for call in calls {
        assert!(call.scheduled_for <= call.at, "early: {call:?}");
        calls_of.entry(&call.run).or_default().push(call);
    }
    for run in runs {
        let calls = calls_of.remove(run["id"].as_str().unwrap()).unwrap_or_default();
        records_agree_with_calls(run, &calls);
        verdict.executed += usize::from(run["status"] == "succeeded");
        let mut before = instant(&run["created_at"]);
        for attempt in attempts(run) {
            let ended = instant(&attempt["finished_at"]);
            if attempt["outcome"] == "abandoned" {
                // The worker lived when the target heard of it, or when the attempt could begin at the earliest.
                let called = calls.iter().find(|call| attempt["number"] == call.attempt);
                verdict.abandoned += 1;
                verdict.takeover = verdict.takeover.max(ended - called.map_or(before, |call| call.at));
            }
            before = ended;
        }
    }
    assert!(calls_of.is_empty(), "calls without a record: {calls_of:#?}");
    verdict
}

/// Walks the job's grid from its first record to its next occurrence; how many occurrences there were.
fn every_occurrence_has_one_record(job: &Value, runs: &[&Value]) -> i64 {
    let second = TimeDelta::seconds(1);
    let created = instant(&job["created_at"]);
    let mut expected = due_for(runs[0]);
    assert!(created < expected && expected <= created + second, "the first occurrence follows the creation");
    let mut count = 0;
    for run in runs {
        assert_eq!(due_for(run), expected, "lost or doubled before {run:#}");
        let stands_for = run["count"].as_i64().unwrap();
        count += stands_for;
        expected += second * i32::try_from(stands_for).unwrap();
    }
    assert_eq!(instant(&job["next_fire_at"]), expected, "the next occurrence follows the last record");
    count
}

fn records_agree_with_calls(run: &Value, calls: &[&Received]) {
    let tried = attempts(run).count() as u64;
    let succeeded = attempts(run).filter(|attempt| attempt["outcome"] == "succeeded").count();
    match run["status"].as_str().unwrap() {
        "succeeded" => {
            assert!(!calls.is_empty(), "recorded, but never called: {run:#}");
            let last = attempts(run).last().unwrap();
            assert!(succeeded == 1 && last["outcome"] == "succeeded", "a stale write: {run:#}");
            assert!(calls.iter().any(|call| call.attempt == tried), "another attempt succeeded: {run:#}");
        }
        // Those that the end of the test found under way.
        "pending" | "running" => assert_eq!(succeeded, 0, "{run:#}"),
        _ => panic!("every occurrence was to be executed: {run:#}"),
    }
    if let Some(started) = run["started_at"].as_str() {
        let started: DateTime<Utc> = started.parse().unwrap();
        assert!(due_for(run) <= started, "early: {run:#}");
    }
    let distinct: BTreeSet<u64> = calls.iter().map(|call| call.attempt).collect();
    assert_eq!(distinct.len(), calls.len(), "an attempt was made twice: {run:#} {calls:#?}");
    assert!(distinct.last().is_none_or(|last| *last <= tried + 1), "not on record: {run:#} {calls:#?}");
    for call in calls {
        assert_eq!(
            (&call.job, call.scheduled_for),
            (&run["job_name"].as_str().unwrap().to_owned(), due_for(run))
        );
    }
}

fn attempts(run: &Value) -> impl Iterator<Item = &Value> {
    run["attempts"].as_array().unwrap().iter()
}
