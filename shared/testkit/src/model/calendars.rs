//! The operations on calendars.

use std::fmt::Write;

use domain::Calendar;
use engine::CalendarQuery;
use proptest::prelude::*;

use super::act::{normal, say};
use super::op::{List, list};
use super::world::{World, key, project};
use crate::Fixture;
use crate::fixtures::{calendar, days};

/// One step. Versions are small numbers that fit now and then.
#[derive(Clone, Debug)]
pub(super) enum CalendarOp {
    Put { name: u8, project: u8, version: u64, day: u32 },
    Delete { name: u8, project: u8, version: u64 },
    Find { name: u8, project: u8 },
    List { list: List },
    Corrupt { name: u8, project: u8 },
}

pub(super) fn op() -> impl Strategy<Value = CalendarOp> {
    let pick = any::<u8>;
    let version = || prop_oneof![4 => Just(1_u64), 2 => Just(2), 1 => Just(3)];
    prop_oneof![
        6 => (pick(), pick(), version(), 1..29_u32)
            .prop_map(|(name, project, version, day)| CalendarOp::Put { name, project, version, day }),
        2 => (pick(), pick(), version())
            .prop_map(|(name, project, version)| CalendarOp::Delete { name, project, version }),
        2 => (pick(), pick()).prop_map(|(name, project)| CalendarOp::Find { name, project }),
        2 => list().prop_map(|list| CalendarOp::List { list }),
        1 => (pick(), pick()).prop_map(|(name, project)| CalendarOp::Corrupt { name, project }),
    ]
}

/// What came of it.
pub(super) async fn perform(op: &CalendarOp, world: &World, it: &Fixture) -> String {
    let calendars = &*it.calendars;
    match op {
        CalendarOp::Put { name, project: of, version, day } => {
            let draft = days([format!("2027-02-{day:02}").as_str()]);
            let (project, version) = (project(*of).to_owned(), *version);
            let calendar =
                Calendar { project, version, updated_at: world.now(), ..calendar(key(*name), draft) };
            say(calendars.put_calendar(&calendar).await)
        }
        CalendarOp::Delete { name, project: of, version } => {
            say(calendars.delete_calendar(project(*of), key(*name), *version).await)
        }
        CalendarOp::Find { name, project: of } => {
            // In which words a store says that it cannot read one is its own affair.
            say(calendars.calendar(project(*of), key(*name)).await.map_err(|_| "unreadable"))
        }
        CalendarOp::List { list } => pages(it, project(list.project), list.limit).await,
        CalendarOp::Corrupt { name, project: of } => {
            it.backdoor.corrupt_calendar(project(*of), key(*name)).await;
            String::new()
        }
    }
}

/// All pages of a project's list, one after the other.
pub(super) async fn pages(it: &Fixture, project: &str, limit: u32) -> String {
    let mut query = CalendarQuery { project: project.to_owned(), after: None, limit };
    let mut seen = String::new();
    for _ in 0..100 {
        let page = match it.calendars.calendars(&query).await {
            Ok(page) => page,
            Err(error) => return seen + &say(normal(error)),
        };
        let _ = write!(seen, "{:?} {}; ", page.items, page.has_more);
        let Some(last) = page.items.last().filter(|_| page.has_more) else { break };
        query.after = Some(last.name.clone());
    }
    seen
}
