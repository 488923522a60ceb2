//! Where settings come from, and what they may be.
//!
//! One table, [`SETTINGS`], makes the command-line flags, the environment variables, `scheduler config`, and the
//! tests that hold `.env.example` and the README to the same list. Precedence: flag, environment variable,
//! file named by `NAME_FILE` (secrets), `.env`, default.

mod parse;
mod settings;
mod sources;

use std::net::SocketAddr;

use anyhow::Context;
use domain::HumanDuration;
use domain::target::Mailbox;
use domain::time::Zone;
use engine::Retention;
use targets::{AllowList, Commands, MailServer, SigningSecrets};

use self::parse::{
    choice, count_or_off, database_url, duration, duration_or_off, from_str, listen, optional,
};
pub(crate) use self::settings::{SETTINGS, Setting};
pub(crate) use self::sources::Sources;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    All,
    Api,
    Worker,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Settings, understood.
pub(crate) struct Config {
    pub(crate) database_url: String,
    pub(crate) listen: SocketAddr,
    pub(crate) role: Role,
    pub(crate) zone: Zone,
    pub(crate) allow_targets: AllowList,
    pub(crate) webhook_secrets: SigningSecrets,
    pub(crate) mail_server: Option<MailServer>,
    pub(crate) mail_from: Option<Mailbox>,
    /// `None` where commands are off.
    pub(crate) commands: Option<Commands>,
    pub(crate) concurrency: usize,
    pub(crate) lease: HumanDuration,
    pub(crate) shutdown_grace: HumanDuration,
    pub(crate) retention: Retention,
    pub(crate) echo: bool,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

impl Config {
    /// Understands all settings, or says which cannot be and why.
    pub(crate) fn from_sources(sources: &Sources) -> anyhow::Result<Self> {
        Ok(Self {
            database_url: sources.parse("DATABASE_URL", database_url)?,
            listen: sources.parse("SCHEDULER_LISTEN", listen)?,
            role: sources.parse("SCHEDULER_ROLE", |text| {
                choice(text, &[("all", Role::All), ("api", Role::Api), ("worker", Role::Worker)])
            })?,
            zone: sources
                .parse("SCHEDULER_TIMEZONE", |text| Zone::named(text).map_err(anyhow::Error::msg))?,
            allow_targets: sources.parse("SCHEDULER_ALLOW_TARGETS", from_str)?,
            webhook_secrets: sources.parse("SCHEDULER_WEBHOOK_SECRET", from_str)?,
            mail_server: sources.parse("SCHEDULER_SMTP_URL", optional)?,
            mail_from: sources.parse("SCHEDULER_SMTP_FROM", optional)?,
            commands: {
                let enabled = sources.parse("SCHEDULER_ENABLE_COMMAND", |text| {
                    choice(text, &[("true", true), ("false", false)])
                })?;
                let environment =
                    sources.parse("SCHEDULER_COMMAND_ENV", |text| sources.command_environment(text))?;
                enabled.then(|| Commands::new(environment))
            },
            concurrency: sources.parse("SCHEDULER_CONCURRENCY", |text| {
                text.parse()
                    .ok()
                    .filter(|it| (1..=100_000).contains(it))
                    .context("expected a number from 1 to 100000")
            })?,
            lease: sources.parse("SCHEDULER_LEASE", |text| duration(text, "3s", "1h"))?,
            shutdown_grace: sources.parse("SCHEDULER_SHUTDOWN_GRACE", |text| duration(text, "0s", "1h"))?,
            retention: Retention {
                age: sources.parse("SCHEDULER_RETENTION", |text| duration_or_off(text, "1h", "36500d"))?,
                runs: sources.parse("SCHEDULER_RETENTION_RUNS", count_or_off)?,
            },
            echo: sources.parse("SCHEDULER_ECHO", |text| choice(text, &[("on", true), ("off", false)]))?,
            cors_origins: sources.parse("SCHEDULER_CORS_ORIGINS", |text| {
                Ok(text.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect())
            })?,
            log: sources.get("SCHEDULER_LOG").0.to_owned(),
            log_format: sources.parse("SCHEDULER_LOG_FORMAT", |text| {
                choice(text, &[("text", LogFormat::Text), ("json", LogFormat::Json)])
            })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::sources::Origin;
    use super::*;

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
            ("SCHEDULER_LISTEN", "0.0.0.0:8000", "no authentication"),
            ("SCHEDULER_LISTEN", "here", "expected ADDRESS:PORT"),
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
}
