//! The table of all settings.

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
pub(crate) const SETTINGS: [Setting; 22] = [
    Setting {
        env: "DATABASE_URL",
        flag: "database-url",
        default: "sqlite:data/scheduler.db",
        help: "Where jobs and runs are kept: sqlite:PATH for one process, postgres://… for several",
        secret: true,
    },
    Setting {
        env: "SECRET_KEY",
        flag: "",
        default: "",
        help: "What the tokens of targets that report are computed with, 32 characters or more; by default the database's own secret",
        secret: true,
    },
    Setting {
        env: "SCHEDULER_ADMIN_KEY",
        flag: "",
        default: "",
        help: "The operator's key, 32 characters or more: opens everything. Without it whoever reaches the service may do so",
        secret: true,
    },
    setting(
        "SCHEDULER_LISTEN",
        "listen",
        "127.0.0.1:8000",
        "Address and port of the HTTP API; beyond loopback it takes SCHEDULER_ADMIN_KEY and SECRET_KEY",
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
    setting(
        "SCHEDULER_PUBLIC_URL",
        "public-url",
        "",
        "Where targets reach this service, such as https://scheduler.example.com; sent to those that report",
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
    setting(
        "SCHEDULER_RETENTION",
        "retention",
        "90d",
        "How long the records of finished runs are kept, the latest of each job excepted; off for ever",
    ),
    setting(
        "SCHEDULER_RETENTION_RUNS",
        "retention-runs",
        "10000",
        "How many finished runs of each job are kept at most; off for any number",
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
