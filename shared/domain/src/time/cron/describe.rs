//! The expression in English: "At 09:00 on weekdays". Made from the sets that are evaluated, never from the text,
//! so it can't say anything else than what happens. Where there is no short way to put it, it lists.

use super::days::{DayRule, rule_in_force};
use super::expression::Expression;
use super::field::{Field, Item};
use super::sets::{FIRST_YEAR, LAST_YEAR, Sets};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// So many times of day are listed one by one; more are described.
const MAX_TIMES: usize = 6;

const MONTHLY: &str = " of the month";

/// One sentence, without full stop and without the zone.
pub(super) fn describe(expression: &Expression, sets: &Sets) -> String {
    let mut words = time(sets);
    match days(expression, sets) {
        Some(days) => words = words + " on " + &days,
        None if words.starts_with("At ") && !words.contains(" every ") => words.push_str(" every day"),
        None => {}
    }
    let months = values(sets.months, 1, 12);
    if months.len() < 12 {
        let months = list(&months, |month| pick(&MONTHS, month));
        // "the 1st of January" where nothing else could be meant.
        let only = words.matches(MONTHLY).count() == 1;
        words = match words.strip_suffix(MONTHLY).filter(|_| only) {
            Some(words) => format!("{words} of {months}"),
            None => format!("{words} in {months}"),
        };
    }
    if !expression.year.open {
        let years: Vec<u32> = (FIRST_YEAR..=LAST_YEAR)
            .filter(|year| sets.years.contains(*year))
            .map(i32::unsigned_abs)
            .collect();
        words = words + " in " + &list(&years, |year| year.to_string());
    }
    words
}

fn time(sets: &Sets) -> String {
    let seconds = values(sets.seconds, 0, 59);
    let minutes = values(sets.minutes, 0, 59);
    let hours = values(sets.hours, 0, 23);
    let [second] = seconds[..] else {
        let often = match step(&seconds, 60) {
            Some(1) => "Every second".to_owned(),
            Some(step) => format!("Every {step} seconds"),
            None => format!("At seconds {}", list(&seconds, |second| second.to_string())),
        };
        let of = if often.starts_with("At") && minutes.len() == 60 { " of every minute" } else { "" };
        return match (minutes.len(), hours.len()) {
            (60, 24) => often + of,
            (60, _) => often + of + &within(&hours, "00", "59"),
            _ => often + ", at " + &past(&minutes, &hours),
        };
    };
    if hours.len() * minutes.len() <= MAX_TIMES && hours.len() < 24 {
        let times: Vec<String> = hours
            .iter()
            .flat_map(|hour| minutes.iter().map(move |minute| clock(*hour, *minute, second)))
            .collect();
        return format!("At {}", join(&times));
    }
    let (often, first, last) = match (step(&minutes, 60), &minutes[..], step(&hours, 24)) {
        (Some(1), _, _) => ("Every minute".to_owned(), 0, 59),
        (Some(step), _, _) => (format!("Every {step} minutes"), 0, 60 - step),
        (None, [minute], Some(step)) => {
            let every = if step == 1 { "Every hour".to_owned() } else { format!("Every {step} hours") };
            return match (*minute, second) {
                (0, 0) => every + ", on the hour",
                (minute, 0) => format!("{every}, at minute {minute}"),
                (minute, second) => format!("{every}, at minute {minute} and second {second}"),
            };
        }
        _ => {
            let at = format!("At {}", past(&minutes, &hours));
            return if second == 0 { at } else { format!("{at}, at second {second}") };
        }
    };
    let within = if hours.len() == 24 {
        String::new()
    } else {
        within(&hours, &format!("{first:02}"), &format!("{last:02}"))
    };
    if second == 0 { often + &within } else { format!("{often}{within}, at second {second}") }
}

/// " from 09:00 to 17:45", or the hours one by one if they are not in a row.
fn within(hours: &[u32], first: &str, last: &str) -> String {
    match (hours.first(), hours.last()) {
        (Some(from), Some(to)) if is_run(hours) => format!(" from {from:02}:{first} to {to:02}:{last}"),
        _ => format!(" in hours {}", list(hours, |hour| format!("{hour:02}"))),
    }
}

/// "minutes 5 and 10 past hours 9 to 17".
fn past(minutes: &[u32], hours: &[u32]) -> String {
    let number = |value: u32| value.to_string();
    let minutes = match (minutes, progression(minutes)) {
        ([minute], _) => format!("minute {minute}"),
        _ if minutes.len() == 60 => "every minute".to_owned(),
        (_, Some((from, to, step))) => format!("every {} minute from {from} to {to}", ordinal(step)),
        _ => format!("minutes {}", list(minutes, number)),
    };
    match hours {
        [hour] => format!("{minutes} past hour {hour}"),
        _ if hours.len() == 24 => format!("{minutes} past every hour"),
        _ => format!("{minutes} past hours {}", list(hours, number)),
    }
}

/// On which days; nothing if on all.
fn days(expression: &Expression, sets: &Sets) -> Option<String> {
    let of_month = days_of_month(&expression.day_of_month, sets.days_of_month);
    let of_week = days_of_week(&expression.day_of_week, sets.days_of_week);
    let either = rule_in_force(expression) == Some(DayRule::Or);
    match (of_month, of_week) {
        (Some(of_month), Some(of_week)) if either => Some(format!("{of_month}, and also on {of_week}")),
        (Some(of_month), Some(of_week)) => Some(format!("{of_month}, but only on {of_week}")),
        (None, _) | (_, None) if either => None,
        (of_month, of_week) => of_month.or(of_week),
    }
}

/// None if it admits every day.
fn days_of_month(field: &Field, set: u64) -> Option<String> {
    let plain = values(set, 1, 31);
    if plain.len() == 31 {
        return None;
    }
    let mut parts = Vec::new();
    if let Some((from, to, step)) = progression(&plain) {
        let [from, to, step] = [from, to, step].map(ordinal);
        parts.push(format!("every {step} day from the {from} to the {to}"));
    } else if !plain.is_empty() {
        parts.push(format!("the {}", list(&plain, ordinal)));
    }
    for item in &field.items {
        parts.push(match *item {
            Item::Last(0) => "the last day".to_owned(),
            Item::Last(before) => format!("the {} to last day", ordinal(before + 1)),
            Item::LastWorkday(0) => "the last working day".to_owned(),
            Item::LastWorkday(before) => {
                format!("the working day nearest to the {} to last day", ordinal(before + 1))
            }
            Item::NearestWorkday(day) => format!("the working day nearest to the {}", ordinal(day)),
            _ => continue,
        });
    }
    Some(join(&parts) + MONTHLY)
}

/// None if it admits every day.
fn days_of_week(field: &Field, set: u64) -> Option<String> {
    let mut plain = values(set, 1, 7);
    if plain.len() == 7 {
        return None;
    }
    let mut parts = Vec::new();
    for item in &field.items {
        parts.push(match *item {
            Item::Nth { weekday, n } => format!("the {} {}{MONTHLY}", ordinal(n), pick(&WEEKDAYS, weekday)),
            Item::LastWeekday(weekday) => format!("the last {}{MONTHLY}", pick(&WEEKDAYS, weekday)),
            _ => continue,
        });
    }
    let on = if parts.is_empty() { "" } else { "on " };
    match plain[..] {
        [] => {}
        [2, 3, 4, 5, 6] => parts.push(format!("{on}weekdays")),
        [1, 7] => parts.push(format!("{on}weekends")),
        _ => {
            // Weeks are read from Monday: 1 = MON to 7 = SUN here.
            for day in &mut plain {
                *day = (*day + 5) % 7 + 1;
            }
            plain.sort_unstable();
            parts.push(format!("{on}{}", list(&plain, |day| pick(&WEEKDAYS, day % 7 + 1))));
        }
    }
    Some(join(&parts))
}

fn values(set: u64, low: u32, high: u32) -> Vec<u32> {
    (low..=high).filter(|value| set >> value & 1 == 1).collect()
}

/// n if the values are exactly 0, n, 2n, … and go on evenly into the next round of `size`.
fn step(values: &[u32], size: u32) -> Option<u32> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 1)?;
    let step = size / count;
    (size.is_multiple_of(count) && values.iter().zip(0..).all(|(value, n)| *value == n * step))
        .then_some(step)
}

/// From, to and step, if the values are many and evenly apart but not in a row.
fn progression(values: &[u32]) -> Option<(u32, u32, u32)> {
    let [from, second, .., to] = *values else { return None };
    let step = second - from;
    let even = values.windows(2).all(|pair| pair[1] - pair[0] == step);
    (values.len() >= 5 && step > 1 && even).then_some((from, to, step))
}

fn is_run(values: &[u32]) -> bool {
    values.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

/// "1, 3 and 5 to 9".
fn list(values: &[u32], name: impl Fn(u32) -> String) -> String {
    let runs: Vec<String> = values
        .chunk_by(|a, b| a + 1 == *b)
        .flat_map(|run| match run {
            [first, .., last] if run.len() > 2 => vec![format!("{} to {}", name(*first), name(*last))],
            _ => run.iter().map(|value| name(*value)).collect(),
        })
        .collect();
    join(&runs)
}

fn join(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn clock(hour: u32, minute: u32, second: u32) -> String {
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The name of 1, 2, …
fn pick(names: &[&str], number: u32) -> String {
    let index = usize::try_from(number).unwrap_or(0).wrapping_sub(1);
    names.get(index).map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_happens() {
        for (text, words) in [
            ("* * * * *", "Every minute"),
            ("*/15 * * * *", "Every 15 minutes"),
            ("*/7 * * * *", "At every 7th minute from 0 to 56 past every hour"),
            ("5/15 * * * *", "At minutes 5, 20, 35 and 50 past every hour"),
            ("0 * * * *", "Every hour, on the hour"),
            ("15 */2 * * *", "Every 2 hours, at minute 15"),
            ("15 */6 * * *", "At 00:15, 06:15, 12:15 and 18:15 every day"),
            ("*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:45 on weekdays"),
            ("*/20 8,12,16 * * *", "Every 20 minutes in hours 08, 12 and 16"),
            ("0 9 * * 1-5", "At 09:00 on weekdays"),
            ("0 9 * * MON-SUN", "At 09:00 every day"),
            ("0 0 * * 0,6", "At 00:00 on weekends"),
            ("0 0 * * 0,5,6", "At 00:00 on Friday to Sunday"),
            ("0 0 * * 1,3,5", "At 00:00 on Monday, Wednesday and Friday"),
            ("0 0 * * 5#3", "At 00:00 on the 3rd Friday of the month"),
            ("0 0 * * 5L", "At 00:00 on the last Friday of the month"),
            ("0 0 * 3 1,5#3", "At 00:00 on the 3rd Friday of the month and on Monday in March"),
            ("0 0 1,15 * *", "At 00:00 on the 1st and 15th of the month"),
            ("0 0 1 */3 *", "At 00:00 on the 1st of January, April, July and October"),
            ("0 0 13 * 5", "At 00:00 on the 13th of the month, and also on Friday"),
            ("0 0 1-7 * */7", "At 00:00 on the 1st to 7th of the month, but only on Sunday"),
            ("0 0 5 * 0-7", "At 00:00 every day"),
            ("0 0 L-2 * *", "At 00:00 on the 3rd to last day of the month"),
            ("0 0 LW * *", "At 00:00 on the last working day of the month"),
            ("0 0 15W * *", "At 00:00 on the working day nearest to the 15th of the month"),
            ("0 9 * 6-8 *", "At 09:00 every day in June to August"),
            ("*/10 * 9-17 * * *", "Every 10 seconds from 09:00 to 17:59"),
            ("5,35 * * * * *", "At seconds 5 and 35 of every minute"),
            ("30 0 12 * * *", "At 12:00:30 every day"),
            ("0 15 10 ? * 6L 2027-2028", "At 10:15 on the last Friday of the month in 2027 and 2028"),
            ("cron(0 12 ? * MON-FRI *)", "At 12:00 on weekdays"),
            ("@yearly", "At 00:00 on the 1st of January"),
        ] {
            let expression = Expression::parse(text, None).expect(text);
            let sets = Sets::expand(&expression).expect(text);
            assert_eq!(describe(&expression, &sets), words, "{text}");
        }
    }
}
