//! An attempt that is to be cancelled, or that nobody will hear of, is stopped by whoever makes it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{Instant, RunId};
use engine::Renewal;

use super::super::event::{Event, Who};
use super::super::history::History;
use super::wellness::Wellness;
use super::{Judgement, Violation};

/// What a worker may take to end an attempt: three seconds where the target is deaf, and a little for calls of the store.
const STOPS: TimeDelta = TimeDelta::seconds(6);

/// Why an attempt is to be stopped, since when, and for how long that may take.
#[derive(Clone, Copy)]
struct Order {
    why: &'static str,
    since: Instant,
    patience: TimeDelta,
}

pub(super) fn check(history: &History) -> Judgement {
    let wellness = Wellness::of(history);
    // Workers hear of what happens elsewhere when they prolong their leases.
    let heard = history.lease.to_delta() / 3 + STOPS;
    let mut under_way: BTreeMap<(Who, RunId, u32), Option<Order>> = BTreeMap::new();
    for entry in &history.entries {
        let mut order = |run: RunId, whose: &dyn Fn(Who) -> bool, why, patience| {
            let attempts = under_way.iter_mut().filter(|((who, it, _), _)| *it == run && whose(*who));
            for (_, order) in attempts {
                order.get_or_insert(Order { why, since: entry.at, patience });
            }
        };
        match &entry.event {
            Event::CancelRequested(run) => order(*run, &|_| true, "was to be cancelled", heard),
            Event::Leased { run, .. } => order(run.id, &|_| true, "was taken over", heard),
            Event::Renewed { run, renewal: Renewal::Lost, .. } => {
                order(*run, &|who| who == entry.by, "was known to be lost", STOPS);
            }
            Event::Called { run, attempt, .. } => {
                under_way.insert((entry.by, *run, *attempt), None);
            }
            Event::Ended { run, attempt, .. } => {
                if let Some(Some(order)) = under_way.remove(&(entry.by, *run, *attempt)) {
                    obeyed(&wellness, entry.by, *run, order, entry.at)?;
                }
            }
            _ => {}
        }
    }
    let end = history.entries.last().map(|last| last.at).unwrap_or_default();
    let unheard = under_way.into_iter().filter_map(|(key, order)| Some((key, order?)));
    for ((who, run, _), order) in unheard {
        obeyed(&wellness, who, run, order, end)?;
    }
    Ok(())
}

/// An attempt went on until `at`: was there a reason not to know that it was to be stopped?
fn obeyed(wellness: &Wellness, who: Who, run: RunId, order: Order, at: Instant) -> Judgement {
    let Order { why, since, patience } = order;
    if at <= since + patience || !wellness.was_well(who, since, since + patience) {
        return Ok(());
    }
    let what = format!("an attempt of {who} {why} at {since}, and it was well");
    Err(Violation::new("what is to be stopped is stopped", what).at(at).of_run(run))
}
