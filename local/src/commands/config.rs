//! `scheduler config`: every setting, its value and where it comes from.

use std::process::ExitCode;

use crate::config::{Config, SETTINGS, Setting, Sources};

pub(crate) fn run(sources: &Sources) -> ExitCode {
    let rows: Vec<(&str, String, String)> = SETTINGS
        .iter()
        .map(|setting| {
            let (value, origin) = sources.get(setting.env);
            (setting.env, shown(setting, value), origin.to_string())
        })
        .collect();
    let width = |column: fn(&(&str, String, String)) -> usize| rows.iter().map(column).max().unwrap_or(0);
    let (names, values) = (width(|row| row.0.len()), width(|row| row.1.chars().count()));
    for (name, value, origin) in &rows {
        println!("{name:names$}  {value:values$}  {origin}");
    }
    for name in &sources.unknown {
        println!("\n{name} is set, but there is no such setting");
    }
    match Config::from_sources(sources) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\n✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn shown(setting: &Setting, value: &str) -> String {
    match value {
        "" => "-".to_owned(),
        _ if setting.env == "DATABASE_URL" => without_password(value),
        _ if setting.secret => "***".to_owned(),
        _ => value.to_owned(),
    }
}

/// A database URL that may be shown: no password, and of its parameters those only that cannot hold one.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // The last @ first: a password that should have been percent-encoded may hold anything.
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    let user = user.map_or(String::new(), |user| match user.split_once(':') {
        Some((user, _)) => format!("{user}:***@"),
        None => format!("{user}@"),
    });
    let (place, parameters) = place.split_once('?').unwrap_or((place, ""));
    let harmless: Vec<&str> = parameters
        .split('&')
        .filter(|it| {
            ["host=", "port=", "sslmode=", "dbname=", "mode="].iter().any(|name| it.starts_with(name))
        })
        .collect();
    let parameters = if harmless.is_empty() { String::new() } else { format!("?{}", harmless.join("&")) };
    format!("{scheme}://{user}{place}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn database_urls_are_shown_without_their_secrets() {
        for (url, shown) in [
            ("sqlite:data/scheduler.db", "sqlite:data/scheduler.db"),
            ("postgres://db/jobs", "postgres://db/jobs"),
            ("postgres://jobs@db/jobs", "postgres://jobs@db/jobs"),
            ("postgres://u:pa?sswd@db/jobs", "postgres://u:***@db/jobs"),
            ("postgres://jobs:p%40ss:w@rd@db:5432/jobs", "postgres://jobs:***@db:5432/jobs"),
            (
                "postgres://db/jobs?password=x&host=/run/pg&sslmode=require",
                "postgres://db/jobs?host=/run/pg&sslmode=require",
            ),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
