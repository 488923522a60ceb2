//! `scheduler cron explain`: what a cron expression means, and when it is due; asks no database.

use std::process::ExitCode;

use anyhow::Context;
use api::{Jitter, SchedulePreview};
use clap::ArgMatches;
use domain::plan::Timing;
use domain::schedule::{Cron, Fold, Gap};
use domain::time::Zone;
use domain::{HumanDuration, Instant, Invalid, JobId, Plan, Schedule};
use engine::Clock;

use crate::system::SystemClock;

pub(crate) fn explain(zone: &Zone, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let said = |name: &str| matches.get_one::<String>(name).cloned();
    let from: Instant = match said("from") {
        Some(from) => from.parse().context("--from: expected an instant such as 2026-11-24T00:00:00Z")?,
        None => SystemClock.now(),
    };
    let count = matches.get_one::<u16>("count").copied().unwrap_or(10);
    // As a job would be created at that instant: `rate(…)` begins with it.
    let schedule = read(&said("expression").unwrap_or_default(), zone)?.resolved(zone, from, None);
    let timing = Timing {
        schedule: &schedule,
        start_at: None,
        end_at: None,
        calendars: &[],
        jitter: HumanDuration::ZERO,
    };
    let plan = Plan::compile(JobId::NIL, &timing, &[])?;
    let preview = SchedulePreview::new(&schedule, &plan, Jitter::None, from, count.into(), None);
    if said("output").as_deref() == Some("json") {
        println!("{}", serde_json::to_string_pretty(&preview)?);
    } else {
        print(&preview);
    }
    Ok(ExitCode::SUCCESS)
}

fn read(expression: &str, zone: &Zone) -> Result<Schedule, Invalid> {
    Schedule::try_from(Cron {
        expression: expression.to_owned(),
        dialect: None,
        timezone: Some(zone.clone()),
        gap: Gap::default(),
        fold: Fold::default(),
    })
}

fn print(preview: &SchedulePreview) {
    println!("{}", preview.description);
    let often = preview.runs_per_day.map(|times| format!("about {times} times a day"));
    let more: Vec<_> = preview.normalized.iter().chain(&often).map(String::as_str).collect();
    if !more.is_empty() {
        println!("{}", more.join(", "));
    }
    println!();
    for occurrence in &preview.next {
        let note = occurrence.note.as_ref().map_or(String::new(), |note| format!("  {note}"));
        println!("{} {}  {}{note}", occurrence.local, occurrence.offset, occurrence.at);
    }
    for warning in &preview.warnings {
        println!("\nnote: {warning}");
    }
}
