//! `scheduler keys`: makes, lists and revokes API keys in the database itself, so that there can be a first one.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use domain::{Credential, CredentialDraft, HumanDuration, Instant, Role};
use engine::access::operator;
use engine::{Access, Bell, Clock};
use sql::Database;

use super::config::without_password;
use crate::config::Config;
use crate::serve;
use crate::system::OsEntropy;

pub(crate) fn command() -> Command {
    let roles = Role::ALL.map(Role::as_str);
    let output =
        Arg::new("output").long("output").short('o').value_parser(["table", "json"]).default_value("table");
    Command::new("keys")
        .about("Make, list and revoke API keys, in the database of DATABASE_URL")
        .subcommand_required(true)
        .subcommand(
            Command::new("create")
                .about("Make a key and print it, once")
                .arg(Arg::new("name").required(true).help("What it is for"))
                // Not --role, which says what a process does.
                .arg(
                    Arg::new("access")
                        .long("access")
                        .required(true)
                        .value_parser(roles)
                        .help("What it may do"),
                )
                .arg(Arg::new("project").long("project").help("The project it is for [default: all of them]"))
                .arg(
                    Arg::new("expires-in")
                        .long("expires-in")
                        .value_name("DURATION")
                        .value_parser(str::parse::<HumanDuration>)
                        .help("How long it is good, such as 90d [default: for ever]"),
                ),
        )
        .subcommand(Command::new("list").about("List all keys, without the keys themselves").arg(output))
        .subcommand(
            Command::new("revoke")
                .about("Make a key good for nothing, a second later at most")
                .arg(Arg::new("id").required(true).help("Its id, key_…; see `scheduler keys list`")),
        )
}

pub(crate) async fn run(config: &Config, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let place = without_password(&config.database_url);
    let database = Database::connect(&config.database_url).await.with_context(|| place.clone())?;
    database.migrate().await.with_context(|| place.clone())?;
    let (clock, _) = serve::time(&database, &Bell::default()).await?;
    let entropy = Arc::new(OsEntropy);
    let key = serve::token_key(config, &database, &*entropy).await?;
    let access = Access::new(database.records(), clock.clone(), entropy, (&key).into());
    let done = match matches.subcommand() {
        Some(("create", matches)) => create(&access, &*clock, matches).await,
        Some(("revoke", matches)) => revoke(&access, matches).await,
        Some((_, matches)) => list(&access, clock.now(), matches).await,
        None => Ok(()),
    };
    database.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

/// The key alone goes to standard output, so that it can be sent on to where it is kept.
#[expect(clippy::print_stderr, reason = "what is said about the key is not the key")]
async fn create(access: &Access, clock: &dyn Clock, matches: &ArgMatches) -> anyhow::Result<()> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let role = text("access").and_then(|role| Role::ALL.into_iter().find(|it| it.as_str() == role));
    let expires_in = matches.get_one::<HumanDuration>("expires-in");
    let draft = CredentialDraft {
        name: text("name").unwrap_or_default(),
        role: role.context("there is no such role")?,
        project: text("project"),
        expires_at: expires_in.map(|lasts| clock.now() + lasts.to_delta()),
    };
    let (credential, key) = access.create_key(&operator(), draft).await.map_err(explained)?;
    eprintln!("made {}: {}", credential.id, described(&credential, clock.now()));
    eprintln!("this is the key; it is kept nowhere, so keep it well:");
    println!("{}", key.reveal());
    Ok(())
}

async fn revoke(access: &Access, matches: &ArgMatches) -> anyhow::Result<()> {
    let id = matches.get_one::<String>("id").map_or("", String::as_str);
    let id = id.parse().map_err(anyhow::Error::msg)?;
    let credential = access.revoke_key(&operator(), id).await.map_err(explained)?;
    println!("revoked {}: {}", credential.id, credential.name);
    Ok(())
}

async fn list(access: &Access, now: Instant, matches: &ArgMatches) -> anyhow::Result<()> {
    let keys = access.keys(&operator()).await?;
    if matches.get_one::<String>("output").is_some_and(|it| it == "json") {
        println!("{}", serde_json::to_string_pretty(&keys)?);
        return Ok(());
    }
    for key in keys {
        println!("{}  {}  {}", key.id, key.hint, described(&key, now));
    }
    Ok(())
}

fn described(key: &Credential, now: Instant) -> String {
    let place = key.project.as_ref().map_or("all projects".to_owned(), |it| format!("project {it}"));
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!(", revoked {at}"),
        (None, Some(at)) if at <= now => format!(", expired {at}"),
        (None, Some(at)) => format!(", until {at}"),
        (None, None) => String::new(),
    };
    format!("{}, {} of {place}{state}", key.name, key.role.as_str())
}

/// Every field that is wrong, by name.
fn explained(error: engine::SchedulerError) -> anyhow::Error {
    match error {
        engine::SchedulerError::Invalid(invalid) => anyhow::Error::msg(invalid.to_string()),
        error => error.into(),
    }
}
