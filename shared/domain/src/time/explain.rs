//! What a schedule means, in words.

use chrono::{Datelike as _, NaiveDateTime};

use super::cron::{DayRule, Occurrences};
use super::period::PeriodDays;
use super::{Kind, Timetable};
use crate::schedule::{CalendarInterval, Cron, Dialect, Fold, Gap, Interval, Period, Schedule};
use crate::{HumanDuration, Instant};

/// What a schedule means, in words. Made from what was understood, not from what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// In English, with the zone: "At 09:00 on weekdays, Europe/Paris".
    pub description: String,
    /// A cron expression written the standard way, weekdays and months by name.
    pub normalized: Option<String>,
    /// How a cron expression was read.
    pub dialect: Option<Dialect>,
    /// What the author may not have meant.
    pub warnings: Vec<String>,
}

impl Timetable {
    /// Explains `schedule`, which this is compiled from.
    pub fn explain(&self, schedule: &Schedule) -> Explanation {
        match (&self.0, schedule) {
            (Kind::Cron(occurrences), Schedule::Cron(cron)) => explain_cron(occurrences, cron),
            (Kind::CalendarInterval(instants), Schedule::CalendarInterval(interval)) => {
                explain_calendar_interval(&instants.wall.days, interval)
            }
            (_, Schedule::Interval(Interval { every, .. })) => plain(format!("Every {}", in_words(*every))),
            (_, Schedule::Date(date)) => plain(format!("Once, at {}, {}", date.at, schedule.zone())),
            // Compiled from another schedule; say at least what that one is.
            (_, Schedule::Cron(cron)) => plain(cron.expression.clone()),
            (_, Schedule::CalendarInterval(interval)) => plain(format!("{:?}", interval.every)),
        }
    }

    /// The local time for which the occurrence `at` stands, where the clocks skip that time on that day.
    pub fn stands_for(&self, at: Instant) -> Option<NaiveDateTime> {
        match &self.0 {
            Kind::CalendarInterval(instants) => instants.stands_for(at),
            Kind::Cron(occurrences) => occurrences.stands_for(at),
            Kind::Interval { .. } | Kind::Date(_) => None,
        }
    }
}

fn plain(description: String) -> Explanation {
    Explanation { description, normalized: None, dialect: None, warnings: Vec::new() }
}

fn explain_calendar_interval(days: &PeriodDays, interval: &CalendarInterval) -> Explanation {
    let CalendarInterval { every, time, timezone, .. } = interval;
    let start = days.start();
    let (period, on) = match *every {
        Period::Days(days) => (several(days, "day"), String::new()),
        Period::Weeks(weeks) => (several(weeks, "week"), format!(" on {}", start.format("%A"))),
        Period::Months(months) => (several(months, "month"), format!(" on day {}", start.day())),
        Period::Years(years) => (several(years, "year"), format!(" on {}", start.format("%-d %B"))),
    };
    let shortens = days.shortens();
    let or_last = if shortens { ", or the month's last day," } else { "" };
    let zone = timezone.clone().unwrap_or_default();
    let mut explanation = plain(format!("Every {period}{on}{or_last} at {time} from {start}, {zone}"));
    if shortens {
        let warning = format!("in a month that has no day {} it is due on the last day", start.day());
        explanation.warnings.push(warning);
    }
    explanation
}

/// "day", "3 days".
fn several(count: i64, unit: &str) -> String {
    if count == 1 { unit.to_owned() } else { format!("{count} {unit}s") }
}

fn explain_cron(occurrences: &Occurrences, cron: &Cron) -> Explanation {
    let mut warnings = Vec::new();
    match occurrences.day_rule() {
        Some(DayRule::Or) => warnings.push(
            "runs on days that match the day of month or the day of week (cron's rule when both are restricted)"
                .to_owned(),
        ),
        Some(DayRule::And) => {
            warnings.push("runs on days that match both the day of month and the day of week".to_owned());
        }
        None => (),
    }
    if occurrences.doubtful_weekday() {
        warnings.push(
            "the weekday is a number, which dialects count differently; use a name such as MON, or state the dialect"
                .to_owned(),
        );
    }
    let chosen = (cron.gap, cron.fold) != (Gap::default(), Fold::default());
    if chosen && occurrences.is_wildcard() {
        warnings.push(
            "gap and fold have no effect: with a wildcard minute or hour the job keeps its real-time cadence"
                .to_owned(),
        );
    }
    let zone = cron.timezone.clone().unwrap_or_default();
    Explanation {
        description: format!("{}, {zone}", occurrences.describe()),
        normalized: Some(occurrences.normalized()),
        dialect: Some(occurrences.dialect()),
        warnings,
    }
}

/// "5 minutes", "1 hour 30 minutes", "second".
fn in_words(duration: HumanDuration) -> String {
    const UNITS: [(&str, u64); 5] =
        [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000), ("millisecond", 1)];
    let mut rest = duration.as_millis();
    let mut parts = Vec::new();
    for (unit, scale) in UNITS {
        let count = rest / scale;
        rest %= scale;
        match count {
            0 => (),
            1 => parts.push(format!("1 {unit}")),
            _ => parts.push(format!("{count} {unit}s")),
        }
    }
    match parts.as_slice() {
        // "Every minute", not "Every 1 minute".
        [single] => single.strip_prefix("1 ").unwrap_or(single).to_owned(),
        _ => parts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::parse;

    fn explain(schedule: Value) -> Explanation {
        let schedule: Schedule = parse::from_value(schedule).unwrap();
        Timetable::compile(&schedule).unwrap().explain(&schedule)
    }

    #[test]
    fn says_what_a_schedule_means() {
        let describe = |schedule| explain(schedule).description;
        assert_eq!(describe(json!({"type": "interval", "every": "5m"})), "Every 5 minutes");
        assert_eq!(describe(json!({"type": "interval", "every": "1m"})), "Every minute");
        assert_eq!(describe(json!({"type": "interval", "every": "90m"})), "Every 1 hour 30 minutes");
        let date = json!({"type": "date", "at": "2026-12-01T09:00:00", "timezone": "Europe/Paris"});
        assert_eq!(describe(date), "Once, at 2026-12-01T09:00:00, Europe/Paris");
        let cron = explain(json!({"type": "cron", "expression": "0 9 * * 1-5", "timezone": "Europe/Paris"}));
        assert_eq!(cron.description, "At 09:00 on weekdays, Europe/Paris");
        assert_eq!(cron.normalized.as_deref(), Some("0 9 * * MON-FRI"));
        assert_eq!((cron.dialect, cron.warnings.len()), (Some(Dialect::Unix), 0));
    }

    #[test]
    fn says_what_a_calendar_interval_means() {
        let explain = |every: Value, start: &str| {
            explain(json!({
                "type": "calendar_interval", "every": every, "time": "09:00", "start_date": start,
                "timezone": "Europe/Paris"
            }))
        };
        let cases = [
            (json!({"days": 1}), "2026-12-31", "Every day at 09:00 from 2026-12-31, Europe/Paris"),
            (
                json!({"weeks": 2}),
                "2026-12-31",
                "Every 2 weeks on Thursday at 09:00 from 2026-12-31, Europe/Paris",
            ),
            (
                json!({"months": 1}),
                "2026-12-28",
                "Every month on day 28 at 09:00 from 2026-12-28, Europe/Paris",
            ),
            (
                json!({"years": 1}),
                "2026-02-28",
                "Every year on 28 February at 09:00 from 2026-02-28, Europe/Paris",
            ),
        ];
        for (every, start, description) in cases {
            let explained = explain(every, start);
            assert_eq!((explained.description.as_str(), explained.warnings.len()), (description, 0));
        }
        let clamped = explain(json!({"months": 3}), "2026-12-31");
        assert_eq!(
            clamped.description,
            "Every 3 months on day 31, or the month's last day, at 09:00 from 2026-12-31, Europe/Paris"
        );
        assert!(clamped.warnings[0].contains("no day 31"));
        assert!(explain(json!({"years": 1}), "2028-02-29").description.contains("or the month's last day"));
    }

    #[test]
    fn warns_of_what_may_not_be_meant() {
        let warnings =
            |expression| explain(json!({"type": "cron", "expression": expression})).warnings.join("\n");
        assert!(warnings("0 0 13 * FRI").contains("or the day of week"));
        assert!(warnings("0 0 */2 * FRI").contains("both"));
        assert!(warnings("0 0 9 * * 1").contains("dialects count differently"));
        let useless = json!({"type": "cron", "expression": "*/5 * * * *", "gap": "skip"});
        assert!(explain(useless).warnings[0].contains("no effect"));
    }
}
