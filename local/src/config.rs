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
    admin_key, choice, count_or_off, database_url, duration, duration_or_off, from_str, listen, optional,
    public_url, secret_key,
};
pub(crate) use self::settings::{SETTINGS, Setting};
pub(crate) use self::sources::Sources;

/// Settings that are understood, each by itself, but do not go together.
#[derive(Debug)]
pub(crate) struct Misused(pub(crate) String);

impl std::error::Error for Misused {}

impl std::fmt::Display for Misused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

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
    /// `None` where the database keeps one.
    pub(crate) secret_key: Option<String>,
    /// Opens everything; `None` where there is none.
    pub(crate) admin_key: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) role: Role,
    pub(crate) zone: Zone,
    pub(crate) allow_targets: AllowList,
    pub(crate) webhook_secrets: SigningSecrets,
    pub(crate) mail_server: Option<MailServer>,
    pub(crate) mail_from: Option<Mailbox>,
    /// `None` where commands are off.
    pub(crate) commands: Option<Commands>,
    /// Without a slash at its end.
    pub(crate) public_url: Option<String>,
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
            secret_key: sources.parse("SECRET_KEY", secret_key)?,
            admin_key: sources.parse("SCHEDULER_ADMIN_KEY", admin_key)?,
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
            public_url: sources.parse("SCHEDULER_PUBLIC_URL", public_url)?,
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
mod tests;
