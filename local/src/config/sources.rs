//! Where settings come from.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, bail};

use super::settings::{SETTINGS, Setting};

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

    pub(super) fn layered(
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
    pub(super) fn command_environment(&self, more: &str) -> anyhow::Result<BTreeMap<String, String>> {
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

    pub(super) fn parse<T>(
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
