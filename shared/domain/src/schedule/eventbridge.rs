//! The expressions of EventBridge that are no cron: `rate(5 minutes)` and `at(2026-12-01T09:00:00)`.
//! See <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>.

use chrono::{NaiveDateTime, Timelike as _};

use super::{At, Cron, Date, Dialect, Fold, Gap, Interval, Schedule};
use crate::HumanDuration;
use crate::duration::shorten;
use crate::invalid::{FieldError, Invalid};
use crate::time::Timetable;

/// What an expression says: `rate(…)` is an interval and `at(…)` a date; any other is taken for cron, unread.
///
/// Intervals and dates have neither `gap` nor `fold`. Where one of them is not the default its author wants
/// something that could not be kept, which is refused. Pointers in errors are relative to the schedule.
impl TryFrom<Cron> for Schedule {
    type Error = Invalid;

    fn try_from(cron: Cron) -> Result<Self, Invalid> {
        let text = cron.expression.trim();
        let schedule = if is_call(text, "rate") {
            check(&cron, "rate")?;
            Self::Interval(Interval { every: rate(text)?, anchor: None, timezone: cron.timezone })
        } else if is_call(text, "at") {
            check(&cron, "at")?;
            Self::Date(Date { at: at(text)?, timezone: cron.timezone })
        } else {
            return Ok(Self::Cron(cron));
        };
        // Bounds are those of the schedule it becomes, but its author knows of no other field than this.
        let here = |error| FieldError { pointer: "/expression".to_owned(), ..error };
        match Timetable::compile(&schedule) {
            Ok(_) => Ok(schedule),
            Err(Invalid(errors)) => Err(Invalid(errors.into_iter().map(here).collect())),
        }
    }
}

fn check(cron: &Cron, name: &str) -> Result<(), Invalid> {
    if !matches!(cron.dialect, None | Some(Dialect::Aws)) {
        return Err(refuse("malformed", format!("{name}(…) belongs to the dialect aws")));
    }
    let chosen = if cron.gap != Gap::default() {
        "/gap"
    } else if cron.fold != Fold::default() {
        "/fold"
    } else {
        return Ok(());
    };
    Err(Invalid::one(chosen, "invalid_value", format!("has no meaning with {name}(…); leave it out")))
}

fn rate(text: &str) -> Result<HumanDuration, Invalid> {
    let refused = || {
        let wanted = "a whole number, not 0, of minutes, hours or days, such as rate(5 minutes)";
        refuse("malformed", format!("“{}” is no rate; write {wanted}", shorten(text)))
    };
    let mut words = inside(text, "rate").ok_or_else(refused)?.split_ascii_whitespace();
    let (Some(count), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err(refused());
    };
    // EventBridge wants “1 minute” and “5 minutes”; what is meant is clear either way.
    let unit = match unit {
        "minute" | "minutes" => 60_000,
        "hour" | "hours" => 3_600_000,
        "day" | "days" => 86_400_000,
        _ => return Err(refused()),
    };
    if !count.bytes().all(|byte| byte.is_ascii_digit()) || count.bytes().all(|byte| byte == b'0') {
        return Err(refused());
    }
    // Nothing but digits: what does not fit is out of range like everything longer than a hundred years.
    Ok(HumanDuration::from_millis(count.parse().unwrap_or(u64::MAX).saturating_mul(unit)))
}

fn at(text: &str) -> Result<At, Invalid> {
    let read = |inner: &str| {
        let local = NaiveDateTime::parse_from_str(inner, FORMAT).ok()?;
        // chrono also reads fewer digits, and a 60th second.
        let whole = local.nanosecond() < 1_000_000_000;
        (whole && local.format(FORMAT).to_string() == inner).then_some(At::Local(local))
    };
    inside(text, "at").map(str::trim).and_then(read).ok_or_else(|| {
        let wanted = "a local date-time, such as at(2026-12-01T09:00:00), and its zone into timezone";
        refuse("malformed", format!("“{}” is no date; write {wanted}", shorten(text)))
    })
}

const FORMAT: &str = "%Y-%m-%dT%H:%M:%S";

fn is_call(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('('))
}

/// What stands inside `name(…)`.
fn inside<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

fn refuse(code: &str, detail: String) -> Invalid {
    Invalid::one("/expression", code, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::parse;

    fn read(expression: &str, more: &Value) -> Result<Schedule, Invalid> {
        let mut schedule = json!({"type": "cron", "expression": expression});
        for (name, value) in more.as_object().into_iter().flatten() {
            schedule[name] = value.clone();
        }
        parse::from_value(schedule)
    }

    fn gist(expression: &str, more: &Value) -> String {
        let Invalid(errors) = read(expression, more).expect_err(expression);
        format!("{} {}", errors[0].pointer, errors[0].code)
    }

    #[test]
    fn a_rate_is_an_interval() {
        for (text, every) in [
            ("rate(5 minutes)", "5m"),
            ("rate(1 minute)", "1m"),
            ("rate(12 hours)", "12h"),
            (" rate ( 07  days ) ", "7d"),
        ] {
            let same = json!({"type": "interval", "every": every, "timezone": "Asia/Tokyo"});
            assert_eq!(read(text, &json!({"timezone": "Asia/Tokyo"})), parse::from_value(same), "{text}");
        }
    }

    #[test]
    fn at_is_a_date() {
        let zone = json!({"timezone": "Europe/Paris", "dialect": "aws"});
        let same = json!({"type": "date", "at": "2026-12-01T09:00:00", "timezone": "Europe/Paris"});
        assert_eq!(read("at(2026-12-01T09:00:00)", &zone), parse::from_value(same));
    }

    #[test]
    fn what_is_neither_is_refused_in_the_expression() {
        let long = format!("rate({} minutes)", "9".repeat(100_000));
        let deep = format!("rate({}5 minutes{})", "(".repeat(10_000), ")".repeat(10_000));
        for (text, code) in [
            ("rate(0 minutes)", "malformed"),
            ("rate(-1 day)", "malformed"),
            ("rate(+1 day)", "malformed"),
            ("rate(1e9 days)", "malformed"),
            ("rate(5)", "malformed"),
            ("rate()", "malformed"),
            ("rate(5 seconds)", "malformed"),
            ("rate(5 minutes 3 hours)", "malformed"),
            ("rate(5 minutes", "malformed"),
            ("rate((5 minutes))", "malformed"),
            ("rate(٥ minutes)", "malformed"),
            ("rate(36601 days)", "out_of_range"),
            ("rate(99999999999999999999 days)", "out_of_range"),
            (&long, "out_of_range"),
            (&deep, "malformed"),
            ("at(2026-13-01T00:00:00)", "malformed"),
            ("at(2026-12-01T00:00:60)", "malformed"),
            ("at(2026-12-01T00:00:00Z)", "malformed"),
            ("at(2026-12-1T00:00:00)", "malformed"),
            ("at(2026-12-01)", "malformed"),
            ("at(at(2026-12-01T00:00:00))", "malformed"),
            ("at(", "malformed"),
            ("at(1969-12-31T23:59:59)", "out_of_range"),
            ("at(9999-12-01T00:00:00)", "out_of_range"),
        ] {
            let Invalid(errors) = read(text, &json!({})).expect_err(text);
            assert_eq!(
                (errors[0].pointer.as_str(), errors[0].code.as_str()),
                ("/expression", code),
                "{text:.40}"
            );
            assert!(errors[0].detail.len() < 300, "{}", errors[0].detail);
        }
    }

    #[test]
    fn nothing_chosen_is_lost() {
        for expression in ["rate(5 minutes)", "at(2026-12-01T09:00:00)"] {
            for dialect in ["unix", "quartz"] {
                assert_eq!(gist(expression, &json!({"dialect": dialect})), "/expression malformed");
            }
            assert_eq!(gist(expression, &json!({"gap": "skip"})), "/gap invalid_value");
            assert_eq!(gist(expression, &json!({"fold": "both"})), "/fold invalid_value");
            let default = json!({"gap": "next_valid", "fold": "first", "dialect": "aws"});
            assert!(read(expression, &default).is_ok());
        }
    }
}
