//! The command line. Flags for settings are made from [`SETTINGS`], so every command takes the same ones.

use clap::{Arg, ArgMatches, Command};

use crate::commands::{bench, keys};
use crate::config::SETTINGS;

const ABOUT: &str = "Runs jobs on time, once, and keeps a record of every occurrence";

const EXAMPLES: &str = "\
Examples:
  scheduler                                  start everything on SQLite, at http://127.0.0.1:8000
  scheduler serve --listen 127.0.0.1:9000    the same on another port
  DATABASE_URL=postgres://… scheduler        one of several replicas on PostgreSQL
  scheduler doctor                           check configuration, database and port

Settings come from flags, environment variables and .env, in that order; see `scheduler config`.";

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("scheduler")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(EXAMPLES)
        .args(settings())
        .subcommand(Command::new("serve").about("Serve the API and fire jobs (the default command)"))
        .subcommand(
            Command::new("migrate").about("Bring the database's schema up to date").arg(
                Arg::new("status")
                    .long("status")
                    .help("Only say what is applied and what is pending; exit code 1 if anything is")
                    .num_args(0),
            ),
        )
        .subcommand(
            Command::new("healthcheck").about("Ask a running service whether it is ready; exit code 0 if so"),
        )
        .subcommand(Command::new("openapi").about("Print the API's OpenAPI description"))
        .subcommand(
            Command::new("cron")
                .about("Understand cron expressions")
                .subcommand_required(true)
                .subcommand(explain()),
        )
        .subcommand(Command::new("config").about("Print every setting, its value and where it comes from"))
        .subcommand(keys::command())
        .subcommand(bench::command())
        .subcommand(
            Command::new("doctor").about("Check configuration, database, clock and port, and say what to do"),
        )
}

fn explain() -> Command {
    Command::new("explain")
        .about("Say what an expression means in the zone of --timezone, and when it is due")
        .arg(
            Arg::new("expression")
                .required(true)
                .help("Such as '0 2 * * 1-5', '@daily' or 'cron(0 12 ? * MON-FRI *)'"),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("INSTANT")
                .help("Occurrences after this instant (RFC 3339) [default: now]"),
        )
        .arg(
            Arg::new("count")
                .long("count")
                .short('n')
                .value_parser(clap::value_parser!(u16).range(1..=1000))
                .default_value("10")
                .help("How many of them"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_parser(["table", "json"])
                .default_value("table"),
        )
}

fn settings() -> impl Iterator<Item = Arg> {
    SETTINGS.iter().filter(|setting| !setting.flag.is_empty()).map(|setting| {
        let default = if setting.default.is_empty() { "none" } else { setting.default };
        Arg::new(setting.flag)
            .long(setting.flag)
            .value_name("VALUE")
            .global(true)
            .help(format!("{} [env: {}] [default: {default}]", setting.help, setting.env))
    })
}

/// What was said for `flag`, before or after the command's name.
pub(crate) fn flag(matches: &ArgMatches, flag: &str) -> Option<String> {
    matches.get_one::<String>(flag).cloned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
