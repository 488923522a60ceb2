//! From the text of an expression to its seven fields: which dialect it is, and the rules between fields.

use super::field::{Field, Unit};
use super::refuse;
use crate::duration::shorten;
use crate::invalid::Invalid;
use crate::schedule::Dialect;

/// Longer than any sensible expression; keeps every later step small.
const MAX_LENGTH: usize = 1_000;

/// The macros that cron knows, and what they stand for.
const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * SUN"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A well-formed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    pub(super) dialect: Dialect,
    /// The author did not say which dialect it is.
    pub(super) guessed: bool,
    /// Seconds are written.
    pub(super) with_seconds: bool,
    /// A year is written.
    pub(super) with_year: bool,
    pub(super) second: Field,
    pub(super) minute: Field,
    pub(super) hour: Field,
    pub(super) day_of_month: Field,
    pub(super) month: Field,
    pub(super) day_of_week: Field,
    pub(super) year: Field,
}

impl Expression {
    /// Reads `text` in `dialect`, or in the one its form suggests.
    pub(super) fn parse(text: &str, dialect: Option<Dialect>) -> Result<Self, Invalid> {
        if text.len() > MAX_LENGTH {
            return Err(refuse(
                "too_long",
                format!("{} bytes; an expression has at most {MAX_LENGTH}", text.len()),
            ));
        }
        if let Some(bad) = text.chars().find(|char| !matches!(char, ' '..='~' | '\t')) {
            return Err(refuse("malformed", format!("{bad:?} is no character of a cron expression")));
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(refuse("malformed", "the expression is empty"));
        }
        elsewhere(text)?;
        if text.starts_with('@') {
            return named(text, dialect);
        }
        if let Some(inner) = wrapped(text) {
            return match dialect {
                None | Some(Dialect::Aws) => Self::fields(inner, Dialect::Aws, false),
                Some(_) => Err(refuse("malformed", "cron(…) belongs to the dialect aws")),
            };
        }
        if let Some(dialect) = dialect {
            return Self::fields(text, dialect, false);
        }
        let guess = match text.split_ascii_whitespace().count() {
            7 => Dialect::Quartz,
            6 if text.contains('?') => Dialect::Quartz,
            _ => Dialect::Unix,
        };
        Self::fields(text, guess, true).map_err(|mut error| {
            // The order of fields of the two dialects differs, so an expression fits at most one of them.
            if guess == Dialect::Quartz && Self::fields(text, Dialect::Aws, false).is_ok() {
                for error in &mut error.0 {
                    error.detail.push_str("; for EventBridge write cron(…) or set dialect to aws");
                }
            }
            error
        })
    }

    fn fields(text: &str, dialect: Dialect, guessed: bool) -> Result<Self, Invalid> {
        let mut texts = text.split_ascii_whitespace();
        let count = texts.clone().count();
        let (with_seconds, with_year) = match (dialect, count) {
            (Dialect::Unix, 5) => (false, false),
            (Dialect::Unix | Dialect::Quartz, 6) => (true, false),
            (Dialect::Quartz, 7) => (true, true),
            (Dialect::Aws, 6) => (false, true),
            _ => {
                let wanted = match dialect {
                    Dialect::Unix => "5 fields, or 6 with seconds first",
                    Dialect::Quartz => {
                        "6 or 7 fields: second minute hour day-of-month month day-of-week [year]"
                    }
                    Dialect::Aws => "6 fields: minute hour day-of-month month day-of-week year",
                };
                return Err(refuse(
                    "malformed",
                    format!("“{}” has {count} fields; write {wanted}", shorten(text)),
                ));
            }
        };
        let mut field = |unit| Field::parse(unit, dialect, texts.next().unwrap_or_default());
        let second = if with_seconds { field(Unit::Second)? } else { Field::only(Unit::Second, 0) };
        let expression = Self {
            dialect,
            guessed,
            with_seconds,
            with_year,
            second,
            minute: field(Unit::Minute)?,
            hour: field(Unit::Hour)?,
            day_of_month: field(Unit::DayOfMonth)?,
            month: field(Unit::Month)?,
            day_of_week: field(Unit::DayOfWeek)?,
            year: if with_year { field(Unit::Year)? } else { Field::every(Unit::Year) },
        };
        let question_marks = text.matches('?').count();
        if question_marks > 1 {
            return Err(refuse("malformed", "day of month and day of week can't both be ?"));
        }
        if question_marks == 0 && dialect != Dialect::Unix {
            let name = if dialect == Dialect::Aws { "aws" } else { "quartz" };
            return Err(refuse(
                "malformed",
                format!("one of day of month and day of week must be ? in the dialect {name}"),
            ));
        }
        Ok(expression)
    }

    /// A numeric weekday whose numbering we had to guess: seconds-first unix counts from 0 = SUN, Quartz from
    /// 1 = SUN, and the author did not say which is meant.
    pub(super) fn doubtful_weekday(&self) -> bool {
        self.guessed && self.with_seconds && self.dialect == Dialect::Unix && self.day_of_week.numeric_weekday
    }

    /// Keeps its cadence through a change of the clocks: minute or hour begins with `*` (cronie's `MIN_STAR`
    /// and `HR_STAR`).
    pub(super) const fn is_wildcard(&self) -> bool {
        self.minute.star || self.hour.star
    }
}

/// Sends what is no cron expression, or only works elsewhere, to where it belongs.
fn elsewhere(text: &str) -> Result<(), Invalid> {
    let detail = if text.starts_with("@every") {
        "@every is no cron expression; use a schedule of type interval"
    } else if text == "@reboot" {
        "@reboot has no meaning for a service that runs all the time"
    } else if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
        "the time zone goes into the schedule's field timezone"
    } else {
        return Ok(());
    };
    Err(refuse("unsupported", detail))
}

fn named(text: &str, dialect: Option<Dialect>) -> Result<Expression, Invalid> {
    if let Some(Dialect::Quartz | Dialect::Aws) = dialect {
        return Err(refuse("unsupported", format!("{}: @ names belong to the dialect unix", shorten(text))));
    }
    let Some((_, meaning)) = MACROS.iter().find(|(name, _)| *name == text) else {
        return Err(refuse(
            "malformed",
            format!(
                "“{}” is unknown; there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually",
                shorten(text),
            ),
        ));
    };
    Expression::fields(meaning, Dialect::Unix, false)
}

/// What stands inside `cron(…)`.
fn wrapped(text: &str) -> Option<&str> {
    text.strip_prefix("cron")?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str, dialect: Option<Dialect>) -> (String, String) {
        let Invalid(errors) = Expression::parse(text, dialect).expect_err(text);
        assert_eq!(errors[0].pointer, "/expression");
        (errors[0].code.clone(), errors[0].detail.clone())
    }

    #[test]
    fn the_form_tells_the_dialect() {
        let dialect = |text| Expression::parse(text, None).expect(text).dialect;
        assert_eq!(dialect("0 2 * * *"), Dialect::Unix);
        assert_eq!(dialect("0 0 2 * * *"), Dialect::Unix);
        assert_eq!(dialect(" 0\t2  * * * "), Dialect::Unix);
        assert_eq!(dialect("@daily"), Dialect::Unix);
        assert_eq!(dialect("0 0 2 * * ?"), Dialect::Quartz);
        assert_eq!(dialect("0 0 2 * * ? 2027"), Dialect::Quartz);
        assert_eq!(dialect("cron(0 2 * * ? *)"), Dialect::Aws);
        let stated = |text, dialect| Expression::parse(text, Some(dialect)).is_ok();
        assert!(stated("0 0 2 * * *", Dialect::Unix) && !stated("0 0 2 * * *", Dialect::Quartz));
        assert!(stated("0 2 * * ? *", Dialect::Aws) && !stated("0 2 * * ? *", Dialect::Unix));
        assert!(stated("cron(0 2 * * ? *)", Dialect::Aws) && !stated("cron(0 2 * * ? *)", Dialect::Quartz));
    }

    #[test]
    fn a_weekday_number_that_could_mean_two_things_is_noticed() {
        let doubtful = |text, dialect| Expression::parse(text, dialect).expect(text).doubtful_weekday();
        assert!(doubtful("0 0 2 * * 1-5", None));
        assert!(!doubtful("0 0 2 * * MON-FRI/2", None));
        assert!(!doubtful("0 0 2 * * *", None));
        assert!(!doubtful("0 0 2 * * 1-5", Some(Dialect::Unix)));
        assert!(!doubtful("0 2 * * 1-5", None));
        assert!(!doubtful("0 0 2 ? * 2-6", None));
    }

    #[test]
    fn refusals_name_field_value_and_range() {
        for (text, code, detail) in [
            ("0 25 * * *", "out_of_range", "hour 25 is outside 0–23"),
            ("* * * * 8", "out_of_range", "day of week 8 is outside 0–7"),
            ("0 0 0 ? * 0", "out_of_range", "day of week 0 is outside 1–7"),
            ("*/90 * * * *", "out_of_range", "minute: step 90 is outside 1–59"),
            ("99999999999999999999 * * * *", "out_of_range", "minute 99999999999999999999 is outside 0–59"),
            ("* * L-31 * *", "out_of_range", "day of month: days before the last 31 is outside 0–30"),
            ("* * * * 5#6", "out_of_range", "day of week: occurrence in the month 6 is outside 1–5"),
            ("* * * * MONDAY", "malformed", "day of week can't be “MONDAY”; write MON"),
            ("0 22-2 * * *", "malformed", "hour “22-2” runs backwards"),
            ("1,,2 * * * *", "malformed", "minute has an empty place in its list"),
            ("1- * * * *", "malformed", "minute lacks a value"),
            ("* * * * MON/2", "malformed", "day of week “MON/2”: a step needs a range, such as MON-SAT/2"),
            ("* * * *", "malformed", "“* * * *” has 4 fields; write 5 fields, or 6 with seconds first"),
            ("0 0 ? * ?", "malformed", "day of month and day of week can't both be ?"),
            ("", "malformed", "the expression is empty"),
            ("0 0 * *\n*", "malformed", "'\\n' is no character of a cron expression"),
            ("٣ * * * *", "malformed", "'٣' is no character of a cron expression"),
            ("H * * * *", "malformed", "minute can't be “H”: Jenkins' H is not supported, use jitter"),
            ("@reboot", "unsupported", "@reboot has no meaning for a service that runs all the time"),
            ("CRON_TZ=UTC * * * * *", "unsupported", "the time zone goes into the schedule's field timezone"),
            (
                "0 10 ? * MON-FRI *",
                "malformed",
                "hour can't be ?, which is for day of month and day of week; for EventBridge write cron(…) or set \
                 dialect to aws",
            ),
        ] {
            assert_eq!(refusal(text, None), (code.to_owned(), detail.to_owned()), "{text}");
        }
        let (code, _) = refusal("0 0 0 ? * 2L,5", Some(Dialect::Quartz));
        assert_eq!(code, "unsupported");
        let (code, _) = refusal(&"1,".repeat(600), None);
        assert_eq!(code, "too_long");
    }

    #[test]
    fn quartz_ranges_may_wrap_around() {
        let spans = |text| {
            let expression = Expression::parse(text, None).expect(text);
            let spans = |field: &Field| field.spans().map(|span| (span.from, span.to)).collect::<Vec<_>>();
            (spans(&expression.hour), spans(&expression.day_of_week))
        };
        assert_eq!(spans("0 0 22-2 ? * FRI-MON"), (vec![(22, 23), (0, 2)], vec![(6, 7), (1, 2)]));
        assert_eq!(spans("0 0 22-4/3 ? * MON"), (vec![(22, 23), (1, 4)], vec![(2, 2)]));
    }
}
