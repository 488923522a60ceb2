//! The expression written the standard way: one blank between fields, names for weekdays and months, no
//! leading zeros, macros spelled out. Reading it in the same dialect gives the same occurrences.

use std::fmt::{self, Write as _};

use super::expression::Expression;
use super::field::{Field, Item, MONTHS, Span, Unit, WEEKDAYS};
use crate::schedule::Dialect;

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aws = self.dialect == Dialect::Aws;
        // Outside of unix exactly one of the two is `?`. Where both admit every day it is the weekday.
        let question = match self.dialect {
            Dialect::Unix => None,
            _ if self.day_of_week.open => Some(Unit::DayOfWeek),
            _ => Some(Unit::DayOfMonth),
        };
        let fields = [
            Some(&self.second).filter(|_| self.with_seconds),
            Some(&self.minute),
            Some(&self.hour),
            Some(&self.day_of_month),
            Some(&self.month),
            Some(&self.day_of_week),
            Some(&self.year).filter(|_| self.with_year),
        ];
        if aws {
            f.write_str("cron(")?;
        }
        for (index, field) in fields.into_iter().flatten().enumerate() {
            if index > 0 {
                f.write_char(' ')?;
            }
            if question == Some(field.unit) {
                f.write_char('?')?;
            } else {
                write_field(f, field, self.dialect)?;
            }
        }
        if aws { f.write_char(')') } else { Ok(()) }
    }
}

fn write_field(f: &mut fmt::Formatter<'_>, field: &Field, dialect: Dialect) -> fmt::Result {
    let mut items = field.items.iter().peekable();
    let mut first = true;
    while let Some(item) = items.next() {
        if !first {
            f.write_char(',')?;
        }
        first = false;
        match *item {
            Item::Span(span) => {
                // The unix MON-SUN (1-7) was read as two.
                let to_sunday = dialect == Dialect::Unix
                    && field.unit == Unit::DayOfWeek
                    && matches!(span, Span { from: 2..=6, to: 7, step: 1, star: false })
                    && matches!(items.peek(), Some(Item::Span(Span { from: 1, to: 1, .. })));
                if to_sunday {
                    items.next();
                    write!(f, "{}-SUN", name(Unit::DayOfWeek, span.from))?;
                } else {
                    write_span(f, field.unit, span)?;
                }
            }
            Item::Last(0) => f.write_str("L")?,
            Item::Last(before) => write!(f, "L-{before}")?,
            Item::LastWorkday(0) => f.write_str("LW")?,
            Item::LastWorkday(before) => write!(f, "L-{before}W")?,
            Item::NearestWorkday(day) => write!(f, "{day}W")?,
            Item::Nth { weekday, n } => write!(f, "{}#{n}", name(field.unit, weekday))?,
            Item::LastWeekday(weekday) => write!(f, "{}L", name(field.unit, weekday))?,
        }
    }
    Ok(())
}

fn write_span(f: &mut fmt::Formatter<'_>, unit: Unit, span: Span) -> fmt::Result {
    let Span { from, to, step, star } = span;
    let (low, high) = (name(unit, from), name(unit, to));
    match step {
        1 if star => f.write_char('*'),
        _ if star => write!(f, "*/{step}"),
        _ if from + step > to => write!(f, "{low}"),
        1 => write!(f, "{low}-{high}"),
        _ if to == unit.bounds().1 && unit.names().is_empty() => write!(f, "{low}/{step}"),
        _ => write!(f, "{low}-{high}/{step}"),
    }
}

/// A value as it is written: the name of a weekday or a month, the number of anything else.
fn name(unit: Unit, value: u32) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let names: &[&str] = match unit {
            Unit::DayOfWeek => &WEEKDAYS,
            Unit::Month => &MONTHS,
            _ => &[],
        };
        let index = usize::try_from(value).unwrap_or(0).wrapping_sub(1);
        match names.get(index) {
            Some(name) => f.write_str(name),
            None => write!(f, "{value}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::cron::sets::Sets;

    #[test]
    fn is_written_the_standard_way() {
        for (text, echo) in [
            ("@weekly", "0 0 * * SUN"),
            (" 00  09 * 1,02 1-5 ", "0 9 * JAN,FEB MON-FRI"),
            ("0 0 * * 7,5-7,0-7", "0 0 * * SUN,FRI-SUN,SUN-SAT"),
            ("*/15 0/6 ? * sun#1", "*/15 0/6 * * SUN#1"),
            ("30 0 12 lw,l-3,15w * *", "30 0 12 LW,L-3,15W * *"),
            ("0 0 12 * * ?", "0 0 12 * * ?"),
            ("0 0 12 ? * 2-6 2027/2", "0 0 12 ? * MON-FRI 2027/2"),
            ("0 0 12 ? 11-2 L", "0 0 12 ? NOV-DEC,JAN-FEB SAT"),
            ("cron( 0 12 ? * 6L * )", "cron(0 12 ? * FRIL *)"),
        ] {
            assert_eq!(Expression::parse(text, None).expect(text).to_string(), echo);
        }
    }

    fn field(high: u32) -> impl Strategy<Value = String> {
        let item = (0..=high, 0..=high, 1..=high).prop_flat_map(|(from, to, step)| {
            prop_oneof![
                Just("*".to_owned()),
                Just("?".to_owned()),
                Just("L".to_owned()),
                Just(from.to_string()),
                Just(format!("{from}-{to}")),
                Just(format!("*/{step}")),
                Just(format!("{from}/{step}")),
                Just(format!("{from}-{to}/{step}")),
                Just(format!("{from}L")),
                Just(format!("{from}#{to}")),
                Just(format!("{from}W")),
                Just(format!("L-{from}W")),
            ]
        });
        proptest::collection::vec(item, 1..=2).prop_map(|items| items.join(","))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn means_the_same(
            dialect in prop_oneof![Just(Dialect::Unix), Just(Dialect::Quartz), Just(Dialect::Aws)],
            minute in prop_oneof![Just("*/5".to_owned()), Just("0".to_owned())],
            hour in prop_oneof![Just("2".to_owned()), field(23)],
            of_month in prop_oneof![Just("?".to_owned()), Just("*".to_owned()), field(31)],
            month in prop_oneof![Just("*".to_owned()), field(12)],
            of_week in prop_oneof![Just("?".to_owned()), Just("*".to_owned()), field(7)],
        ) {
            let text = match dialect {
                Dialect::Unix => format!("{minute} {hour} {of_month} {month} {of_week}"),
                Dialect::Quartz => format!("0 {minute} {hour} {of_month} {month} {of_week}"),
                Dialect::Aws => format!("{minute} {hour} {of_month} {month} {of_week} *"),
            };
            let Ok(expression) = Expression::parse(&text, Some(dialect)) else { return Ok(()) };
            let echo = expression.to_string();
            let again = Expression::parse(&echo, Some(dialect));
            let again = again.map_err(|error| TestCaseError::fail(format!("{text}: {echo}: {error}")))?;
            prop_assert_eq!(again.to_string(), echo.clone());
            prop_assert_eq!(Sets::expand(&again), Sets::expand(&expression), "{}: {}", text, echo);
            let flags = |it: &Expression| {
                let fields = [&it.minute, &it.hour, &it.day_of_month, &it.day_of_week];
                fields.map(|field| (field.star, field.open, field.items.iter().filter(|item| !matches!(item, Item::Span(_))).count()))
            };
            prop_assert_eq!(flags(&again), flags(&expression), "{}: {}", text, echo);
        }
    }
}
