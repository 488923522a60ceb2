//! Where settings come from, and what is said of those that cannot be.

use std::collections::BTreeMap;

use super::*;
use crate::config::sources::Origin;

fn sources(environment: &[(&str, &str)], dot_env: &[(&str, &str)]) -> Sources {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let flag = |name: &str| (name == "role").then(|| "worker".to_owned());
    Sources::layered(flag, &map(environment), &map(dot_env)).unwrap()
}

#[test]
fn flag_beats_environment_beats_dot_env_beats_default() {
    let sources = sources(
        &[("SCHEDULER_ROLE", "api"), ("SCHEDULER_LEASE", "10s")],
        &[("SCHEDULER_LEASE", "20s"), ("SCHEDULER_ECHO", "off")],
    );
    assert_eq!(sources.get("SCHEDULER_ROLE"), ("worker", Origin::Flag));
    assert_eq!(sources.get("SCHEDULER_LEASE"), ("10s", Origin::Environment));
    assert_eq!(sources.get("SCHEDULER_ECHO"), ("off", Origin::DotEnv));
    assert_eq!(sources.get("SCHEDULER_TIMEZONE"), ("UTC", Origin::Default));
}

#[test]
fn secrets_may_come_from_files_and_misspellings_are_noticed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "postgres://db/jobs\n").unwrap();
    let path = file.path().to_str().unwrap();
    let sources = sources(&[("DATABASE_URL_FILE", path), ("SCHEDULER_LEESE", "1s")], &[]);
    assert_eq!(sources.get("DATABASE_URL"), ("postgres://db/jobs", Origin::SecretFile));
    assert_eq!(sources.unknown, ["SCHEDULER_LEESE"]);
}

#[test]
fn every_default_is_usable() {
    let sources = Sources::layered(|_| None, &BTreeMap::new(), &BTreeMap::new()).unwrap();
    assert!(Config::from_sources(&sources).is_ok());
}

#[test]
fn errors_name_the_variable_its_origin_and_the_remedy() {
    for (name, value, expected) in [
        ("DATABASE_URL", "mysql://x", "expected sqlite:PATH"),
        ("SCHEDULER_ADMIN_KEY", "too-short", "it has 9 characters"),
        ("SCHEDULER_ADMIN_KEY", "ein Schlüssel, der lang genug wäre", "printable ASCII"),
        ("SCHEDULER_LISTEN", "here", "expected ADDRESS:PORT"),
        ("SECRET_KEY", "too short", "it has 9 characters"),
        ("SCHEDULER_PUBLIC_URL", "scheduler.example.com", "expected https://HOST"),
        ("SCHEDULER_PUBLIC_URL", "https://a:b@example.com", "without user name"),
        ("SCHEDULER_TIMEZONE", "Mars/Olympus", "unknown time zone"),
        ("SCHEDULER_CONCURRENCY", "0", "from 1 to 100000"),
        ("SCHEDULER_LEASE", "1s", "outside 3s–1h"),
        ("SCHEDULER_ECHO", "yes", "on, off"),
        ("SCHEDULER_SMTP_URL", "mail.example.com", "expected smtp://"),
        ("SCHEDULER_SMTP_FROM", "me", "not an e-mail address"),
        ("SCHEDULER_ENABLE_COMMAND", "1", "true, false"),
        ("SCHEDULER_COMMAND_ENV", "LC_ALL, DATABASE_URL", "DATABASE_URL is a secret"),
        ("SCHEDULER_RETENTION", "59m", "outside 1h–"),
        ("SCHEDULER_RETENTION", "never", "or off"),
        ("SCHEDULER_RETENTION_RUNS", "0", "or off"),
        ("SCHEDULER_LOG_FORMAT", "xml", "text, json"),
    ] {
        let error = Config::from_sources(&sources(&[(name, value)], &[])).err().unwrap();
        let text = format!("{error:#}");
        assert!(text.contains(name) && text.contains("environment") && text.contains(expected), "{text}");
    }
}
