//! 1 435 answers that independent cron implementations agree on; `data/cron-corpus.md` says how they were found.

use chrono::DateTime;
use domain::Schedule;
use domain::schedule::{Cron, Dialect, Fold, Gap};
use domain::time::{Timetable, Zone};

const CORPUS: &str = include_str!("data/cron-corpus.tsv");

/// Lines whose fires lie beyond the service's horizon, the end of 2100.
const BEYOND_HORIZON: [usize; 2] = [189, 762];

/// Lines that follow EventBridge's rule for a local time that does not exist.
const SKIP_GAP: [usize; 2] = [852, 857];

#[test]
fn class_12_every_row_of_the_corpus_holds() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for (index, line) in CORPUS.lines().enumerate().skip(1) {
        let number = index + 1;
        rows += 1;
        let columns: Vec<&str> = line.split('\t').collect();
        let wanted = columns[4];
        let found = answer(columns[0], columns[1], columns[2], columns[3], SKIP_GAP.contains(&number));
        let holds = if BEYOND_HORIZON.contains(&number) {
            let reached = found.trim_end_matches("NEVER").trim_end_matches("END");
            wanted.starts_with(reached) && reached != found
        } else {
            wanted == found
        };
        if !holds {
            wrong.push(format!("{number}: {line}\n  found {found}"));
        }
    }
    assert_eq!(rows, 1_435);
    assert!(wrong.is_empty(), "{} rows fail\n{}", wrong.len(), wrong.join("\n"));
}

/// What the corpus would say: five times, fewer and `END`, `NEVER`, or `REJECT`.
fn answer(expression: &str, dialect: &str, zone: &str, start: &str, skip_gap: bool) -> String {
    let zone = Zone::named(zone).expect("the corpus names zones that exist");
    let dialect = match dialect {
        "unix" => Dialect::Unix,
        "quartz" => Dialect::Quartz,
        _ => Dialect::Aws,
    };
    let schedule = Schedule::Cron(Cron {
        expression: expression.to_owned(),
        dialect: Some(dialect),
        timezone: Some(zone.clone()),
        gap: if skip_gap { Gap::Skip } else { Gap::NextValid },
        fold: Fold::First,
    });
    let timetable = match Timetable::compile(&schedule) {
        Ok(timetable) => timetable,
        Err(invalid) if invalid.0[0].code == "never_fires" => return "NEVER".to_owned(),
        Err(_) => return "REJECT".to_owned(),
    };
    let mut at = DateTime::parse_from_rfc3339(start).expect("an instant").to_utc();
    let mut found = Vec::new();
    while found.len() < 5
        && let Some(next) = timetable.next_after(at)
    {
        let offset = zone.offset_seconds(next);
        let offset = chrono::FixedOffset::east_opt(offset).expect("an offset");
        found.push(next.with_timezone(&offset).to_rfc3339_opts(chrono::SecondsFormat::Secs, false));
        at = next;
    }
    if found.is_empty() {
        return "NEVER".to_owned();
    }
    if found.len() < 5 {
        found.push("END".to_owned());
    }
    found.join(",")
}
