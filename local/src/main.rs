//! The `scheduler` binary: configuration, wiring, commands. Everything else is in the crates under `shared/`.

mod access;
mod cli;
mod commands;
mod config;
mod logging;
mod metrics;
mod serve;
mod system;
mod ui;

use std::process::ExitCode;

use clap::ArgMatches;

use crate::config::{Config, Misused, Sources};

/// What a shell expects of a command that was used wrongly.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    if matches.subcommand_name() == Some("openapi") {
        return commands::openapi::run();
    }
    let sources = match Sources::gather(|flag| cli::flag(&matches, flag)) {
        Ok(sources) => sources,
        Err(error) => return fail(USAGE, &error),
    };
    // It shows settings that cannot be used, too: that is when it is needed most.
    if matches.subcommand_name() == Some("config") {
        return commands::config::run(&sources);
    }
    let config = match Config::from_sources(&sources) {
        Ok(config) => config,
        Err(error) => return fail(USAGE, &error),
    };
    if let Err(error) = logging::start(&config) {
        return fail(USAGE, &error);
    }
    for name in &sources.unknown {
        tracing::warn!("{name} is set, but there is no such setting; see `scheduler config`");
    }
    targets::install_crypto();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error.into()),
    };
    match runtime.block_on(run(&matches, config)) {
        Ok(code) => code,
        Err(error) => fail(if error.is::<Misused>() { USAGE } else { 1 }, &error),
    }
}

async fn run(matches: &ArgMatches, config: Config) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("migrate", matches)) => commands::migrate::run(&config, matches.get_flag("status")).await,
        Some(("bench", matches)) => commands::bench::run(&config, matches).await,
        Some(("keys", matches)) => commands::keys::run(&config, matches).await,
        Some(("healthcheck", _)) => Ok(commands::healthcheck::run(&config).await),
        Some(("cron", matches)) => {
            let explain = matches.subcommand_matches("explain").unwrap_or(matches);
            commands::cron::explain(&config.zone, explain)
        }
        Some(("doctor", _)) => Ok(commands::doctor::run(&config).await),
        _ => serve::run(config).await,
    }
}

/// Says what went wrong, with its causes, and what to type for help.
#[expect(clippy::print_stderr, reason = "the answer of a command that failed")]
fn fail(code: u8, error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    if code == USAGE {
        eprintln!("see `scheduler config` for all settings and where they come from");
    }
    ExitCode::from(code)
}
