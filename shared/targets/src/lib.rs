//! Executors without AWS: http, email, command, log, noop; the SSRF-safe client; webhook signing.
//!
//! [`Targets`] is the service's [`Executor`]. What it must never do is told by [`address`] (where not to connect)
//! and held by `http::connect`, the only place in the service that opens a connection on a user's behalf.

pub mod address;
pub mod allow;
mod command;
pub mod email;
mod http;
mod kept;
mod log;
mod mask;
pub mod signing;
mod template;

use std::sync::Arc;

use async_trait::async_trait;
use domain::target::Mailbox;
use domain::{Outcome, Target, Verdict};
use engine::{Call, Clock, Entropy, Executor};
use tokio_util::sync::CancellationToken;

pub use crate::allow::{AllowList, AllowListError};
pub use crate::command::Commands;
pub use crate::email::MailServer;
pub use crate::signing::{SecretsError, SigningSecrets};

use crate::email::Email;
use crate::http::Http;

/// What can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// Targets allowed besides public addresses (`SCHEDULER_ALLOW_TARGETS`).
    pub allow: AllowList,
    /// What calls are signed with; without any they carry no signature.
    pub secrets: SigningSecrets,
    /// Where e-mail goes; without it, e-mail targets fail.
    pub mail_server: Option<MailServer>,
    /// Whom e-mail comes from where a job does not say.
    pub mail_from: Option<Mailbox>,
    /// What commands are given; without it, command targets fail.
    pub commands: Option<Commands>,
    /// Where targets that report find their runs, such as `https://scheduler.example.com/api/v1/runs/`; without it, they
    /// must know.
    pub runs_url: Option<String>,
    /// How calls introduce themselves.
    pub user_agent: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: AllowList::default(),
            secrets: SigningSecrets::default(),
            mail_server: None,
            mail_from: None,
            commands: None,
            runs_url: None,
            user_agent: concat!("scheduler/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Calls every kind of target that needs no AWS. One per process: it owns the connection pool.
pub struct Targets {
    http: Http,
    email: Email,
    commands: Option<Commands>,
}

impl Targets {
    /// Ready to call. `clock` stamps signatures, `entropy` makes trace ids.
    pub fn new(config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            email: Email::new(config.mail_server.clone(), config.mail_from.clone(), clock.clone()),
            commands: config.commands.clone(),
            http: Http::new(config, clock, entropy),
        }
    }
}

#[async_trait]
impl Executor for Targets {
    async fn execute(&self, call: &Call, cancel: CancellationToken) -> Outcome {
        match &call.target {
            Target::Http(target) => self.http.execute(call, target, cancel).await,
            Target::Email(target) => self.email.execute(call, target, cancel).await,
            Target::Command(target) => command::execute(self.commands.as_ref(), call, target, cancel).await,
            Target::Log(target) => log::execute(call, target).into(),
            Target::Noop(_) => Verdict::Succeeded.into(),
        }
    }

    fn ends_at_once(&self, target: &Target) -> bool {
        match target {
            Target::Http(_) | Target::Email(_) | Target::Command(_) => false,
            Target::Log(_) | Target::Noop(_) => true,
        }
    }
}

/// Makes ring the process's TLS provider, for libraries that ask for one (reqwest does, [`Targets`] does not).
/// May be called any number of times.
pub fn install_crypto() {
    // An error means that it has been done already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
