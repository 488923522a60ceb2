//! Where settings come from, and what they may be.
//!
//! One table, [`SETTINGS`], makes the command-line flags, the environment variables, `scheduler config`, and the
//! tests that hold `.env.example` and the README to the same list. Precedence: flag, environment variable,
//! file named by `NAME_FILE` (secrets), `.env`, default.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::{Context, bail};
use domain::HumanDuration;
use domain::target::Mailbox;
use domain::time::Zone;
use targets::{AllowList, Commands, MailServer, SigningSecrets};

/// One setting.
pub(crate) struct Setting {
    /// The environment variable.
    pub(crate) env: &'static str,
    /// The command-line flag, without dashes; empty where there is none (secrets stay out of process lists).
    pub(crate) flag: &'static str,
    /// What holds when nothing else is said; empty where nothing holds.
    pub(crate) default: &'static str,
    /// For `--help`, `.env.example` and the README.
    pub(crate) help: &'static str,
    /// Never shown, and may be read from the file that `NAME_FILE` names.
    pub(crate) secret: bool,
}

const fn setting(
    env: &'static str,
    flag: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { env, flag, default, help, secret: false }
}

/// Every setting there is.
pub(crate) const SETTINGS: [Setting; 17] = [
    Setting {
        env: "DATABASE_URL",
        flag: "database-url",
        default: "sqlite:data/scheduler.db",
        help: "Where jobs and runs are kept: sqlite:PATH for one process, postgres://… for several",
        secret: true,
    },
    setting(
        "SCHEDULER_LISTEN",
        "listen",
        "127.0.0.1:8000",
        "Address and port of the HTTP API; loopback only, as this version has no authentication",
    ),
    setting(
        "SCHEDULER_ROLE",
        "role",
        "all",
        "What this process does: all, api (no firing) or worker (no HTTP API but health and metrics)",
    ),
    setting("SCHEDULER_TIMEZONE", "timezone", "UTC", "Time zone of new jobs that name none (IANA name)"),
    setting(
        "SCHEDULER_ALLOW_TARGETS",
        "allow-targets",
        "",
        "Private addresses that jobs may call: hosts, IPs or CIDRs, each with :PORT if wanted, comma-separated",
    ),
    Setting {
        env: "SCHEDULER_WEBHOOK_SECRET",
        flag: "",
        default: "",
        help: "Signs every HTTP call (Standard Webhooks): whsec_…; two, separated by a space, while you rotate",
        secret: true,
    },
    Setting {
        env: "SCHEDULER_SMTP_URL",
        flag: "",
        default: "",
        help: "Mail server for e-mail targets: smtp://USER:PASSWORD@HOST:587 (STARTTLS) or smtps://…; ?tls=none, ?ca=FILE",
        secret: true,
    },
    setting(
        "SCHEDULER_SMTP_FROM",
        "smtp-from",
        "",
        "Sender of e-mail of jobs that name none: NAME <ADDRESS>",
    ),
    setting(
        "SCHEDULER_ENABLE_COMMAND",
        "enable-command",
        "false",
        "Whether jobs may run commands on this machine, with the rights of this process: true or false",
    ),
    setting(
        "SCHEDULER_COMMAND_ENV",
        "command-env",
        "",
        "Variables that commands get beside PATH, HOME, LANG and TZ, comma-separated",
    ),
    setting("SCHEDULER_CONCURRENCY", "concurrency", "256", "How many attempts this process makes at a time"),
    setting(
        "SCHEDULER_LEASE",
        "lease",
        "30s",
        "How long a run stays with a worker that is not heard of, before another takes it over",
    ),
    setting(
        "SCHEDULER_SHUTDOWN_GRACE",
        "shutdown-grace",
        "20s",
        "How long running attempts may finish after SIGTERM, before their runs are handed back",
    ),
    setting("SCHEDULER_ECHO", "echo", "on", "The built-in demo target POST /echo: on or off"),
    setting(
        "SCHEDULER_CORS_ORIGINS",
        "cors-origins",
        "",
        "Origins of web pages that may call the API, comma-separated",
    ),
    setting(
        "SCHEDULER_LOG",
        "log",
        "info",
        "What is logged: error, warn, info, debug, trace, or a filter such as info,sqlx=warn",
    ),
    setting("SCHEDULER_LOG_FORMAT", "log-format", "text", "How it is logged: text or json"),
];

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment,
    SecretFile,
    DotEnv,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::SecretFile => "file",
            Self::DotEnv => ".env",
            Self::Default => "default",
        })
    }
}

/// Settings as text, each with its origin.
pub(crate) struct Sources {
    values: BTreeMap<&'static str, (String, Origin)>,
    environment: BTreeMap<String, String>,
    /// Variables that look like settings of ours and are none, most likely misspelt.
    pub(crate) unknown: Vec<String>,
}

impl Sources {
    /// Gathers all settings. `flag` gives what was said on the command line for a flag.
    pub(crate) fn gather(flag: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        Self::layered(flag, &environment, &dot_env()?)
    }

    fn layered(
        flag: impl Fn(&str) -> Option<String>,
        environment: &BTreeMap<String, String>,
        dot_env: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let mut values = BTreeMap::new();
        for setting in &SETTINGS {
            let from_flag = Some(setting.flag).filter(|name| !name.is_empty()).and_then(&flag);
            let found = if let Some(value) = from_flag {
                (value, Origin::Flag)
            } else if let Some(value) = environment.get(setting.env) {
                (value.clone(), Origin::Environment)
            } else if let Some(value) = secret_file(setting, environment)? {
                (value, Origin::SecretFile)
            } else if let Some(value) = dot_env.get(setting.env) {
                (value.clone(), Origin::DotEnv)
            } else {
                (setting.default.to_owned(), Origin::Default)
            };
            values.insert(setting.env, found);
        }
        let known = |name: &str| {
            SETTINGS
                .iter()
                .any(|it| it.env == name || (it.secret && name.strip_suffix("_FILE") == Some(it.env)))
        };
        let unknown = environment
            .keys()
            .chain(dot_env.keys())
            .filter(|name| name.starts_with("SCHEDULER_") && !known(name))
            .cloned()
            .collect();
        Ok(Self { values, environment: environment.clone(), unknown })
    }

    /// A setting's text and origin.
    pub(crate) fn get(&self, env: &'static str) -> (&str, Origin) {
        self.values.get(env).map_or(("", Origin::Default), |(value, origin)| (value.as_str(), *origin))
    }

    /// What of this process's environment commands get.
    fn command_environment(&self, more: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let names: Vec<&str> = more.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if let Some(secret) =
            names.iter().find(|name| SETTINGS.iter().any(|it| it.secret && it.env == **name))
        {
            bail!("{secret} is a secret of the service's own");
        }
        let wanted = ["PATH", "HOME", "LANG", "TZ"].iter().chain(&names);
        let value = |name: &&str| Some(((*name).to_owned(), self.environment.get(*name)?.clone()));
        Ok(wanted.filter_map(value).collect())
    }

    fn parse<T>(
        &self,
        env: &'static str,
        parse: impl FnOnce(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let (value, origin) = self.get(env);
        parse(value.trim()).with_context(|| format!("{env} (from {origin}) is not usable"))
    }
}

fn secret_file(setting: &Setting, environment: &BTreeMap<String, String>) -> anyhow::Result<Option<String>> {
    let variable = format!("{}_FILE", setting.env);
    let Some(path) = environment.get(&variable).filter(|_| setting.secret) else { return Ok(None) };
    let text = std::fs::read_to_string(path).with_context(|| format!("{variable}: cannot read {path}"))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn dot_env() -> anyhow::Result<BTreeMap<String, String>> {
    match dotenvy::from_path_iter(".env") {
        Ok(pairs) => pairs.collect::<Result<_, _>>().map_err(unreadable),
        Err(error) if error.not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(unreadable(error)),
    }
}

/// Names the variable whose line is wrong, never its value: it may be a password.
fn unreadable(error: dotenvy::Error) -> anyhow::Error {
    match error {
        dotenvy::Error::LineParse(line, _) => {
            let name = line.split('=').next().unwrap_or_default().trim();
            anyhow::anyhow!(".env cannot be read: the line of {name} has unbalanced quotes or no name")
        }
        error => anyhow::Error::new(error).context(".env cannot be read"),
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

fn from_str<T: FromStr<Err: fmt::Display>>(text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|error: T::Err| anyhow::anyhow!("{error}"))
}

fn optional<T: FromStr<Err: fmt::Display>>(text: &str) -> anyhow::Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { from_str(text).map(Some) }
}

fn database_url(text: &str) -> anyhow::Result<String> {
    let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if !known {
        bail!("expected sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE");
    }
    Ok(text.to_owned())
}

fn listen(text: &str) -> anyhow::Result<SocketAddr> {
    let address = text.replace("localhost:", "127.0.0.1:");
    let address: SocketAddr =
        address.parse().ok().context("expected ADDRESS:PORT, such as 127.0.0.1:8000")?;
    if !address.ip().is_loopback() {
        bail!(
            "{address} can be reached by others, and this version has no authentication; \
             listen on 127.0.0.1 and put a proxy that authenticates in front of it"
        );
    }
    Ok(address)
}

fn duration(text: &str, shortest: &str, longest: &str) -> anyhow::Result<HumanDuration> {
    let value: HumanDuration = from_str(text)?;
    let (shortest, longest): (HumanDuration, HumanDuration) = (from_str(shortest)?, from_str(longest)?);
    if value < shortest || longest < value {
        bail!("{value} is outside {shortest}–{longest}");
    }
    Ok(value)
}

fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> anyhow::Result<T> {
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.with_context(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("“{text}” is not one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
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
            ("SCHEDULER_LOG_FORMAT", "xml", "text, json"),
        ] {
            let error = Config::from_sources(&sources(&[(name, value)], &[])).err().unwrap();
            let text = format!("{error:#}");
            assert!(text.contains(name) && text.contains("environment") && text.contains(expected), "{text}");
        }
    }
}
